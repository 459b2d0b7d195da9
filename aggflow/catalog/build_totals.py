"""Build totals: what all builds of a rollup did together."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.timeline.instant import Micros


@dataclass(frozen=True, slots=True)
class BuildTotals:
    """What all builds of a rollup did together.

    Attributes
    ----------
    rows_read, states_written
        Sums, also of builds that did not come to a good end.
    done_us
        When the last good one ended; None where there was none.
    """

    rows_read: int
    states_written: int
    done_us: Micros | None
