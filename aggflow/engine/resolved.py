"""A resolved question: a saved question of a filter, or a filter, with all that it refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.posed import Posed, PosedToFilter, need_of
from aggflow.engine.question import Question
from aggflow.engine.served import Served
from aggflow.engine.shape import Shape
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.timeline import Window


@dataclass(frozen=True)
class Resolved:
    """What is asked, with all that it refers to, as of a generation of the workspace's definitions.

    Attributes
    ----------
    generation
        Of the definitions.
    name, id
        Of the endpoint or the filter that is asked.
    filter, rollup, source
        What answers, its states, made from where.
    data_hash
        What the newest version of the rollup has to be of.
    made_of
        Names all of these definitions, with their generations.
    shape
        What an endpoint asks; None of a filter.
    """

    generation: int
    name: str
    id: str
    filter: Filter
    rollup: StoredRollup
    source: Source
    data_hash: str
    made_of: tuple[object, ...]
    shape: Shape | None = None

    def posed(
        self,
        windows: tuple[Window, ...],
        filters: Mapping[str, tuple[GroupingValue, ...]],
        make: Callable[[], Question],
        served: Served,
    ) -> Posed:
        """A question to it."""
        # What is asked of a filter directly is not declared.
        made_of, asked = (None, None) if self.shape is None else (self.made_of, self.asked)
        return PosedToFilter(
            self.name,
            self.id,
            self.source,
            windows,
            filters,
            make,
            made_of,
            asked,
            filter=self.filter,
            served=served,
        )

    @cached_property
    def asked(self) -> AskedShape | None:
        """What all questions to an endpoint have in common."""
        return (
            None if self.shape is None else AskedShape.of(self.name, need_of(self.filter, self.shape.common))
        )
