"""Progress: how far a build is, in rows and windows, told to one callback for every surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Progress:
    """How far a build is.

    Attributes
    ----------
    rollup
        What is built, for people.
    windows_done, windows_total
        Batches that are committed, and all of them.
    rows_done, rows_total
        Source rows that were read, and about how many there are.
    seconds
        Since the build began.
    """

    rollup: str
    windows_done: int
    windows_total: int
    rows_done: int
    rows_total: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """How long it will take still, by the rows read so far; None before the first batch."""
        if self.rows_done == 0:
            return None
        return self.seconds * max(0, self.rows_total - self.rows_done) / self.rows_done


Report: TypeAlias = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report nothing."""
