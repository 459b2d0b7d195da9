"""Source rows: the events of an open source as Ibis expressions, every path and time resolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from aggflow.backends import quirks
from aggflow.backends.connect import Session
from aggflow.backends.fetch import fetch
from aggflow.backends.stream import stream
from aggflow.errors import NotFoundError, SourceMissingError, SourceTypeError, UnsupportedError, did_you_mean
from aggflow.language import (
    BUCKET,
    Call,
    OpenColumns,
    Path,
    operand_to_ibis,
    read_predicate,
    read_subject,
    to_ibis,
)
from aggflow.measures.kind import BOOLEAN, FLOAT, INTEGER, ROWS, TEXT, Kind
from aggflow.measures.registry import MEASURES, StateKey
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, UTC, Window, Zone, parse_instant, to_datetime

_NUMERIC = {"total", "extremes", "moments", "quantile"}
# What is answered of a time is a number: epoch milliseconds, whichever of its values is asked for.
_OF_TIMES = {"extremes", "first", "last"}
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
# Around a window in local time: no zone is further from UTC.
_MOST_OFFSET_US = 26 * 3600 * SECOND_US
_MICROS = "aggflow_micros"
_FIRST_YEAR = parse_instant("1880-01-01")
_LAST_YEAR = parse_instant("2100-01-01")


class SourceRows:
    """The events of a source.

    Parameters
    ----------
    session
        The open source.

    Raises
    ------
    SourceMissingError
        The time column (or another that the source names) is not there.
    SourceTypeError
        The time column holds no times.
    """

    def __init__(self, session: Session) -> None:
        self.source = session.source
        self.can = session.can
        self.con = session.con
        self._columns: Any = session.table.schema()
        for name in (self.source.time, self.source.ingestion_time, self.source.json):
            if name is not None:
                self._must_have(name)
        for name in (self.source.time, self.source.ingestion_time):
            if name is not None:
                self._must_be_time(name)
        # A column of its own, or a long expression would stand at every edge of a bucket or zone.
        time = session.table[self.source.time]
        self.table = session.table.mutate(**{_MICROS: quirks.micros(time, self.can)})

    @property
    def columns(self) -> dict[str, Any]:
        """The columns, each with its Ibis type; open, where other names lead into a JSON column."""
        columns = dict(self._columns.items())
        return columns if self.source.json is None else OpenColumns(columns)

    def value(self, text: str) -> ir.Value:
        """What a path or an expression gives.

        Raises
        ------
        NotFoundError
            No column, and no JSON column to look in.
        SpecError
            A value has a type that cannot be computed with.
        """
        subject = read_subject(text)
        if isinstance(subject, Path):
            return self.column(subject)
        self._must_know(subject)
        return operand_to_ibis(subject, self._number_or_value, **self._of_backend)

    def column(self, path: Path) -> ir.Column:
        """The value at a path: a column, a field of a struct, or text from JSON; ``eventdate`` is the time.

        Raises
        ------
        NotFoundError
            No column, and no JSON column to look in.
        """
        name, rest = path.parts[0], path.parts[1:]
        if name in self._columns:
            return self._within(self.table[name], rest, name)
        if path == Path((BUCKET,)):
            return self.table[self.source.time]
        if self.source.json is not None:
            return quirks.json_text(self.table[self.source.json], path.parts, self.can)
        raise NotFoundError("column", name, self._columns.names)

    def length(self, path: Path) -> ir.Column:
        """The length of an array (or text) at a path."""
        name, rest = path.parts[0], path.parts[1:]
        if name not in self._columns and self.source.json is not None:
            return quirks.json_length(self.table[self.source.json], path.parts, self.can)
        if rest and name in self._columns and quirks.is_json(self._columns[name]):
            return quirks.json_length(self.table[name], rest, self.can)
        value: Any = self.column(path)
        if value.type().is_array() or value.type().is_string():
            return value.length()
        raise SourceTypeError(
            f"source {self.source.name!r}: {'.'.join(path.parts)} is {value.type()}, no array"
        )

    def fetch(self, expression: ir.Table) -> pa.Table:
        """The rows that an expression on this source's backend gives."""
        return fetch(self.con, self.can, quirks.adapted(expression, self.can))

    def stream(self, expression: ir.Table) -> Iterator[pa.RecordBatch]:
        """The same rows, one record batch after the other; nothing else is asked before the last was taken."""
        return stream(self.con, self.can, quirks.adapted(expression, self.can))

    def timeless(self) -> ir.BooleanValue:
        """Where there is no time, or none that can be placed: an infinite one, a text that is no time."""
        return self.table[_MICROS].isnull()

    def time_us(self, window: Window) -> ir.Column:
        """The time of the event in microseconds since the epoch, UTC, of rows of a window."""
        return self._micros(self.source.time, window)

    def ingested_us(self) -> ir.Column | None:
        """When rows arrived, in microseconds since the epoch, if the source says so."""
        name = self.source.ingestion_time
        return None if name is None else self._micros(name, ALWAYS)

    def predicate(self, text: str) -> ir.BooleanValue:
        """Where a predicate is true."""
        tree = read_predicate(text)
        self._must_know(tree)
        return to_ibis(tree, self._number_or_value, **self._of_backend)

    def _must_know(self, tree: Any) -> None:
        """Refuse row functions that this backend does not have, instead of what it makes of them."""
        lacking = sorted(functions_in(tree) & self.can.lacks)
        if lacking:
            raise UnsupportedError(
                f"source {self.source.name!r}: {self.can.name} has no {lacking[0]}()",
                hint="compute it in the source's own SELECT",
            )

    def _number_or_value(self, path: Path) -> ir.Column:
        """The value at a path; NaN and infinities are missing, as they are to calculations and groupings."""
        value: Any = self.column(path)
        return quirks.finite(value, self.can) if value.type().is_floating() else value

    @property
    def _of_backend(self) -> dict[str, Any]:
        """How this backend computes and compares."""
        exact = self.can.compares_times and Zone.of(self.source.time_zone).is_utc
        return {
            "length": self.length,
            "number": lambda value: quirks.number_of_text(value, self.can),
            "instant": None if exact else self._instant,
            "has_nan": self.can.has_nan,
        }

    def within(self, window: Window) -> list[ir.BooleanValue]:
        """What makes rows be of a window; where possible in a form that prunes files or uses an index."""
        conditions: list[ir.BooleanValue] = []
        bounds = ((window.start, "start"), (window.end, "end"))
        for us, side in bounds:
            if not BEGINNING < us < FOREVER:
                continue
            if self._compares_exactly:
                conditions.append(self._compare(side, us))
                continue
            if self.can.compares_times:
                margin = -_MOST_OFFSET_US if side == "start" else _MOST_OFFSET_US
                conditions.append(self._compare(side, us + margin))
            time_us: Any = self.time_us(window)
            conditions.append(time_us >= us if side == "start" else time_us < us)
        return conditions

    def grouping(self, path: str) -> ir.Column:
        """The value of a grouping: a truth, a number, a time or a text, which all else is made a text of.

        A floating one that is no number is missing.

        Raises
        ------
        NotFoundError
            There is no such column.
        SourceTypeError
            It holds several values a row.
        """
        value: Any = self.value(path)
        if value.type().is_nested():
            raise SourceTypeError(
                f"source {self.source.name!r}: {path!r} is {value.type()}, no single value",
                hint="group by one of its fields, @.column.field, or by a text made of it in the source",
            )
        kind = kind_of(value)
        if kind == FLOAT:
            # Decimals that tell no scale as well, as they are to calculations.
            floating = (
                value if value.type().is_floating() else quirks.checked(value, self.can).cast("float64")
            )
            return quirks.finite(floating, self.can)
        if kind == INTEGER and self.can.arrow == "rows" and value.type().nbytes < 8:
            # Widths that are declared are not held by all of those: a year of MySQL is no int8.
            whole: Any = quirks.checked(value, self.can).cast("int64")
            return whole
        if kind == TEXT and not (value.type().is_string() or _is_time(value)):
            # Drivers hand over UUIDs, addresses and times of day each in a class of their own.
            return value.cast("string")
        return value

    def kind(self, key: StateKey) -> Kind:
        """The kind of a state's field.

        Raises
        ------
        SourceTypeError
            The measure does not take such a field.
        """
        if not key.field:
            return ROWS
        value: Any = self.value(key.field)
        numeric = key.measure in _NUMERIC
        if numeric and self._comes_from_json(key.field):
            return FLOAT
        if key.measure in _OF_TIMES and _is_time(value):
            return INTEGER
        kind = kind_of(value)
        if not MEASURES[key.measure].accepts(kind):
            wanted = ", ".join(calculation.value for calculation in MEASURES[key.measure].calculations)
            raise SourceTypeError(
                f"source {self.source.name!r}: {key.field!r} is {value.type()}; {wanted} need numbers",
                hint="choose a numeric column, or cast it in the source",
            )
        return kind

    def field(self, key: StateKey, kind: Kind) -> ir.Column:
        """A state's field, null where it is to be skipped: no number where one is needed.

        The least, the greatest, the first and the last time are taken of epoch milliseconds.
        """
        value: Any = self.value(key.field)
        if key.measure in _OF_TIMES and _is_time(value):
            return quirks.floor_div(self._instant(value), 1000)
        if value.type().is_numeric() and not value.type().is_boolean():
            value = quirks.checked(value, self.can)
        if kind == FLOAT:
            if self._comes_from_json(key.field):
                return quirks.number_of_text(value, self.can)
            return quirks.finite(value.cast("float64"), self.can)
        if kind == INTEGER:
            # Totals of narrow ones take the column as it is: its width decides how it is added up.
            narrow = key.measure == "total" and value.type().nbytes <= 4
            return value if narrow else quirks.narrowed(value, self.can)
        if kind.name == "decimal":
            return quirks.unscaled(value, kind.scale, self.can)
        return value if kind == BOOLEAN else value.cast("string")

    def _within(self, value: Any, rest: tuple[str, ...], name: str) -> ir.Column:
        for i, part in enumerate(rest):
            if value.type().is_struct():
                if part not in value.type().names:
                    raise NotFoundError("field", f"{name}.{part}", value.type().names)
                value = value[part]
            elif quirks.is_json(value.type()):
                return quirks.json_text(value, rest[i:], self.can)
            else:
                raise NotFoundError("field", ".".join((name, *rest)), self._columns.names)
        return value

    def _comes_from_json(self, field: str) -> bool:
        subject = read_subject(field)
        if not isinstance(subject, Path) or subject == Path((BUCKET,)):
            return False
        name = subject.parts[0]
        if name not in self._columns:
            return True
        return len(subject.parts) > 1 and quirks.is_json(self._columns[name])

    def _must_have(self, name: str) -> None:
        if name not in self._columns:
            raise SourceMissingError(
                f"source {self.source.name!r}: there is no column {name!r}",
                hint=did_you_mean(name, self._columns.names),
            )

    def _must_be_time(self, name: str) -> None:
        type_ = self._columns[name]
        if not (type_.is_timestamp() or type_.is_date()):
            raise SourceTypeError(
                f"source {self.source.name!r}: column {name!r} is {type_}, no time",
                hint=f"add the source with a table whose {name} is cast to a timestamp",
            )

    @property
    def _zone(self) -> Zone:
        zoned = getattr(self._columns[self.source.time], "timezone", None) is not None
        return UTC if zoned else Zone.of(self.source.time_zone)

    @property
    def _compares_exactly(self) -> bool:
        return self.can.compares_times and self._zone.is_utc

    def _micros(self, name: str, window: Window) -> ir.Column:
        if name == self.source.time:
            return self._placed(self.table[_MICROS], self._columns[name], window)
        return self._placed(quirks.micros(self.table[name], self.can), self._columns[name], window)

    def _instant(self, value: Any) -> ir.Column:
        """Microseconds since the epoch, UTC, of a time in a predicate."""
        return self._placed(quirks.micros(value, self.can), value.type(), ALWAYS)

    def _placed(self, us: ir.Column, type_: Any, window: Window) -> ir.Column:
        """Microseconds as they are in a column, moved to UTC where the column's times have no zone."""
        zoned = getattr(type_, "timezone", None) is not None
        zone = UTC if zoned else Zone.of(self.source.time_zone)
        return us if zone.is_utc else _from_wall(us, zone, window)

    def _compare(self, side: str, us: int) -> ir.BooleanValue:
        time: Any = self.table[self.source.time]
        if time.type().is_date():
            # The first day that begins at the instant or later: a day is before an end that cuts it.
            literal = ibis.literal(to_datetime(-(-us // DAY_US) * DAY_US).date())
        elif time.type().timezone is not None:
            literal = ibis.literal(to_datetime(us), type="timestamp('UTC')")
        else:
            literal = ibis.literal(to_datetime(us).replace(tzinfo=None), type="timestamp")
        return time >= literal if side == "start" else time < literal


def functions_in(tree: Any) -> set[str]:
    """The row functions that a predicate or operand calls, at any depth."""
    if isinstance(tree, tuple):
        return set[str]().union(*map(functions_in, tree))
    if not is_dataclass(tree):
        return set()
    inner = {name for part in fields(tree) for name in functions_in(getattr(tree, part.name))}
    return inner | ({tree.name} if isinstance(tree, Call) else set())


def _is_time(value: Any) -> bool:
    return value.type().is_timestamp() or value.type().is_date()


def kind_of(value: ir.Value) -> Kind:
    """The kind of a column's type."""
    type_: Any = value.type()
    if type_.is_boolean():
        return BOOLEAN
    if type_.is_integer():
        return INTEGER
    if type_.is_decimal():
        return FLOAT if type_.scale is None else Kind("decimal", type_.scale)
    return FLOAT if type_.is_floating() else TEXT


def _from_wall(wall_us: Any, zone: Zone, window: Window) -> ir.Column:
    """Microseconds in UTC of what local clocks showed; an hour that came twice is its first."""
    start, end = max(window.start - 2 * DAY_US, _FIRST_YEAR), min(window.end + 2 * DAY_US, _LAST_YEAR)
    shifts = zone.shifts(Window(min(start, _LAST_YEAR - DAY_US), max(end, _FIRST_YEAR + DAY_US)))
    # Clocks show the old offset's times until they show what the later of both would show.
    cases = [
        (wall_us < at + max(before, after) * SECOND_US, before * SECOND_US)
        for (_, before), (at, after) in pairwise(shifts)
    ]
    last = shifts[-1][1] * SECOND_US
    return wall_us - (ibis.cases(*cases, else_=last) if cases else last)
