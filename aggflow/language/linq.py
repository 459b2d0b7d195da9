"""LINQ: the text form of queries (``linq.lark`` is its grammar)."""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal

from aggflow.errors import ParseError, did_you_mean
from aggflow.language.aggregator import AGGREGATORS, percent_of
from aggflow.language.kind import Columns
from aggflow.language.linq_text import aggregate_text, condition_terms, output_text, to_linq
from aggflow.language.predicate import Operand, Path, Predicate, all_of
from aggflow.language.query import (
    BUCKET,
    Aggregate,
    Named,
    Query,
)
from aggflow.language.reader import Reader
from aggflow.language.row_names import RowNames
from aggflow.language.syntax import WrongHereError, placed
from aggflow.language.term import (
    Applied,
    Group,
    Item,
    Name,
    Pipeline,
    Select,
    Term,
    Where,
    Width,
    Written,
)
from aggflow.language.term_builder import read
from aggflow.quote import quoted
from aggflow.timeline import Interval

_UNITS = {"": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BY_NAME = "keys are named, not counted: group by carrier; for one group, leave by out"
_COUNTED = "count() counts rows, count(name) those that have a value there"
_OF_COLUMN = "name a column, as in max(dep_delay)"
_AFTER_GROUP = "after the group there are its keys, the start of the bucket (eventdate) and aggregates"


def parse_linq(text: str, *, columns: Columns | None = None, tables: Collection[str] = ()) -> Query:
    """The tree of a LINQ query.

    Parameters
    ----------
    text
        Such as ``from flights where origin = "LGA" group every 1h by carrier select avg(delay)``.
    columns
        The columns of the table and their Ibis types, as ``dict(table.schema().items())``; without
        them names and types are not checked.
    tables
        The tables there are; without any, the name is not checked.

    Returns
    -------
    Query
        The tree; ``to_linq`` of it is the canonical text.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> query = parse_linq('from demo.ecommerce.data where client = "self" group every 30m by client')
    >>> print(to_linq(query))
    from demo.ecommerce.data where eq(client, "self") group every 1800000 by client
    >>> query.period_ms, query.aggregates[0].function, query.outputs[0].name
    (1800000, 'count', 'count')
    >>> parse_linq("from t group by a select sum(b) limit 5")
    Traceback (most recent call last):
    aggflow.errors.ParseError: limit is not accepted, at line 1, column 33
        from t group by a select sum(b) limit 5
                                        ^
    hint: all groups are kept; cut the answer, or ask by an endpoint, which has a limit
    """
    with placed(text):
        pipeline: Pipeline = read(text, "query", "the query")
        table = ".".join(pipeline.table.parts)
        if tables and table not in tables:
            raise WrongHereError(
                f"there is no table {quoted(table)}", pipeline.table.at, did_you_mean(table, tables)
            )
        return _Builder(table, columns, len(text.rstrip())).query(pipeline)


def parse_condition(text: str, *, columns: Columns | None = None) -> Predicate:
    """The predicate of a LINQ condition, as it stands after ``where``; a comma is and.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> parse_condition('eq(client, "self")')
    Compare(op='==', left=Path(parts=('client',)), right=Literal(value='self', kind='text'))
    """
    with placed(text):
        reader = RowNames(columns).reader
        return all_of(map(reader.condition, read(text, "condition", "the condition")))


def parse_operand(text: str, *, columns: Columns | None = None) -> Operand:
    """The operand of a LINQ expression: a column, a literal, or what is computed of them.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> print(parse_operand("distance / 2"))
    (@.distance / 2)
    """
    with placed(text):
        return RowNames(columns).reader.operand(read(text, "operand", "the expression"))


class _Builder:
    """Builds a query, clause by clause."""

    def __init__(self, table: str, columns: Columns | None, end: int) -> None:
        self._table = table
        self._rows = RowNames(columns)
        self._end = end
        self._wheres: list[Predicate] = []
        self._group: Group | None = None
        self._keys: dict[str, Operand] = {}
        self._aggregates: dict[str, Aggregate] = {}
        self._outputs: dict[str, Operand] = {}
        self._final = Reader(self._final_name, lambda _: None, self._aggregate)

    def query(self, pipeline: Pipeline) -> Query:
        for clause in pipeline.clauses:
            self._clause(clause)
        if self._group is None:
            raise WrongHereError(
                "the query is not grouped", self._end, "end it with a group, as in group every 1h by name"
            )
        if not self._outputs:
            self._outputs["count"] = self._add(Aggregate("count()", "count"))
            self._must_be_new("count", self._group.at)
        period, client = self._periods(self._group)
        return Query(
            table=self._table,
            wheres=tuple(self._wheres),
            selects=_named(self._rows.selects.items()),
            period_ms=period,
            keys=_named(self._keys.items()),
            client_ms=client,
            aggregates=tuple(self._aggregates.values()),
            outputs=_named(self._outputs.items()),
        )

    def _clause(self, clause: Where | Select | Group) -> None:
        match clause:
            case Where() if self._group is None:
                for term in clause.terms:
                    condition = self._rows.where(self._rows.reader.condition(term))
                    self._wheres += condition_terms(condition)
            case Where():
                raise WrongHereError(
                    "a where after the group is not accepted",
                    clause.at,
                    "rows are chosen before they are grouped",
                )
            case Group() if self._group is None:
                self._group = clause
                self._periods(clause)
                for term in clause.keys:
                    self._key(term)
            case Group():
                raise WrongHereError(
                    "a second group is not accepted", clause.at, "one group makes an aggregation"
                )
            case Select():
                for item in clause.items:
                    self._row_item(item) if self._group is None else self._output(item)

    def _row_item(self, item: Item) -> None:
        if item.term is None:
            return
        name = item.name
        if name is None:
            # Unnamed, a column keeps its name, and an expression has its text for one.
            operand = self._rows.reader.operand(item.term)
            if isinstance(operand, Path):
                return
            name = to_linq(operand)
        self._rows.select(name, item.term, item.at)

    def _key(self, term: Term) -> None:
        operand = self._rows.reader.subject(term, _BY_NAME)
        if self._rows.reader.kind(operand) == "nested":
            raise WrongHereError("one cannot group by what has fields or elements", term.at)
        name = ".".join(operand.parts) if isinstance(operand, Path) else to_linq(operand)
        if name == BUCKET:
            raise WrongHereError("one cannot group by eventdate", term.at, "group every makes its buckets")
        if name in self._keys:
            raise WrongHereError(f"the key {quoted(name)} is used more than once", term.at)
        self._keys[name] = operand

    def _output(self, item: Item) -> None:
        if item.term is None:
            return
        operand = self._final.operand(item.term)
        if item.name is None and isinstance(item.term, Name):
            return  # a key, the bucket or an output under its own name: answered as it is
        name = item.name or self._text(operand)
        if name in self._outputs or name in self._keys or name == BUCKET:
            raise WrongHereError(
                f"the name {quoted(name)} is used more than once", item.at, "give it another by as"
            )
        self._outputs[name] = operand

    def _text(self, operand: Operand) -> str:
        draft = Query(
            self._table, keys=_named(self._keys.items()), aggregates=tuple(self._aggregates.values())
        )
        text = output_text(operand, draft)
        return "count" if text == "count()" else text

    def _must_be_new(self, name: str, at: int) -> None:
        if name in self._keys:
            raise WrongHereError(
                f"the count would be called {quoted(name)} as a key is", at, "name it: select count() as rows"
            )

    def _final_name(self, term: Name) -> Operand:
        path, name = Path(term.parts), str(term)
        if path in self._keys.values() or name in self._keys:
            return Path((name,))
        if name in self._outputs:
            return self._outputs[name]
        if name == BUCKET and self._group is not None and self._periods(self._group)[0] is not None:
            return Path((BUCKET,))
        known = [*self._keys, *self._outputs]
        near = did_you_mean(name, known) if known else ""
        raise WrongHereError(
            f"{quoted(name)} is not there after the group", term.at, near if "mean" in near else _AFTER_GROUP
        )

    def _aggregate(self, term: Applied) -> Operand:
        name, arguments = term.function, term.arguments
        percent = percent_of(name)
        function = "percentile" if percent else name
        row = AGGREGATORS[function]
        wanted = 2 if name == "percentile" else 1
        if len(arguments) != wanted and not (row.takes == "nothing" and not arguments):
            said = "no or 1 argument" if row.takes == "nothing" else f"{wanted} argument{'s' * (wanted > 1)}"
            raise WrongHereError(f"{name}() takes {said}, not {len(arguments)}", term.at)
        fraction = Decimal("0.5") if name == "median" else Decimal(percent) / 100 if percent else None
        if name == "percentile":
            fraction = _fraction(arguments[1])
        argument = self._argument(row.takes, arguments[0]) if arguments else None
        text = aggregate_text(function, argument, fraction)
        if text in self._keys:
            raise WrongHereError(f"the name {quoted(text)} is used more than once", term.at)
        return self._add(Aggregate(text, function, argument, fraction))

    def _argument(self, takes: str, term: Term) -> Operand:
        if takes == "number":
            return self._rows.reader.number(term)
        return self._rows.reader.subject(term, _COUNTED if takes == "nothing" else _OF_COLUMN)

    def _add(self, aggregate: Aggregate) -> Path:
        self._aggregates[aggregate.name] = aggregate
        return Path((aggregate.name,))

    def _periods(self, group: Group) -> tuple[int | None, int | None]:
        server, client = _milliseconds(group.server), _milliseconds(group.client)
        if client is None or group.client is None:
            return server, None
        if server is None:
            raise WrongHereError(
                "a client's period needs one of the server",
                group.client.at,
                "write group every 1m by … every 1h",
            )
        if client % server:
            raise WrongHereError(
                "a client's period is a multiple of the server's",
                group.client.at,
                f"the server's is {server} ms",
            )
        return server, client


def _named(items: Iterable[tuple[str, Operand]]) -> tuple[Named, ...]:
    return tuple(Named(name, operand) for name, operand in items)


def _milliseconds(width: Width | None) -> int | None:
    """The milliseconds of a period, None for none."""
    if width is None or width.text in ("-", "0"):
        return None
    digits = width.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = width.text[len(digits) :]
    if unit not in _UNITS:
        raise WrongHereError(
            f"the period has no unit {quoted(unit)}",
            width.at + len(digits),
            "s seconds, m minutes, h hours, d days; milliseconds have none",
        )
    milliseconds = int(digits) * _UNITS[unit] if len(digits) < 19 else 10**30
    try:
        Interval.of(milliseconds)
    except ParseError as error:
        message = error.message.replace("an interval", "a period").replace("interval", "period")
        raise WrongHereError(message, width.at, error.hint) from None
    return milliseconds


def _fraction(term: Term) -> Decimal:
    if isinstance(term, Written) and term.literal.kind == "number":
        number = Decimal(term.literal.number)
        if 0 <= number < 1:
            return number.normalize()
        if 1 < number <= 100:
            return (number / 100).normalize()
        if number == 1:
            raise WrongHereError("1 may be one percent or all", term.at, "write 0.01 or 100")
    raise WrongHereError("a percentile is a number written out", term.at, "0.95 and 95 are the same")
