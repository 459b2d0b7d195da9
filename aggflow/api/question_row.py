"""A question row: what answering one shape of questions took, for the status page."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.engine.slow_question import SlowQuestion
from aggflow.figure import ago, counted, took
from aggflow.timeline import Micros


@dataclass(frozen=True)
class QuestionRow:
    """What answering one shape of questions took.

    Attributes
    ----------
    text, asked, took, read, when
        The shape, how often it was asked, how long an answer took, what was read for it, when it was last asked.
    share
        How long it took beside the slowest, 0 to 100.
    """

    text: str
    asked: str
    took: str
    read: str
    when: str
    share: int

    @classmethod
    def of(cls, question: SlowQuestion, slowest: float, now_us: Micros) -> QuestionRow:
        """The row of a question; ``slowest`` is how long the slowest took."""
        read = counted(question.cells, "cell")
        if question.rows:
            read += f", {counted(question.rows, 'source row')}"
        return cls(
            text=question.text,
            asked=f"{question.asked:,} x",
            took=took(question.milliseconds / 1000),
            read=read,
            when=ago(question.last_us, now_us),
            share=max(1, round(100 * question.milliseconds / slowest)) if slowest else 1,
        )
