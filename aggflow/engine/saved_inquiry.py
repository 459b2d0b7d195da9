"""A saved inquiry: an endpoint of a task or a cube, resolved once; a request only binds times and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from aggflow.engine.declarations import Declarations
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.plain_paths import PlainPaths
from aggflow.engine.plan import Need
from aggflow.engine.question import Asked, Question
from aggflow.engine.shape import Bound, QuestionError, Shape
from aggflow.engine.stored import Stored
from aggflow.language import Named, Operand, Path
from aggflow.language.query import substituted
from aggflow.measures.registry import state_key
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.askable import Askable, Value
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.fit import grouping_problems, is_kept, problems_with, value_problems
from aggflow.spec.reading import Measured
from aggflow.spec.rollup import Rollup, sorted_kept
from aggflow.spec.source import Source
from aggflow.spec.timing import Lookback
from aggflow.timeline import Duration, Interval, Micros, Window

_CENTURY: Final = Interval.of("36525d")
_SECOND: Final = Interval.of("1s")
_NO_DELAY: Final = Duration.of("0s")
_ANY: Final = Lookback("10000y")
# A value of finished states, of one field's window.
_Part = tuple[Measured, Window]


@dataclass(frozen=True)
class SavedInquiry:
    """An endpoint of a task or a cube, with all that it refers to, as of a generation of the definitions.

    Attributes
    ----------
    generation
        Of the workspace's definitions.
    id
        Of the endpoint.
    of, source
        What is asked, and whose events it is of.
    made_of
        Names these definitions, with their generations; None where the endpoint is not declared.
    shape
        What the endpoint asks but for what its fields are made of.
    plain_paths
        Finds the paths of its events' conditions that can be tested on values of groupings; None for none.
    """

    generation: int
    id: str
    of: Askable
    source: Source
    made_of: tuple[object, ...] | None
    shape: Shape
    plain_paths: PlainPaths | None = None

    @classmethod
    def of_draft(cls, endpoint: Endpoint, of: Askable, source: Source) -> SavedInquiry:
        """That of an endpoint that is not declared."""
        return cls(0, "", of, source, None, _shape(endpoint, of))

    @classmethod
    def of_values(cls, endpoint: Endpoint, of: Askable, source: Source, grouping: str) -> SavedInquiry:
        """That of the values of a grouping, as far as there is a value of a field of an endpoint."""
        first = next(field for field in endpoint.fields if is_kept(field, of))
        draft = replace(
            endpoint,
            timing=_ANY,
            fields=(replace(first, duration=None, offset=None, include_incomplete=None),),
            groupings={grouping: All()},
            sort=(),
            limit=None,
            grouping_limits=(),
        )
        return cls.of_draft(draft, of, source)

    @property
    def need(self) -> Need:
        """What a rollup must have to answer it, whenever it is about."""
        filters = dict.fromkeys(self.shape.query_time.values(), ())
        windows = (Window(0, 1),) * len(self.shape.fields)
        return self._inquiry(
            Bound(self.shape, windows, {**self.shape.question.filters, **filters}, True)
        ).need

    @property
    def name(self) -> str:
        """The name of the endpoint."""
        return self.shape.endpoint.name

    @cached_property
    def values(self) -> tuple[Value | None, ...]:
        """What each field is made of; None where that is not there any more."""
        fields = self.shape.endpoint.fields
        return tuple(self.of.value(field) if is_kept(field, self.of) else None for field in fields)

    def inquiry(
        self,
        end_us: Micros,
        now_us: Micros,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        *,
        live: bool = True,
    ) -> Inquiry:
        """The question of one request.

        Parameters
        ----------
        end_us, now_us
            Its end, and now, of which whole seconds count; what a task's delay hides is after both.
        grouping_filters
            By name or path, the values of every Query Time grouping.
        live
            Whether what no state covers may be read from the source.

        Raises
        ------
        QueryError
            A Query Time grouping has no values, or another grouping has some.
        """
        # Questions of one second are about the same time, and share what they read from the source.
        second = _SECOND.floor(now_us, self.of.zone)
        until_us = None if self.of.delay == _NO_DELAY else self.of.delay.before(second, self.of.zone)
        bound = self.shape.bound(
            end_us if until_us is None else min(end_us, until_us), grouping_filters, live=live
        )
        if until_us is not None:
            windows = (Window(window.start, min(window.end, until_us)) for window in bound.windows)
            bound = replace(bound, windows=tuple(windows))
        return self._inquiry(bound)

    def within(self, window: Window, *, live: bool = True) -> Inquiry:
        """The question about a window that is not the endpoint's own, one for all fields."""
        shape = self.shape
        return self._inquiry(Bound(shape, (window,) * len(shape.fields), shape.question.filters, live))

    def _inquiry(self, bound: Bound) -> Inquiry:
        shape, of = self.shape.question, self.of
        parts: dict[_Part, str] = {}
        outputs: list[Named] = []
        lost: dict[str, Asked] = {}
        for field, value, window in zip(self.shape.endpoint.fields, self.values, bound.windows, strict=True):
            if value is None:
                # No grouping or part is called so.
                name = f"lost {len(lost)}"
                lost[name] = Asked(name, None, Calculation.COUNT, None, window)
                outputs.append(Named(field.name, Path((name,))))
                continue
            for one in value.parts:
                parts.setdefault((one, window), f"measure {len(parts)}")
            outputs.append(Named(field.name, _renamed(value, window, parts)))
        rollup = Rollup(
            source=of.source,
            where=of.where,
            interval=str(shape.series or _CENTURY),
            time_zone=of.time_zone,
            groupings=tuple(dict.fromkeys([*shape.groupings.values(), *bound.filters])),
            kept=sorted_kept(one.kept for one, _ in parts),
        )
        asked = (
            Asked(name, state_key(one.kept, rollup), one.kept.calculation, one.percentile, window)
            for (one, window), name in parts.items()
        )
        question: Question = replace(
            shape,
            fields=(*asked, *lost.values()),
            filters=bound.filters,
            live=bound.live,
            outputs=tuple(outputs),
        )
        plain = frozenset[str]() if self.plain_paths is None else self.plain_paths.get()
        return Inquiry(self.name, self.source, rollup, question, plain)


