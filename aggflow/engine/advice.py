"""Advice: an aggregate that a cube should have, what it would cost and what it would have saved."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from aggflow.figure import counted, took
from aggflow.spec.calculation import Calculation

# Below it an estimate says nothing but that it is soon done.
_SHORT = 0.1


@dataclass(frozen=True)
class Advice:
    """An aggregate that a cube should have.

    Attributes
    ----------
    cube
        Name of the cube.
    interval
        Width of its buckets.
    dimensions, measures
        What of the cube it keeps, as an aggregate of the cube names it.
    rows
        How many cells it would have in the time that was asked about.
    build_seconds
        About how long it would take to build.
    rows_saved, share_saved
        How many stored cells and source rows less would have been read, beyond what the advice
        before it saves, and which part that is of all that was read of the source.
    questions
        The questions that it would have served, the one that it saves most for first.
    """

    cube: str
    interval: str
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    rows: int
    build_seconds: float
    rows_saved: int
    share_saved: float
    questions: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the aggregate would be called."""
        by = " and ".join(self.dimensions).replace("/", " ") or "all"
        return f"{by[:200]} {self.interval}"

    @property
    def measures_said(self) -> str:
        """What of the cube it keeps, for people.

        Examples
        --------
        >>> Advice("c", "1h", (), ("delay:AVG", "delay:PERCENTILES:0.5"), 1, 1.0, 1, 0.5, ()).measures_said
        'delay:AVG, delay:p50 (any percentile)'
        """
        return ", ".join(map(_said, self.measures))

    @property
    def build_said(self) -> str:
        """How long it would take to build, for people.

        Examples
        --------
        >>> [Advice("c", "1h", (), (), 1, seconds, 1, 0.5, ()).build_said for seconds in (0.0, 4.26, 75.0)]
        ['under 0.1 s', 'about 4.3 s', 'about 1 min 15 s']
        """
        return f"about {took(self.build_seconds)}" if self.build_seconds >= _SHORT else f"under {_SHORT} s"

    def __str__(self) -> str:
        by = f" by {', '.join(self.dimensions)}" if self.dimensions else ""
        return (
            f"cube {self.cube}: {self.measures_said}{by} every {self.interval}: {counted(self.rows, 'cell')}, "
            f"built in {self.build_said}, saves {self.rows_saved:,} rows read "
            f"({self.share_saved:.0%})"
        )


def _said(measure: str) -> str:
    # Its name has one percentile; sketches that keep one keep them all.
    name, _, percentile = measure.partition(f":{Calculation.PERCENTILES.value}:")
    if not percentile:
        return measure
    return f"{name}:p{(Decimal(percentile) * 100).normalize():f} (any percentile)"
