"""A cube question: names of a cube's dimensions and measures, made into what is asked of rollups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

from aggflow.engine.inquiry import Inquiry
from aggflow.engine.question import Asked, Order, Question
from aggflow.engine.shape import QuestionError
from aggflow.errors import AggflowError, ParseError, Problem, SpecError, did_you_mean
from aggflow.language import Arithmetic, Named, Path, all_of, read_predicate, write_predicate
from aggflow.measures.registry import state_key
from aggflow.measures.vocabulary import GroupingValue
from aggflow.quote import quoted
from aggflow.spec.calculation import Calculation
from aggflow.spec.cube import Cube
from aggflow.spec.cube_level import CubeLevel, find_level, with_those_above
from aggflow.spec.cube_rollup import kept_for
from aggflow.spec.endpoint import Sort
from aggflow.spec.field import Field
from aggflow.spec.measure_reference import MeasureReference, text_of
from aggflow.spec.rollup import Rollup, sorted_kept
from aggflow.spec.source import Source
from aggflow.timeline import Interval, Window

FieldNames: TypeAlias = "Sequence[str | Field] | Mapping[str, str]"
FilterValues: TypeAlias = "Mapping[str, GroupingValue | Sequence[GroupingValue]]"
SortTerm: TypeAlias = "str | tuple[str, str] | Sort"
# Numerator and denominator; a measure that is no ratio has no denominator.
_Measured: TypeAlias = tuple[MeasureReference, MeasureReference | None]
_CENTURY = Interval.of("36525d")
T = TypeVar("T")


@dataclass(frozen=True)
class CubeQuestion:
    """What is asked of a cube, by name.

    Attributes
    ----------
    fields
        Measures: ``delay:AVG``, ``delay:PERCENTILES:0.95``, a ratio, an aggregation with one
        calculation, :class:`aggflow.Field`; or by the name that the answer uses.  None for all that
        need nothing said.
    dimensions
        Dimensions and levels to group by; a level of time makes a series.
    filters
        By dimension or level, the value or values to keep.
    where
        A predicate on columns of the source.
    sort
        Names of fields and dimensions, ``dt``; ``(name, "desc")``.
    limit
        How many rows at most.
    """

    fields: FieldNames | None = None
    dimensions: Sequence[str] = ()
    filters: FilterValues = field(default_factory=dict[str, GroupingValue])
    where: str = ""
    sort: Sequence[SortTerm] = ()
    limit: int | None = None

    def inquiry(
        self,
        cube: Cube,
        source: Source,
        window: Window,
        *,
        live: bool = True,
    ) -> Inquiry:
        """What is asked of the rollups of a source.

        Parameters
        ----------
        cube, source
            The cube, and its source.
        window
            Of which events.
        live
            Whether what no state covers may be read from the source.

        Raises
        ------
        QuestionError
            Every name that means nothing, or not one thing.
        """
        problems: list[Problem] = []
        measured = dict(self._measured(cube, problems))
        levels = self._levels(cube, problems)
        widths = [level.level.width for level in levels if level.is_time]
        groupings = {level.name: level.level.column for level in levels if not level.is_time}
        series = _finest(widths, cube, problems)
        filters = dict(self._filters(cube, problems))
        known = [*groupings, *measured, *(["dt"] if widths else [])]
        problems += _taken(measured, [*groupings, "dt"])
        order = tuple(self._order(cube, known, problems))
        where = self._where(cube, problems)
        if self.limit is not None and not (isinstance(self.limit, int) and self.limit >= 1):  # pyright: ignore[reportUnnecessaryIsInstance] - people type it
            problems.append(
                Problem(
                    "limit", f"at least one row is answered, not {quoted(self.limit)}", "it is a whole number"
                )
            )
        if problems:
            raise QuestionError(f"the question to cube {cube.name!r}", problems)
        parts = {one: None for pair in measured.values() for one in pair if one is not None}
        kept = {one: kept_for(cube, MeasureReference(one.aggregation, one.calculation), ()) for one in parts}
        rollup = Rollup(
            source=cube.source,
            where=where,
            interval=str(series or _CENTURY),
            time_zone=cube.time_zone,
            groupings=tuple(dict.fromkeys([*groupings.values(), *filters])),
            kept=sorted_kept(kept.values()),
        )
        asked = {
            one: Asked(f"measure {i}", state_key(kept[one], rollup), one.calculation, one.percentile, window)
            for i, one in enumerate(parts)
        }
        question = Question(
            fields=tuple(asked.values()),
            groupings=groupings,
            filters=filters,
            series=series,
            zone=cube.zone,
            order=order,
            limit=self.limit,
            live=live,
            outputs=tuple(Named(name, _operand(pair, asked)) for name, pair in measured.items()),
        )
        return Inquiry(f"cube {cube.name}", source, rollup, question)

    def _measured(self, cube: Cube, problems: list[Problem]) -> Iterator[tuple[str, _Measured]]:
        """What is divided by what, by the name that the answer uses."""
        named = _named(cube, self.fields)
        if not named:
            problems.append(Problem("fields", "at least one measure is needed"))
        for name, times in Counter(name for name, _ in named).items():
            if times > 1:
                problems.append(
                    Problem("fields", f"{quoted(name)} stands here {times} times; names are unique")
                )
        for i, (name, text) in enumerate(named):
            found = _told(f"fields[{i}]", lambda text=text: cube.measured(text), problems)
            if found is not None:
                yield name, found

    def _levels(self, cube: Cube, problems: list[Problem]) -> tuple[CubeLevel, ...]:
        """The levels that are grouped by, each once, coarser ones of its dimension before it."""
        levels = cube.levels
        found: dict[str, CubeLevel] = {}
        for i, name in enumerate(self.dimensions):
            level = _told(f"dimensions[{i}]", lambda name=name: find_level(name, levels), problems)
            if level is not None:
                found |= {one.qualified: one for one in with_those_above(level, levels)}
        return tuple(found.values())

    def _filters(
        self, cube: Cube, problems: list[Problem]
    ) -> Iterator[tuple[str, tuple[GroupingValue, ...]]]:
        """By path, the values to keep."""
        seen: set[str] = set()
        for name, given in self.filters.items():
            path = f"filters.{name}"
            level = _told(path, lambda name=name: find_level(name, cube.levels), problems)
            if level is None:
                continue
            if level.is_time:
                problems.append(Problem(path, f"{quoted(name)} is of time", "start and end say which"))
                continue
            one = given is None or isinstance(given, str) or not isinstance(given, Iterable)
            values = (given,) if one else tuple(cast("Iterable[GroupingValue]", given))
            if not values:
                problems.append(Problem(path, "at least one value is needed"))
            if level.level.column in seen:
                problems.append(Problem(path, f"{level.level.column} is filtered twice"))
            seen.add(level.level.column)
            yield level.level.column, cast("tuple[GroupingValue, ...]", values)

    def _order(self, cube: Cube, known: Sequence[str], problems: list[Problem]) -> Iterator[Order]:
        for i, term in enumerate(self.sort):
            sort = _told(f"sort[{i}]", lambda term=term: _sort(term), problems)
            if sort is None:
                continue
            name = sort.by if sort.by in known else _name_of(sort.by, cube)
            if name not in known:
                hint = did_you_mean(sort.by, known)
                problems.append(Problem(f"sort[{i}]", f"{quoted(sort.by)} is not answered", hint))
            yield Order(name, sort.direction == "desc")

    def _where(self, cube: Cube, problems: list[Problem]) -> str:
        if not self.where:
            return cube.where
        own = _told("where", lambda: read_predicate(self.where), problems)
        if own is None or not cube.where:
            return "" if own is None else write_predicate(own)
        return write_predicate(all_of((read_predicate(cube.where), own)))


def _named(cube: Cube, fields: FieldNames | None) -> list[tuple[str, str]]:
    """The name that the answer uses, and the text of the measure."""
    if fields is None:
        calculations = [
            MeasureReference(aggregation, calculation).text
            for aggregation in cube.aggregations
            for calculation in aggregation.calculations
            if calculation is not Calculation.PERCENTILES
        ]
        return [(text, text) for text in [*calculations, *cube.ratios]]
    if isinstance(fields, Mapping):
        return [(name, text.strip()) for name, text in fields.items()]
    return [
        (one.name, text_of(one)) if isinstance(one, Field) else (one.strip(), one.strip()) for one in fields
    ]


def _operand(measured: _Measured, asked: Mapping[MeasureReference, Asked]) -> Path | Arithmetic:
    """A measure, computed of finished values."""
    above, below = measured
    numerator = Path((asked[above].name,))
    return numerator if below is None else Arithmetic("/", numerator, Path((asked[below].name,)))


def _finest(widths: Sequence[Interval], cube: Cube, problems: list[Problem]) -> Interval | None:
    """The width of a series' buckets: of several levels of time the finest, which divides the others."""
    if not widths:
        return None
    finest = min(widths, key=lambda width: width.seconds_at_most)
    problems += [
        Problem("dimensions", f"{finest} does not divide {width}", "ask for one of them")
        for width in widths
        if not finest.divides(width, cube.zone, cube.zone)
    ]
    return finest


def _taken(measured: Iterable[str], taken: Sequence[str]) -> Iterator[Problem]:
    for name in measured:
        if name in taken:
            yield Problem("fields", f"the answer has a column {quoted(name)} already", "choose another name")


def _sort(term: Any) -> Sort:
    if isinstance(term, Sort):
        return term
    return Sort(term) if isinstance(term, str) else Sort(*term)


def _name_of(name: str, cube: Cube) -> str:
    """What answers call a dimension or level; of time, ``dt``."""
    try:
        level = find_level(name, cube.levels)
    except AggflowError:
        return name
    return "dt" if level.is_time else level.name


def _told(path: str, look: Callable[[], T], problems: list[Problem]) -> T | None:
    """What a look-up finds; what keeps it from finding anything is a problem."""
    try:
        return look()
    except SpecError as error:
        problems += [Problem(path, problem.message, problem.hint) for problem in error.problems]
    except ParseError as error:
        problems.append(Problem(path, str(error)))
    except AggflowError as error:
        problems.append(Problem(path, error.message, error.hint))
    return None
