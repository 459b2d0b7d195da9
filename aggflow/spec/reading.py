"""A reading: what a LINQ query needs to be kept, and how its outputs are made of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aggflow.errors import Problem, SpecError
from aggflow.language import (
    Aggregate,
    Call,
    Choose,
    Compare,
    Exists,
    Literal,
    Named,
    Operand,
    Path,
    Query,
    operand_paths,
    write_predicate,
    write_subject,
)
from aggflow.language.query import substituted
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept, Rollup, sorted_kept
from aggflow.timeline import Interval, Zone

_CALCULATIONS: dict[str, Calculation] = {
    "count": Calculation.COUNT,
    "sum": Calculation.SUM,
    "avg": Calculation.AVG,
    "min": Calculation.MIN,
    "max": Calculation.MAX,
    "first": Calculation.FIRST,
    "nnfirst": Calculation.FIRST,
    "last": Calculation.LAST,
    "nnlast": Calculation.LAST,
    "stddev": Calculation.STDDEV,
    "var": Calculation.VAR,
    "median": Calculation.PERCENTILES,
    "percentile": Calculation.PERCENTILES,
    "hllpp": Calculation.APPROX_COUNT_DISTINCT,
    "hllppcount": Calculation.APPROX_COUNT_DISTINCT,
}
# What marks events that have a value: among those of one instant FIRST takes the least, LAST the greatest.
_MARKS = {"first": (0, 1), "last": (1, 0)}


@dataclass(frozen=True)
class Measured:
    """A value of finished states that outputs are made of.

    Attributes
    ----------
    name
        What outputs call it.
    kept
        What it is made of.
    percentile
        Of PERCENTILES, as decimal text.
    """

    name: str
    kept: Kept
    percentile: str | None = None


@dataclass(frozen=True)
class Reading:
    """What a query needs.

    Attributes
    ----------
    query
        The query.
    groupings
        By the key's name, the canonical text of what it is.
    measured
        The values that outputs are made of.
    outputs
        What is answered; a path of one part is the name of a value, of a key, or ``eventdate``.
    """

    query: Query
    groupings: Mapping[str, str]
    measured: tuple[Measured, ...]
    outputs: tuple[Named, ...]

    @property
    def period(self) -> Interval | None:
        """The width of the buckets that are answered: the client's, where it has one."""
        milliseconds = self.query.client_ms or self.query.period_ms
        return None if milliseconds is None else Interval.of(milliseconds)

    def rollup(self, width: Interval, zone: Zone) -> Rollup:
        """What keeps all of it in buckets of a width, in the calendar of a zone."""
        return Rollup(
            source=self.query.table,
            where=write_predicate(self.query.predicate),
            interval=str(width),
            time_zone=zone.name,
            groupings=tuple(dict.fromkeys(self.groupings.values())),
            kept=sorted_kept(measured.kept for measured in self.measured),
        )


def reading_of(query: Query) -> Reading:
    """What a query needs.

    Raises
    ------
    SpecError
        It aggregates what is the same for every row.

    Examples
    --------
    >>> from aggflow.language import parse_linq
    >>> reading = reading_of(parse_linq("from t group every 1h by lower(a) select sum(b) / count() as mean"))
    >>> reading.groupings, [measured.name for measured in reading.measured], str(reading.period)
    ({'lower(a)': '=lower(a)'}, ['sum(b)', 'count()'], '1h')
    """
    measured: list[Measured] = []
    values: dict[Path, Operand] = {}
    for aggregate in query.aggregates:
        needed, value = _measured(aggregate, query)
        measured += needed
        values[Path((aggregate.name,))] = value
    if not measured:
        # Outputs of keys alone: that a group has events is said by their count.
        measured.append(Measured("count()", Kept(None, "", Calculation.COUNT)))
    columns = zip(query.keys, query.columns, strict=True)
    return Reading(
        query,
        {key.name: write_subject(_subject(column, key.name)) for key, column in columns},
        tuple(dict.fromkeys(measured)),
        tuple(Named(output.name, substituted(output.operand, values)) for output in query.outputs),
    )


def _measured(aggregate: Aggregate, query: Query) -> tuple[list[Measured], Operand]:
    """What an aggregate needs, and its value made of that."""
    function, name = aggregate.function, aggregate.name
    plain = Path((name,))
    if aggregate.argument is None:
        return [Measured(name, Kept(None, "", Calculation.COUNT))], plain
    argument = _subject(query.resolved(aggregate.argument), name)
    if function == "count":
        there = write_predicate(Exists(argument))
        return [Measured(name, Kept(None, there, Calculation.COUNT))], plain
    kept = Kept(write_subject(argument), "", _CALCULATIONS[function])
    percentile = None if aggregate.fraction is None else str(aggregate.fraction)
    needed = [Measured(name, kept, percentile)]
    if function in _MARKS:
        mark = _mark(function, argument, name)
        there, _ = _MARKS[function]
        is_there = Compare("==", Path((mark.name,)), Literal(there))
        return [*needed, mark], Choose(is_there, plain, Literal(None))
    return needed, Call("float", (plain,)) if function == "hllppcount" else plain


def _mark(function: str, argument: Operand, name: str) -> Measured:
    """Whether the first (last) event has a value: those that have none are skipped by FIRST (LAST)."""
    assert not isinstance(argument, Literal)  # noqa: S101 - made by _subject
    there, missing = _MARKS[function]
    text = write_subject(Choose(Exists(argument), Literal(there), Literal(missing)))
    return Measured(f"{name} is there", Kept(text, "", _CALCULATIONS[function]))


def _subject(operand: Operand, name: str) -> Path | Choose | Call:
    if isinstance(operand, Literal) or not operand_paths(operand):
        problem = Problem(name, "this is the same for every row", "name a column in it")
        raise SpecError("the query", [problem])
    return operand  # type: ignore[return-value] - no literal is left
