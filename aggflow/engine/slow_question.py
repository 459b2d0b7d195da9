"""A slow question: a shape of questions that was asked lately, with what answering it took."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.catalog import LoggedQuestion
from aggflow.engine.asked_shape import AskedShape
from aggflow.timeline import Micros


@dataclass(frozen=True)
class SlowQuestion:
    """What answers to questions of one shape took.

    Attributes
    ----------
    text
        The shape, for people: ``worst by carrier, dest``.
    source
        Name of the source that it is about.
    asked
        How often it was asked.
    milliseconds
        How long one answer took, on average.
    cells, rows
        How many stored cells, and rows of the source, were read for one answer, on average.
    last_us
        When it was asked for the last time.
    """

    text: str
    source: str
    asked: int
    milliseconds: float
    cells: int
    rows: int
    last_us: Micros

    @classmethod
    def of(cls, logged: LoggedQuestion) -> SlowQuestion:
        """What the log remembers of a shape."""
        asked = max(1, logged.asked)
        return cls(
            text=str(AskedShape.from_plain(logged.shape)),
            source=logged.source,
            asked=logged.asked,
            milliseconds=logged.microseconds / asked / 1000,
            cells=round(logged.rows_read / asked),
            rows=round(logged.source_rows / asked),
            last_us=logged.last_us,
        )
