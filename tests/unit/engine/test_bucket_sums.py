"""Bucket sums: made when a form is asked of a second window, and only where they are worth their memory."""

from __future__ import annotations

import numpy as np

from aggflow.engine.bucket_sums import BucketSums
from aggflow.engine.reductions import Merged, Reductions
from aggflow.measures.cells import Cells
from aggflow.timeline import Window

MONDAY, TUESDAY, WEDNESDAY = (Window(day, day + 1) for day in range(3))


def cells(count: int) -> Cells:
    ones = np.ones(count, dtype=np.int64)
    return Cells(ones, {}, ones, {})


class Segment:
    """Counts how often it is merged."""

    def __init__(self, read: int = 100, sums: int = 10) -> None:
        self.merged = 0
        self._made = Merged(cells(sums), read)

    def merge(self) -> Merged:
        self.merged += 1
        return self._made


def asked(sums: BucketSums, segment: Segment, *windows: Window, name: str = "form") -> list[int | None]:
    found = [sums.get(name, window, segment.merge) for window in windows]
    return [None if one is None else len(one) for one in found]


def test_the_second_window_makes_them() -> None:
    sums, segment = BucketSums(Reductions(1_000_000)), Segment()
    assert asked(sums, segment, MONDAY, MONDAY, TUESDAY, WEDNESDAY, MONDAY) == [None, None, 10, 10, 10]
    assert segment.merged == 1


def test_forms_are_told_apart() -> None:
    sums, segment = BucketSums(Reductions(1_000_000)), Segment()
    assert asked(sums, segment, MONDAY) == [None]
    assert asked(sums, segment, TUESDAY, name="another") == [None]
    assert segment.merged == 0


def test_sums_that_are_hardly_fewer_are_tried_once() -> None:
    sums, segment = BucketSums(Reductions(1_000_000)), Segment(read=100, sums=30)
    assert asked(sums, segment, MONDAY, TUESDAY, WEDNESDAY, MONDAY) == [None] * 4
    assert segment.merged == 1


def test_without_a_budget_there_are_none() -> None:
    sums, segment = BucketSums(Reductions(0)), Segment()
    assert asked(sums, segment, MONDAY, TUESDAY, WEDNESDAY) == [None] * 3
    assert segment.merged == 0
