"""Many processes on one home at once, some of them killed: every answer is of exactly one moment."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aggflow.catalog import Catalog
from aggflow.store import collect_garbage
from aggflow.timeline import FOREVER

PROGRAM = Path(__file__).with_name("window_traffic.py")
REPOSITORY = Path(__file__).parents[2]
SECONDS = 3


@pytest.fixture(scope="module")
def traffic() -> ModuleType:
    spec = importlib.util.spec_from_file_location("window_traffic", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def home(tmp_path: Path, traffic: ModuleType) -> Path:
    """A home whose every bucket carries the stamp 1."""
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        workspace = catalog.workspace("shop")
        owner = catalog.put_definition(workspace.id, "filter", "f", {}, "h", "d", 0)
        catalog.create_rollup(workspace.id, "filter", owner.id, "f", "s", {}, "h")
    catalog, store, rollup_id = traffic.open_home(tmp_path)
    assert traffic.replace(catalog, store, rollup_id, 0, traffic.BUCKETS, 1, 0)
    catalog.close()
    return tmp_path


def run(home: Path, roles: list[str], seed: int) -> list[dict[str, Any]]:
    """What each process did; all begin at once."""
    with ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []
        for i, role in enumerate(roles):
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(PROGRAM), role, str(home), str(SECONDS), str(seed + i)],
                    cwd=REPOSITORY,
                    env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        reports: list[dict[str, Any]] = []
        for role, process in zip(roles, processes, strict=True):
            out, err = process.communicate(timeout=300)
            assert process.returncode == 0, f"{role}: {err}"
            reports.append(json.loads(out))
        return reports


def test_readers_see_one_moment_while_writers_replace(
    home: Path, traffic: ModuleType, pytestconfig: pytest.Config
) -> None:
    seed = pytestconfig.option.seed
    reports = run(home, ["write"] * 3 + ["read"] * 3 + ["tidy"], seed)
    writers, readers, tidier = reports[:3], reports[3:6], reports[6]
    writes = sorted(write for report in writers for write in report["writes"])
    generations = [write[0] for write in writes]
    assert len(set(generations)) == len(generations), "two writes have one generation"

    # Each snapshot is exactly what the writes up to its generation left.
    seen = sorted((generation, found) for report in readers for generation, found in report["seen"])
    content = [1] * traffic.BUCKETS
    at = 0
    for generation, found in seen:
        while at < len(writes) and writes[at][0] <= generation:
            _, first, last, stamp = writes[at]
            content[first:last] = [stamp] * (last - first)
            at += 1
        assert found == content, f"generation {generation}"
    for _, first, last, stamp in writes[at:]:
        content[first:last] = [stamp] * (last - first)

    catalog, store, rollup_id = traffic.open_home(home)
    assert traffic.stamps(store, catalog.coverage(rollup_id)) == content, "a write is lost"
    assert all(report["writes"] for report in writers)
    assert all(report["reads"] for report in readers)
    assert len({generation for generation, _ in seen}) > 3
    assert tidier["compacted"] + tidier["superseded"] > 0
    assert catalog.leases(rollup_id) == ()

    # Every file is live or garbage; afterwards only live ones are left, and nothing has changed.
    live = catalog.live_files()
    assert {stored.file for stored in store.files()} == live | set(catalog.garbage(FOREVER))
    assert collect_garbage(catalog, store, grace=0, now_us=FOREVER).strays == 0
    assert {stored.file for stored in store.files()} == live
    assert traffic.stamps(store, catalog.coverage(rollup_id)) == content
    catalog.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_killed_writer_leaves_old_or_new(
    home: Path, traffic: ModuleType, pytestconfig: pytest.Config
) -> None:
    (report,) = run(home, ["be_killed"], pytestconfig.option.seed)
    assert 0 < report["landed"] < report["kills"], "the moments of death do not spread"
    catalog, store, rollup_id = traffic.open_home(home)
    traffic.stamps(store, catalog.coverage(rollup_id))
    collect_garbage(catalog, store, grace=0, now_us=FOREVER)
    assert {stored.file for stored in store.files()} == catalog.live_files()
    catalog.close()
