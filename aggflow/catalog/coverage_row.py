"""A coverage row: a live segment, or the part of one that is still live."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.timeline.instant import Micros
from aggflow.timeline.window import Window


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A live segment, or the part of one that is still live.

    Attributes
    ----------
    id
        Never used twice; a row that is cut goes, its parts are new rows.
    window
        The live part: what the file holds outside of it is superseded.
    file
        Its name in the store; None where the window is built, and empty.
    rows, bytes, checksum
        Of the whole file.
    built_us, build_id
        When, and in which build, it was made.
    """

    id: int
    rollup_id: str
    version: int
    window: Window
    file: str | None
    rows: int
    bytes: int
    checksum: str
    built_us: Micros
    build_id: str | None
