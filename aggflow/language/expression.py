"""An Ibis expression as a predicate: ``ibis._.origin != 'LGA'`` becomes ``@.origin != 'LGA'``.

Ibis has three truths, predicates have two.  Each expression is therefore read twice: where
it is true, and where it is false; where it is null it is neither.  So ``~(_.x == 5)``, which
keeps no row without an ``x``, becomes ``@.x != 5`` and not ``!(@.x == 5)``.
"""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.deferred import Deferred
from ibis.common.exceptions import IbisError

from aggflow.errors import NotFoundError, Problem, SpecError
from aggflow.language.literal import Literal
from aggflow.language.operators import OPPOSITE, Comparison
from aggflow.language.predicate import (
    FALSE,
    Compare,
    Constant,
    Exists,
    In,
    Length,
    Like,
    Match,
    Not,
    Operand,
    Path,
    Predicate,
    all_of,
    any_of,
)
from aggflow.timeline import format_instant, parse_instant

Given: TypeAlias = Deferred | ir.Value | Callable[[ir.Table], ir.Value] | bool

_COMPARISONS: dict[type, Comparison] = {
    ops.Equals: "==",
    ops.NotEquals: "!=",
    ops.Less: "<",
    ops.LessEqual: "<=",
    ops.Greater: ">",
    ops.GreaterEqual: ">=",
}
_LENGTHS = (ops.StringLength, ops.ArrayLength, ops.MapLength)
_JSON_VALUES = (ops.UnwrapJSONString, ops.UnwrapJSONInt64, ops.UnwrapJSONFloat64, ops.UnwrapJSONBoolean)
_HINT = (
    "known are comparisons, & | ~, isin, between, isnull, notnull, like, ilike, re_search and length, "
    "on columns, struct fields and JSON keys; compute anything else in the source's table"
)


def from_ibis(given: Given, table: ir.Table) -> Predicate:
    """The predicate that an Ibis expression says: true for the same rows.

    Parameters
    ----------
    given
        A deferred (``ibis._.origin != "LGA"``), a function of the table, or a boolean
        expression over the table.
    table
        The table whose columns are meant.

    Returns
    -------
    Predicate
        True where the expression is true.  Dates and times become RFC 3339 texts in UTC.

    Raises
    ------
    NotFoundError
        A column that the table does not have.
    SpecError
        An operation that predicates cannot say; it is named.

    Examples
    --------
    >>> import ibis
    >>> from ibis import _
    >>> from aggflow.language import to_jpath
    >>> t = ibis.table({"origin": "string", "delay": "int64"}, name="flights")
    >>> to_jpath(from_ibis((_.origin != "LGA") & ~_.delay.between(0, 15), t))
    "@.origin != 'LGA' && (@.delay < 0 || @.delay > 15)"
    """
    if isinstance(given, str):
        raise _wrong("a text is no Ibis expression", "give JPath where a text is taken")
    with _errors_of_binding(table):
        bound = table.bind(given)
    if len(bound) != 1 or not bound[0].type().is_boolean():
        raise _wrong("the expression is no single condition", "it must be true or false for each row")
    return _Reader(table).true(bound[0].op())


