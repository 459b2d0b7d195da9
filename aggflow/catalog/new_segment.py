"""A new segment: a file of states that is to become live."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.timeline.window import Window


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment that is to become live.

    Attributes
    ----------
    window
        What it covers.
    file
        Its name in the store; None where the window holds nothing.
    rows, bytes, checksum
        Of the file; 0, 0 and empty without one.
    """

    window: Window
    file: str | None
    rows: int = 0
    bytes: int = 0
    checksum: str = ""
