"""Traffic on a home from one process: replacing random windows, reading all, compacting.

Run as a program by test_many_processes.py: ``window_traffic.py ROLE HOME SECONDS SEED``; it says
``ready``, begins when a line comes in, and prints what it did as JSON.  Every write has a stamp
of its own, which all of its rows carry, so that a window of two writes gives itself away.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from aggflow.catalog import Catalog, Coverage, NewSegment
from aggflow.errors import LeaseLostError
from aggflow.store import SegmentStore, compact
from aggflow.store.segment import buckets_of
from aggflow.timeline import Window

BUCKETS = 48
HOUR = 3600
ROWS = 3  # a bucket
LEAST = 10  # what each process does at least, on however busy a machine
EMPTY = 0  # the stamp of a bucket that is built, and holds nothing


def open_home(home: Path) -> tuple[Catalog, SegmentStore, str]:
    catalog = Catalog.open(home / "catalog.db", create=False)
    return catalog, SegmentStore(home / "segments"), catalog.rollups("ws_shop")[0].id


def now_us() -> int:
    return time.time_ns() // 1000


def window_of(first: int, last: int) -> Window:
    return Window(first * HOUR * 1_000_000, last * HOUR * 1_000_000)


def states(first: int, last: int, stamp: int) -> pa.Table:
    buckets = np.repeat(np.arange(first, last) * HOUR, ROWS)
    return pa.table(
        {
            "bucket": buckets,
            "stamp": np.full(len(buckets), stamp),
            "row": np.tile(np.arange(ROWS), last - first),
            "key": [[stamp, int(b)] for b in buckets],
        }
    )


def segments_of(
    store: SegmentStore, rollup_id: str, first: int, last: int, stamp: int, cut: int
) -> Iterator[NewSegment]:
    """The window as two segments that meet at the cut, or as one where it lies outside."""
    edges = sorted({first, last, cut if first < cut < last else first})
    for start, end in pairwise(edges):
        window = window_of(start, end)
        if stamp == EMPTY:
            yield NewSegment(window, None)
        else:
            made = store.write(states(start, end, stamp), rollup_id=rollup_id, version=1, window=window)
            yield NewSegment(window, made.file, made.rows, made.bytes, made.checksum)


def replace(
    catalog: Catalog, store: SegmentStore, rollup_id: str, first: int, last: int, stamp: int, cut: int
) -> int | None:
    """The generation of the replacement; None where another process is at work in the window."""
    lease = catalog.acquire_lease(rollup_id, window_of(first, last), "traffic", now_us(), 30)
    if lease is None:
        return None
    try:
        segments = list(segments_of(store, rollup_id, first, last, stamp, cut))
        return catalog.replace_window(rollup_id, 1, lease.window, segments, lease, now_us())
    except LeaseLostError:
        return None
    finally:
        catalog.release_lease(lease)


def random_write(random_: random.Random) -> tuple[int, int, int, int]:
    """First and last bucket, stamp and cut of a write."""
    first, last = sorted(random_.sample(range(BUCKETS + 1), 2))
    stamp = EMPTY if random_.random() < 0.1 else random_.getrandbits(60) + 1
    return first, last, stamp, random_.randrange(BUCKETS)


def stamps(store: SegmentStore, coverage: Coverage) -> list[int]:
    """The stamp of every bucket; fails unless each is there once, whole, and from one write."""
    found: dict[int, int] = {}
    for row in coverage.rows:
        low, high = buckets_of(row.window)
        buckets = list(range(low, high, HOUR))
        assert not set(buckets) & set(found), f"doubled: {row}"
        if row.file is None:
            found |= dict.fromkeys(buckets, EMPTY)
            continue
        # A compacted file has no rows for buckets that hold nothing: those have the stamp of empty ones.
        found |= dict.fromkeys(buckets, EMPTY)
        table = store.read(row.file, row.checksum, (low, high))
        states: dict[int, list[tuple[int, int]]] = {}
        for state in table.to_pylist():
            assert state["key"] == [state["stamp"], state["bucket"]]
            states.setdefault(state["bucket"], []).append((state["row"], state["stamp"]))
        assert set(states) <= set(buckets), f"beyond its window: {row}"
        for bucket, of_bucket in states.items():
            stamp = of_bucket[0][1]
            assert of_bucket == [(i, stamp) for i in range(ROWS)], f"mixed, or cut: {row}"
            found[bucket] = stamp
    assert sorted(found) == [i * HOUR for i in range(BUCKETS)], "a bucket is missing"
    return [found[i * HOUR] for i in range(BUCKETS)]


def write(home: Path, until: float, seed: int) -> dict[str, Any]:
    catalog, store, rollup_id = open_home(home)
    random_ = random.Random(seed)
    done: list[tuple[int, int, int, int]] = []
    waits = 0
    while time.monotonic() < until or len(done) < LEAST:
        first, last, stamp, cut = random_write(random_)
        generation = replace(catalog, store, rollup_id, first, last, stamp, cut)
        if generation is None:
            waits += 1
            time.sleep(0.002)
        else:
            done.append((generation, first, last, stamp))
    return {"writes": done, "waits": waits}


def read(home: Path, until: float, seed: int) -> dict[str, Any]:
    catalog, store, rollup_id = open_home(home)
    seen: dict[int, list[int]] = {}
    reads = 0
    while time.monotonic() < until or reads < LEAST:
        generation = catalog.generation(rollup_id)
        coverage = catalog.coverage(rollup_id)
        assert coverage.generation >= generation >= max(seen, default=0), "the generation went back"
        found = stamps(store, coverage)
        assert seen.setdefault(coverage.generation, found) == found, "one generation, two contents"
        reads += 1
    return {"reads": reads, "seen": list(seen.items())}


def tidy(home: Path, until: float, seed: int) -> dict[str, Any]:
    catalog, store, rollup_id = open_home(home)
    compacted = superseded = 0
    while time.monotonic() < until or compacted + superseded == 0:
        report = compact(catalog, store, rollup_id, least=4, now_us=now_us())
        compacted += report.segments_written
        superseded += report.superseded
        time.sleep(0.05)
    return {"compacted": compacted, "superseded": superseded}


def be_killed(home: Path, until: float, seed: int) -> dict[str, Any]:
    """Have children write, and kill each at a random moment: what they began is there whole, or not at all."""
    catalog, store, rollup_id = open_home(home)
    random_ = random.Random(seed)
    kills = landed = 0
    unhurried = 0.0  # seconds that a child takes if it is left alone: the first one is
    while time.monotonic() < until or kills < LEAST:
        before = stamps(store, catalog.coverage(rollup_id))
        first, last, stamp, cut = random_write(random_)
        after = [stamp if first <= i < last else old for i, old in enumerate(before)]
        catalog.close()
        if (child := os.fork()) == 0:
            try:
                replace(catalog, store, rollup_id, first, last, stamp, cut)
            finally:
                os._exit(0)
        begun = time.monotonic()
        if unhurried:
            time.sleep(random_.uniform(0, 1.5 * unhurried))
            os.kill(child, 9)
        os.waitpid(child, 0)
        unhurried = unhurried or time.monotonic() - begun
        found = stamps(store, catalog.coverage(rollup_id))
        assert found in (before, after), "neither old nor new"
        kills += 1
        landed += found == after
        # Whatever lease it held is free at once, for its process is dead.
        assert replace(catalog, store, rollup_id, 0, 1, random_.getrandbits(60) + 1, 0) is not None
    return {"kills": kills, "landed": landed}


def warm_up(home: Path) -> None:
    """Do once what is slow for the first time, so that all processes begin at once."""
    catalog, store, rollup_id = open_home(home)
    with store.draft(rollup_id=rollup_id, version=1, window=window_of(0, 1)) as draft:
        draft.add(states(0, 1, 1))
    stamps(store, catalog.coverage(rollup_id))
    catalog.close()


ROLES = {"write": write, "read": read, "tidy": tidy, "be_killed": be_killed}

if __name__ == "__main__":
    role, home, seconds, seed = sys.argv[1:]
    warm_up(Path(home))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(ROLES[role](Path(home), time.monotonic() + float(seconds), int(seed))))
