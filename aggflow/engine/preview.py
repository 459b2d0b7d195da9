"""A preview: what an endpoint answers of the newest events that are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aggflow.engine.answer import Answer
from aggflow.measures.vocabulary import GroupingValue
from aggflow.timeline import Micros


@dataclass(frozen=True)
class Preview:
    """An endpoint's answer, and how to ask for it.

    Attributes
    ----------
    end_us
        The end of the question.
    grouping_filters
        The values of its Query Time groupings, by grouping.
    answer
        What it answers.
    fingerprint
        Another one where the answer is another one.
    """

    end_us: Micros
    grouping_filters: Mapping[str, tuple[GroupingValue, ...]]
    answer: Answer
    fingerprint: str