class _Reader:
    """Reads operations over one table."""

    def __init__(self, table: ir.Table) -> None:
        self._relation = table.op()

    def true(self, op: Any) -> Predicate:
        """Where an operation is true."""
        match op:
            case ops.And():
                return all_of([self.true(op.left), self.true(op.right)])
            case ops.Or():
                return any_of([self.true(op.left), self.true(op.right)])
            case ops.Not():
                return self.false(op.arg)
            case ops.Between():
                return all_of(
                    [
                        self._compare(">=", op.arg, op.lower_bound),
                        self._compare("<=", op.arg, op.upper_bound),
                    ]
                )
            case ops.Literal():
                return Constant(op.value is True)
            case ops.IsNull():
                return Not(Exists(self._there(op.arg)))
            case ops.NotNull():
                return Exists(self._there(op.arg))
            case ops.InValues():
                values = [value for value in map(self._literal, op.options) if value.kind != "null"]
                return In(self._field_or_length(op.value), tuple(values)) if values else FALSE
            case ops.StringSQLLike() | ops.StringSQLILike() if op.escape is None:
                ignores = isinstance(op, ops.StringSQLILike)
                return Like(self._path(op.arg), self._text(op.pattern), ignore_case=ignores)
            case ops.RegexSearch():
                return Match(self._path(op.arg), self._text(op.pattern))
            case _ if type(op) in _COMPARISONS:
                return self._compare(_COMPARISONS[type(op)], op.left, op.right)
            case _:
                return Compare("==", self._path(op), Literal(True))

    def false(self, op: Any) -> Predicate:
        """Where an operation is false; not where it is null."""
        match op:
            case ops.And():
                return any_of([self.false(op.left), self.false(op.right)])
            case ops.Or():
                return all_of([self.false(op.left), self.false(op.right)])
            case ops.Not():
                return self.true(op.arg)
            case ops.Between():
                return any_of(
                    [
                        self._compare("<", op.arg, op.lower_bound),
                        self._compare(">", op.arg, op.upper_bound),
                    ]
                )
            case ops.Literal():
                return Constant(op.value is False)
            case ops.IsNull():
                return Exists(self._there(op.arg))
            case ops.NotNull():
                return Not(Exists(self._there(op.arg)))
            case ops.InValues() if any(self._literal(value).kind == "null" for value in op.options):
                return FALSE
            case ops.InValues() | ops.StringSQLLike() | ops.StringSQLILike() | ops.RegexSearch():
                tested = op.value if isinstance(op, ops.InValues) else op.arg
                return all_of([Exists(self._there(tested)), Not(self.true(op))])
            case _ if type(op) in _COMPARISONS:
                return self._compare(OPPOSITE[_COMPARISONS[type(op)]], op.left, op.right)
            case _:
                return Compare("==", self._path(op), Literal(False))

    def _compare(self, op: Comparison, left: Any, right: Any) -> Predicate:
        sides = self._operand(left), self._operand(right)
        if Literal(None) in sides:
            return FALSE
        return Compare(op, *sides)

    def _operand(self, op: Any) -> Operand:
        return self._literal(op) if isinstance(op, ops.Literal) else self._field_or_length(op)

    def _field_or_length(self, op: Any) -> Path | Length:
        return Length(self._path(op.arg)) if isinstance(op, _LENGTHS) else self._path(op)

    def _there(self, op: Any) -> Path:
        """The path whose presence is asked for; of JSON, a key may be asked for as it is."""
        if isinstance(op, _LENGTHS):
            return self._path(op.arg)
        return Path(self._json_parts(op)) if isinstance(op, ops.JSONGetItem) else self._path(op)

    def _path(self, op: Any) -> Path:
        match op:
            case ops.Field() if op.rel == self._relation:
                return Path((op.name,))
            case ops.Field():
                raise _wrong(f"{op.name!r} is a column of another table")
            case ops.StructField():
                return Path((*self._path(op.arg).parts, op.field))
            case _ if isinstance(op, _JSON_VALUES):
                return Path(self._json_parts(op.arg))
            case _:
                raise _unknown(op)

    def _json_parts(self, op: Any) -> tuple[str, ...]:
        match op:
            case ops.JSONGetItem(index=ops.Literal(value=str() as key)):
                return (*self._json_parts(op.arg), key)
            case ops.JSONGetItem():
                raise _wrong("positions in JSON arrays cannot be said", _HINT)
            case ops.Cast() if op.to.is_json():
                return self._path(op.arg).parts
            case _:
                return self._path(op).parts

    def _literal(self, op: Any) -> Literal:
        if not isinstance(op, ops.Literal):
            raise _unknown(op)
        value: Any = op.value
        if isinstance(value, datetime):
            return Literal(format_instant(parse_instant(value)))
        if isinstance(value, date):
            return Literal(value.isoformat())
        if value is None or isinstance(value, str | int | float | Decimal):
            return Literal(value)
        if op.dtype.is_uuid():
            return Literal(str(value))
        raise _wrong(f"a literal of type {op.dtype} cannot be said", _HINT)

    def _text(self, op: Any) -> str:
        if isinstance(op, ops.Literal) and isinstance(op.value, str):
            return op.value
        raise _wrong("a pattern must be written out", _HINT)


@contextmanager
def _errors_of_binding(table: ir.Table) -> Generator[None, None, None]:
    """Ibis' errors while an expression meets its table, as ours."""
    try:
        yield
    except AttributeError as error:
        if isinstance(error.obj, ir.Table):
            raise NotFoundError("column", str(error.name), table.columns) from None
        raise _wrong(f"Ibis: {error}", _HINT) from None
    except (IbisError, TypeError) as error:
        missing = re.match(r"Column '(.+?)' is not found", str(error))
        if missing:
            raise NotFoundError("column", missing[1], table.columns) from None
        raise _wrong(f"Ibis: {str(error).splitlines()[0]}") from None


def _unknown(op: Any) -> SpecError:
    name = type(op).__name__
    return _wrong(f"the Ibis operation {name} cannot be said in a predicate", _HINT)


def _wrong(message: str, hint: str = "") -> SpecError:
    return SpecError("the predicate", [Problem("", message, hint)])