def saved_inquiry(endpoint: Stored[Any], declared: Declarations, generation: int) -> SavedInquiry:
    """That of an endpoint which is declared, of a task or a cube.

    Raises
    ------
    NotFoundError
        What it asks is not there.
    QuestionError
        What it asks was changed, and has none of its fields any more, not a grouping that it needs, or
        nothing that ranks its groups.
    """
    spec: Endpoint = endpoint.spec
    asked, of = declared.asked(spec)
    assert isinstance(of, Askable)  # noqa: S101 - it asks no filter
    source = declared.get("source", of.source)
    made_of = tuple((one.id, one.generation) for one in (endpoint, asked, source))
    plain = PlainPaths(of.where, lambda: declared.open(source.spec))
    return SavedInquiry(generation, endpoint.id, of, source.spec, made_of, _shape(spec, of), plain)


def _shape(endpoint: Endpoint, of: Askable) -> Shape:
    completed = of.completed(endpoint)
    # What has changed since the endpoint was saved may rank no groups any more: better no answer than others.
    problems = [*grouping_problems(endpoint.groupings, of), *value_problems(completed, of)]
    if not any(is_kept(field, of) for field in endpoint.fields):
        problems = problems_with(endpoint, of)
    if problems:
        raise QuestionError(f"endpoint {endpoint.name!r}", problems)
    return Shape.of(completed, of)


def _renamed(value: Value, window: Window, parts: Mapping[_Part, str]) -> Operand:
    """How a value is computed, its parts called as the question calls them."""
    names: dict[Path, Operand] = {Path((one.name,)): Path((parts[one, window],)) for one in value.parts}
    return substituted(value.operand, names)
