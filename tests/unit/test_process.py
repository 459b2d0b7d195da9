from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import psutil

from aggflow.process import Process


def test_this_one_is_alive() -> None:
    process = Process.this()
    assert process.pid == os.getpid()
    assert process == Process.this()
    assert not process.is_dead()


def test_one_that_ended_is_dead_waited_for_or_not() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = replace(Process.this(), pid=child.pid, started=psutil.Process(child.pid).create_time())
    assert not process.is_dead()
    assert child.stdin
    child.stdin.write(b"\n")
    child.stdin.flush()
    psutil.wait_procs([psutil.Process(child.pid)], timeout=0)
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert process.is_dead(), "a zombie builds nothing"
    child.communicate()
    assert process.is_dead()


def test_a_number_that_came_again_is_another_process() -> None:
    assert replace(Process.this(), started=Process.this().started - 60).is_dead()


def test_one_of_another_host_cannot_be_seen() -> None:
    assert not Process("elsewhere", 2**22 + 1, 0.0).is_dead()
