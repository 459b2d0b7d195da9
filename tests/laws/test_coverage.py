"""Coverage under random replacements, drops, compactions and changes is what a plain dict would be."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aggflow.catalog import Catalog, Coverage, NewSegment
from aggflow.timeline import ALWAYS, FOREVER, Window

BUCKETS = 24
places = st.integers(0, BUCKETS)


class CoverageMachine(RuleBasedStateMachine):
    """One rollup, and a dict from bucket to the version and file that hold it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(empty_catalog(), self.folder / "catalog.db")
        self.catalog = Catalog.open(self.folder / "catalog.db", create=False)
        self.model: dict[tuple[int, int], str | None] = {}
        self.files: set[str] = set()
        self.clock = 0

    def teardown(self) -> None:
        self.catalog.close()
        shutil.rmtree(self.folder)

    @initialize()
    def make(self) -> None:
        workspace = self.catalog.workspace("shop")
        owner = self.catalog.put_definition(workspace.id, "filter", "f", {}, "h", "d", 0)
        self.rollup = self.catalog.create_rollup(workspace.id, "filter", owner.id, "f", "s", {}, "h")
        self.generation = self.rollup.generation
        self.snapshot = self.catalog.coverage(self.rollup.id)

    def new_file(self) -> str:
        file = f"file{len(self.files)}"
        self.files.add(file)
        return file

    def changed(self, generation: int) -> None:
        assert generation > self.generation
        self.generation = generation

    @rule(
        ends=st.tuples(places, places),
        cuts=st.sets(places, max_size=3),
        empty=st.booleans(),
        last=st.booleans(),
    )
    def replace(self, ends: tuple[int, int], cuts: set[int], empty: bool, last: bool) -> None:
        versions = self.catalog.versions(self.rollup.id)
        version = versions[-1 if last else 0]
        start = max(min(ends), version.validity.start)
        end = min(max(ends), version.validity.end)
        if start >= end:
            return
        edges = sorted({start, end, *(cut for cut in cuts if start < cut < end)})
        segments = [
            NewSegment(Window(a, b), None if empty and i == 0 else self.new_file())
            for i, (a, b) in enumerate(pairwise(edges))
        ]
        self.clock += 1
        lease = self.catalog.acquire_lease(self.rollup.id, ALWAYS, "test", self.clock, 30)
        assert lease
        window = Window(start, end)
        self.changed(
            self.catalog.replace_window(self.rollup.id, version.number, window, segments, lease, self.clock)
        )
        self.catalog.release_lease(lease)
        for segment in segments:
            for bucket in range(segment.window.start, segment.window.end):
                self.model[version.number, bucket] = segment.file

    @rule(ends=st.tuples(places, places))
    def drop(self, ends: tuple[int, int]) -> None:
        if ends[0] == ends[1]:
            return
        number = self.catalog.versions(self.rollup.id)[-1].number
        self.clock += 1
        window = Window(min(ends), max(ends))
        self.changed(self.catalog.drop_window(self.rollup.id, number, window, self.clock))
        for bucket in range(window.start, window.end):
            self.model.pop((number, bucket), None)

    @rule()
    def look(self) -> None:
        """A compaction begins: what it read may be old when it ends."""
        self.snapshot = self.catalog.coverage(self.rollup.id)

    @precondition(lambda self: len(self.snapshot.rows) > 1)
    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        rows = self.snapshot.rows
        first = data.draw(st.integers(0, len(rows) - 1))
        last = first
        while (
            last + 1 < len(rows)
            and rows[last + 1].version == rows[first].version
            and rows[last + 1].window.start == rows[last].window.end
            and data.draw(st.booleans())
        ):
            last += 1
        run = rows[first : last + 1]
        current = self.catalog.coverage(self.rollup.id)
        window = Window(run[0].window.start, run[-1].window.end)
        file = self.new_file()
        self.clock += 1
        done = self.catalog.compact(self.rollup.id, run[0].version, run, NewSegment(window, file), self.clock)
        # It is done exactly when all that it read is still there.
        assert (done is not None) == (set(run) <= set(current.rows))
        if done is None:
            self.files.remove(file)
        else:
            self.changed(done)
            for bucket in range(window.start, window.end):
                self.model[run[0].version, bucket] = file

    @rule(start=places)
    def add_version(self, start: int) -> None:
        self.clock += 1
        self.catalog.add_version(self.rollup.id, {}, "h", start, self.clock)
        self.changed(self.catalog.generation(self.rollup.id))
        self.model = {(number, b): file for (number, b), file in self.model.items() if b < start}

    @rule()
    def reset(self) -> None:
        self.clock += 1
        self.catalog.reset_versions(self.rollup.id, {}, "h", self.clock)
        self.changed(self.catalog.generation(self.rollup.id))
        self.model = {}

    @invariant()
    def coverage_is_the_model(self) -> None:
        if not hasattr(self, "rollup"):
            return
        coverage = self.catalog.coverage(self.rollup.id)
        assert coverage.generation == self.generation == self.catalog.generation(self.rollup.id)
        assert_disjoint(coverage)
        found = {
            (row.version, bucket): row.file
            for row in coverage.rows
            for bucket in range(row.window.start, row.window.end)
        }
        assert found == self.model

    @invariant()
    def each_file_is_live_or_garbage(self) -> None:
        live = {file for file in self.model.values() if file is not None}
        assert self.catalog.live_files() == live
        assert set(self.catalog.garbage(FOREVER)) == self.files - live

    @invariant()
    def versions_are_valid_for_all_time(self) -> None:
        if not hasattr(self, "rollup"):
            return
        validities = [version.validity for version in self.catalog.versions(self.rollup.id)]
        assert (validities[0].start, validities[-1].end) == (ALWAYS.start, ALWAYS.end)
        assert all(left.end == right.start for left, right in pairwise(validities))


def assert_disjoint(coverage: Coverage) -> None:
    for left, right in pairwise(coverage.rows):
        assert left.version < right.version or left.window.end <= right.window.start


def empty_catalog() -> Path:
    """A file to copy, which is faster than making another."""
    if not _made:
        folder = Path(tempfile.mkdtemp())
        Catalog.open(folder / "catalog.db").close()
        _made.append(folder)
    return _made[0] / "catalog.db"


_made: list[Path] = []


def teardown_module() -> None:
    while _made:
        shutil.rmtree(_made.pop())


TestCoverage = CoverageMachine.TestCase
TestCoverage.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
