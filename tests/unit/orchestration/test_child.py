"""Processes of `aggflow up`: ended when asked, killed when stubborn, found again when it was killed itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from aggflow.orchestration.child import Child, end_leftovers, remember

NEVER = threading.Event()
SLEEPING = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
]


def started(command: list[str], folder: Path) -> Child:
    child = Child.start("it", command, os.environ, folder / "log")
    while child.last_words() != "here":
        time.sleep(0.02)
    return child


def test_it_is_ended_when_asked(tmp_path: Path) -> None:
    child = started(SLEEPING, tmp_path)
    assert child.code is None
    child.stop(10, NEVER)
    assert child.code == -15
    child.stop(10, NEVER)


def test_it_is_in_a_session_of_its_own_so_that_ctrl_c_reaches_its_parent_alone(tmp_path: Path) -> None:
    child = started(SLEEPING, tmp_path)
    assert os.getsid(child.process.pid) != os.getsid(0)
    child.stop(10, NEVER)


def test_a_stubborn_one_is_killed(tmp_path: Path) -> None:
    child = started(STUBBORN, tmp_path)
    child.stop(0.3, NEVER)
    assert child.code == -9


def test_who_asks_again_does_not_want_to_wait(tmp_path: Path) -> None:
    class Hurry(threading.Event):
        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.looks += 1
            return super().wait(timeout)

    child, hurry = started(STUBBORN, tmp_path), Hurry()
    hurry.set()
    child.stop(60, hurry)
    assert child.code == -9
    assert hurry.looks == 1, "it is not looked at again whether it has ended"


def test_what_a_killed_one_left_is_ended(tmp_path: Path) -> None:
    child, other = started(SLEEPING, tmp_path), subprocess.Popen(SLEEPING, stdout=subprocess.DEVNULL)
    file = tmp_path / "processes.json"
    remember([child], file)
    threading.Thread(target=child.process.wait).start()
    assert end_leftovers(file) == 1
    assert not psutil.pid_exists(child.process.pid)
    assert other.poll() is None
    assert not file.exists()
    assert end_leftovers(file) == 0
    other.kill()
    other.wait()


def test_a_number_that_came_again_is_left_alone(tmp_path: Path) -> None:
    child = started(SLEEPING, tmp_path)
    file = tmp_path / "processes.json"
    file.write_text(f'[{{"pid": {child.process.pid}, "started": 12.0}}]', encoding="utf-8")
    assert end_leftovers(file) == 0
    assert child.code is None
    child.stop(10, NEVER)
