"""Coverage: the list of live segments of a rollup; what it does not name is not built."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.catalog.coverage_row import CoverageRow
from aggflow.timeline.window import WindowSet


@dataclass(frozen=True, slots=True)
class Coverage:
    """The live segments of a rollup at one moment.

    Attributes
    ----------
    generation
        Of the rollup, at that moment.
    rows
        Sorted by version and window; windows of one version never overlap.
    """

    generation: int
    rows: tuple[CoverageRow, ...]

    def of(self, version: int) -> tuple[CoverageRow, ...]:
        """The rows of one version, by window."""
        return tuple(row for row in self.rows if row.version == version)

    def windows(self, version: int) -> WindowSet:
        """What is built of one version."""
        return WindowSet(row.window for row in self.of(version))
