"""A build report: what a build did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aggflow.brief import brief
from aggflow.markup import facts


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes
    ----------
    windows
        How many windows were replaced; 0 where nothing was missing.
    rows_read
        Source rows that were read.
    states_written
        Cells that were written.
    seconds
        How long it took.
    null_times
        Source rows without a time, which belong to no window; counted by builds from the beginning.
    bytes_written
        Size of the segments.
    build_id
        Under which the catalog remembers it.
    states_read
        Cells of finer rollups that were read instead of source rows.
    """

    windows: int
    rows_read: int
    states_written: int
    seconds: float
    null_times: int = 0
    bytes_written: int = 0
    build_id: str = ""
    states_read: int = 0

    @property
    def told(self) -> Mapping[str, str]:
        """What it did, in words; empty texts for what it did not do."""
        return {
            "windows": f"{self.windows:,}" if self.windows else "none was missing",
            "rows read": f"{self.rows_read:,}",
            "cells read": f"{self.states_read:,}" if self.states_read else "",
            "cells written": f"{self.states_written:,}",
            "bytes written": f"{self.bytes_written:,}",
            "rows without a time": f"{self.null_times:,}" if self.null_times else "",
            "took": f"{self.seconds:.2f} s",
        }

    def __repr__(self) -> str:
        return brief("built" if self.windows else "nothing to build", self.told)

    def _repr_html_(self) -> str:
        return facts("Built" if self.windows else "Nothing to build", self.told)
