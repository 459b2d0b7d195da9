"""The meaning of a predicate: an Ibis boolean that is true exactly where the predicate is.

How a literal compares follows the type of the value beside it:

====================  ==================  =====================  =====================
value                 text literal        number literal         true, false
====================  ==================  =====================  =====================
text                  as text             value cast to number   as 'true', 'false'
number                read as number      as number              as 1, 0
boolean               'true', 'false'     value as 1, 0          as boolean
timestamp, date       as a time           epoch milliseconds     matches nothing
other scalar          value cast to text  matches nothing        matches nothing
====================  ==================  =====================  =====================

A cast that fails and a text that cannot be read match nothing, with any operator.  NaN
compares false with everything, itself included, as in IEEE 754 and unlike in most engines.
"""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from aggflow.errors import NotFoundError, Problem, QueryError, SpecError
from aggflow.language.function import FUNCTIONS, Takes
from aggflow.language.ibis_literal import (
    beyond_the_type,
    constant_literal,
    number_of,
    numeric_literal,
    text_literal,
    time_literal,
    without_nul,
)
from aggflow.language.kind import kind_of_type
from aggflow.language.literal import Literal
from aggflow.language.operators import OPERATORS, Comparison, Meaning, find_regex
from aggflow.language.predicate import (
    And,
    Arithmetic,
    Call,
    Choose,
    Compare,
    Constant,
    Exists,
    Find,
    Glob,
    In,
    Length,
    Like,
    Match,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
    Subject,
)
from aggflow.timeline import parse_instant, to_datetime

Resolve: TypeAlias = Callable[[Path], ir.Value]
Convert: TypeAlias = Callable[[Any], ir.Value]

_DAY_US = 86_400_000_000
_TOGETHER = 64


def to_ibis(
    tree: Predicate,
    resolve: Resolve,
    *,
    number: Convert,
    length: Resolve | None = None,
    instant: Convert | None = None,
    spelled: Mapping[str, Meaning] | None = None,
    has_nan: bool = True,
) -> ir.BooleanValue:
    """The Ibis meaning of a predicate.

    Parameters
    ----------
    tree
        The predicate.
    resolve
        Gives the Ibis value of a path; it raises for a field that does not exist.  What comes
        from JSON is text (``true`` and ``false`` for its booleans), null where missing.
    number
        Casts a text to a floating number, null where it is none.
    length
        Gives the length of what is at a path, for arrays in JSON.  Without it, the length of
        what ``resolve`` gives.
    instant
        Turns a timestamp into microseconds since the epoch, for engines that do not compare
        timestamps as times.  Without it, timestamps compare with timestamp literals; columns
        without a time zone are in UTC.
    spelled
        The engine's own spelling of operators, by symbol, in place of ``OPERATORS``.
    has_nan
        False for engines that hold no NaN.

    Returns
    -------
    ir.BooleanValue
        True exactly where the predicate is true; elsewhere false or null, which is one and the
        same to a filter and to the ``where=`` of an aggregate.  To negate it, negate the tree.

    Raises
    ------
    SpecError
        A value has a type that the predicate cannot test.

    Examples
    --------
    >>> from aggflow.language import parse_predicate
    >>> t = ibis.table({"origin": "string", "delay": "int64"}, name="flights")
    >>> late = to_ibis(parse_predicate("@.origin != 'LGA' && @.delay > '15'"), lambda p: t[p.parts[0]],
    ...                number=lambda value: value.try_cast("float64"))
    >>> late
    r0 := UnboundTable: flights
    ...
    And(...): r0.origin != 'LGA' & r0.delay > 15
    """
    return _meaning(resolve, number, length, instant, spelled, has_nan=has_nan).where(tree)


def operand_to_ibis(
    operand: Operand,
    resolve: Resolve,
    *,
    number: Convert,
    length: Resolve | None = None,
    instant: Convert | None = None,
    spelled: Mapping[str, Meaning] | None = None,
    has_nan: bool = True,
) -> ir.Value:
    """The Ibis meaning of an operand: a field, a literal, or what is computed of them.

    Takes what `to_ibis` takes.  Arithmetic on whole numbers is of 64 bits, a quotient is a float; a
    text is computed with as the number it reads as.

    Raises
    ------
    SpecError
        A value has a type that cannot be computed with.
    NotFoundError
        There is no such row function.

    Examples
    --------
    >>> from aggflow.language import parse_operand
    >>> t = ibis.table({"origin": "string", "delay": "int64"}, name="flights")
    >>> operand_to_ibis(parse_operand("lower(origin)"), lambda p: t[p.parts[0]],
    ...                 number=lambda value: value.try_cast("float64"))
    r0 := UnboundTable: flights
    ...
    Lowercase(origin): Lowercase(r0.origin)
    """
    return _meaning(resolve, number, length, instant, spelled, has_nan=has_nan).value(operand)


def _meaning(
    resolve: Resolve,
    number: Convert,
    length: Resolve | None,
    instant: Convert | None,
    spelled: Mapping[str, Meaning] | None,
    *,
    has_nan: bool,
) -> _Meaning:
    meanings = {symbol: row.meaning for symbol, row in OPERATORS.items()} | dict(spelled or {})
    return _Meaning(resolve, number, length or _length_of(resolve), instant, meanings, has_nan)


@dataclass(frozen=True)
class _Aligned:
    """A value and what it is compared with, made comparable."""

    value: Any
    other: Any


@dataclass(frozen=True)
class _Meaning:
    """What a predicate says about the values of one table of one engine."""

    resolve: Resolve
    number: Convert
    length: Resolve
    instant: Convert | None
    meanings: Mapping[str, Meaning]
    has_nan: bool
    never: Any = field(default_factory=lambda: ibis.literal(False))

    def where(self, tree: Predicate) -> Any:
        match tree:
            case Constant():
                return ibis.literal(tree.value)
            case Not():
                is_true: Any = ibis.coalesce(self.where(tree.term), False)
                return ~is_true
            case And():
                return _joined(ibis.and_, [self.where(term) for term in tree.terms])
            case Or():
                return _joined(ibis.or_, [self.where(term) for term in tree.terms])
            case Exists():
                return self.meanings["exists"](self.value(tree.operand), None)
            case Like():
                return self.meanings["ILIKE" if tree.ignore_case else "LIKE"](
                    self._as_text(tree.operand), without_nul(tree.pattern)
                )
            case Glob():
                return self.meanings["glob"](self._as_text(tree.operand), without_nul(tree.pattern))
            case Match():
                return self.meanings["=~"](self._as_text(tree.operand), without_nul(tree.pattern))
            case Find():
                return self._find(tree)
            case In():
                return self._is_in(tree)
            case Compare():
                return self._compare(tree.op, tree.left, tree.right)

    def _compare(self, op: Comparison, left: Operand, right: Operand) -> Any:
        if isinstance(left, Literal) and isinstance(right, Literal):
            return ibis.literal(_holds(op, left, right))
        if isinstance(left, Literal):  # a Compare never has it so
            return self.never
        if isinstance(right, Literal):
            return self._compare_literal(op, left, right)
        return self._apply(op, self._align_values(left, right))

    def _find(self, tree: Find) -> Any:
        text = self._as_text(tree.operand)
        for searched_for in tree.texts:
            without_nul(searched_for)
        if (tree.left, tree.right, tree.ignore_case) == ("any", "any", False):
            return ibis.or_(*map(text.contains, tree.texts))
        # A dot after the text: `$` alone would, on some engines, overlook a line break at the end.
        searched = text + "." if tree.right == "end" else text
        return self.meanings["=~"](
            searched, find_regex(tree.texts, tree.left, tree.right, ignore_case=tree.ignore_case)
        )

    def _compare_literal(self, op: Comparison, operand: Subject, literal: Literal) -> Any:
        value = self.value(operand)
        if literal.kind == "null":
            there = self.meanings["exists"](value, None)
            return {"==": ~there, "!=": there}.get(op, self.never)
        beyond = beyond_the_type(value, literal)
        if beyond is not None:
            # All values of the type lie on one side of the literal.
            return value.notnull() if OPERATORS[op].meaning(0, beyond) else self.never
        return self._apply(op, self._align(operand, value, literal))

    def _apply(self, op: str, sides: _Aligned | None) -> Any:
        if sides is None:
            return self.never
        result = self.meanings[op](sides.value, sides.other)
        # Engines that have NaN take it for equal to itself and above infinity.
        is_column = isinstance(sides.other, ir.Column)
        if self.has_nan and (is_column or op not in ("==", "<", "<=", "in")):
            for side in (sides.value, sides.other):
                if isinstance(side, ir.Column) and side.type().is_floating():
                    result &= side <= ibis.literal(float("inf"))
        return result

    def _is_in(self, tree: In) -> Any:
        value: Any = self.value(tree.operand)
        tests: list[Any] = []
        # One membership for each form that the value takes, and each type of literal: engines
        # would turn the integers of a mixed list into floats.
        forms: dict[Any, list[Any]] = {}
        for literal in tree.values:
            if literal.kind == "null" or beyond_the_type(value, literal) is not None:
                tests.append(self._compare_literal("==", tree.operand, literal))
                continue
            sides = self._align(tree.operand, value, literal)
            if sides is not None:
                type_ = sides.other.type()
                form = (sides.value.op(), "integer" if type_.is_integer() else str(type_))
                forms.setdefault(form, []).append(sides.other)
        tests += [self._apply("in", _Aligned(op.to_expr(), options)) for (op, _), options in forms.items()]
        return ibis.or_(*tests) if tests else self.never

    def value(self, operand: Operand) -> Any:
        match operand:
            case Path():
                return self.resolve(operand)
            case Length():
                return self.length(operand.path)
            case Literal():
                return constant_literal(operand)
            case Arithmetic():
                return self._arithmetic(operand)
            case Call():
                return self._call(operand)
            case Choose():
                then, otherwise = self._alike(operand.then, operand.otherwise)
                is_true: Any = ibis.coalesce(self.where(operand.condition), self.never)
                return is_true.ifelse(then, otherwise)

    def _arithmetic(self, operand: Arithmetic) -> Any:
        left, right = self._as_wide(operand.left), self._as_wide(operand.right)
        match operand.sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                # Engines divide by zero to infinity, to null, or not at all; and some divide whole numbers
                # to whole ones.
                return left.cast("float64") / right.cast("float64").nullif(0.0)

    def _call(self, call: Call) -> Any:
        row = FUNCTIONS.get(call.name)
        if row is None:
            raise NotFoundError("row function", call.name, FUNCTIONS)
        if not row.fewest <= len(call.arguments) <= len(row.takes):
            raise _wrong(f"{call.name}() does not take {len(call.arguments)} arguments")
        if set(row.takes) == {"any"}:
            return row.meaning(*self._alike(*call.arguments))
        given = zip(row.takes, call.arguments, strict=False)
        return row.meaning(*(self._argument(takes, argument) for takes, argument in given))

    def _argument(self, takes: Takes, operand: Operand) -> Any:
        if takes in ("written", "whole", "regex"):
            if isinstance(operand, Literal):
                return operand.value
            raise _wrong(f"{operand} must be written out here")
        if takes == "text":
            return self._as_text(operand)
        if takes == "number":
            return self._as_number(operand)
        value = self.value(operand)
        if takes == "time" and kind_of_type(value.type()) != "time":
            raise _unfit(operand, value.type(), "taken as a time")
        return value

    def _alike(self, *operands: Operand) -> list[Any]:
        """Values of which any may be given: of one kind, a null having that of the others."""
        values = [None if operand == Literal(None) else self.value(operand) for operand in operands]
        types = [value.type() for value in values if value is not None]
        if len({kind_of_type(type_) for type_ in types}) > 1:
            said = " and ".join(map(str, types))
            raise _wrong(f"{' and '.join(map(str, operands))} cannot stand for each other: they are {said}")
        type_ = types[0] if types else dt.string
        return [ibis.null(type_) if value is None else value for value in values]

    def _as_number(self, operand: Operand) -> Any:
        value = self.value(operand)
        kind = kind_of_type(value.type())
        if kind == "text":
            return self.number(value)
        if kind == "number":
            return value
        raise _unfit(operand, value.type(), "computed with")

    def _as_wide(self, operand: Operand) -> Any:
        """A number, of 64 bits where it is whole: narrow ones would overflow."""
        value = self._as_number(operand)
        type_ = value.type()
        return value.cast("int64") if type_.is_integer() and type_.nbytes < 8 else value

    def _align(self, operand: Subject, value: Any, literal: Literal) -> _Aligned | None:
        """A value and a literal made comparable; None where they never are."""
        type_: dt.DataType = value.type()
        if type_.is_numeric() and not type_.is_boolean():
            number = number_of(literal)
            return None if number is None else _Aligned(value, numeric_literal(number, type_))
        if type_.is_string():
            if literal.kind == "number":
                return _Aligned(self.number(value), numeric_literal(literal.number, dt.float64))
            return _Aligned(value, text_literal(literal))
        if type_.is_boolean():
            return self._align_boolean(value, literal)
        if type_.is_timestamp() or type_.is_date():
            return None if literal.kind == "boolean" else self._align_time(operand, value, literal)
        if kind_of_type(type_) == "scalar":
            return _Aligned(value.cast("string"), text_literal(literal)) if literal.kind == "text" else None
        raise _unfit(operand, type_, "compared")

    def _align_boolean(self, value: Any, literal: Literal) -> _Aligned | None:
        if literal.kind == "number":
            # Not every engine casts them.
            as_number: Any = ibis.cases((value, 1), (~value, 0))
            return _Aligned(as_number.cast("int64"), numeric_literal(literal.number, dt.int64))
        truth = {"true": True, "false": False, True: True, False: False}.get(_truth_name(literal))
        return None if truth is None else _Aligned(value, ibis.literal(truth))

    def _align_time(self, operand: Subject, value: Any, literal: Literal) -> _Aligned:
        us = _instant(operand, literal)
        type_ = value.type()
        if type_.is_date():
            if us % _DAY_US == 0:
                return _Aligned(value, ibis.literal(to_datetime(us).date()))
            value = value.cast("timestamp")
        if self.instant is not None:
            return _Aligned(self.instant(value), ibis.literal(us, type="int64"))
        return _Aligned(value, time_literal(us, value.type()))

    def _align_values(self, left: Subject, right: Subject) -> _Aligned:
        """Two values made comparable."""
        values = [self.value(left), self.value(right)]
        kinds = [
            _comparable_kind(operand, value) for operand, value in zip((left, right), values, strict=True)
        ]
        if set(kinds) == {"number", "text"}:
            values = [
                self.number(value) if kind == "text" else value
                for value, kind in zip(values, kinds, strict=True)
            ]
        elif kinds[0] != kinds[1]:
            types = " and ".join(str(value.type()) for value in values)
            raise _wrong(f"{left} and {right} cannot be compared: they are {types}")
        elif kinds[0] == "time":
            values = [value.cast("timestamp") if value.type().is_date() else value for value in values]
            if self.instant is not None:
                values = [self.instant(value) for value in values]
        elif kinds[0] == "scalar":
            values = [value.cast("string") for value in values]
        return _Aligned(*values)

    def _as_text(self, operand: Operand) -> Any:
        value: Any = self.value(operand)
        type_ = value.type()
        if type_.is_string():
            return value
        # Engines agree on how these are written; they do not for floats and times.
        if type_.is_integer() or type_.is_uuid():
            return value.cast("string")
        raise _unfit(operand, type_, "searched as text")


def _joined(join: Callable[..., Any], tests: Sequence[Any]) -> Any:
    """Tests joined; many in groups: ibis, and engines, descend as deep as a chain is long, and no deeper than they can."""
    while len(tests) > _TOGETHER:
        tests = [join(*tests[first : first + _TOGETHER]) for first in range(0, len(tests), _TOGETHER)]
    return join(*tests)


def _length_of(resolve: Resolve) -> Resolve:
    def length(path: Path) -> ir.Value:
        value: Any = resolve(path)
        type_ = value.type()
        if type_.is_array() or type_.is_map() or type_.is_string():
            return value.length()
        raise _unfit(path, type_, "measured by .length")

    return length


def _holds(op: Comparison, left: Literal, right: Literal) -> bool:
    if "null" in (left.kind, right.kind):
        return {"==": left == right, "!=": left != right}.get(op, False)
    if left.kind != right.kind:
        return False
    return bool(OPERATORS[op].meaning(left.value, right.value))


def _truth_name(literal: Literal) -> Any:
    return literal.value.strip().lower() if isinstance(literal.value, str) else literal.value


def _instant(operand: Operand, literal: Literal) -> int:
    given = literal.value if isinstance(literal.value, str) else literal.number
    try:
        return parse_instant(float(given) if isinstance(given, Decimal) else given)
    except QueryError as error:
        raise _wrong(f"{operand} holds times: {error.message}", error.hint) from None


def _comparable_kind(operand: Operand, value: Any) -> str:
    kind = kind_of_type(value.type())
    if kind == "nested":
        raise _unfit(operand, value.type(), "compared")
    return kind


def _unfit(operand: Operand, type_: dt.DataType, use: str) -> SpecError:
    kind = type(type_).__name__.lower()
    hint = f"name a field in it, as in {operand}.name" if kind in ("struct", "json", "map") else ""
    return _wrong(f"{operand} is {kind} and cannot be {use}", hint)


def _wrong(message: str, hint: str = "") -> SpecError:
    return SpecError("the predicate", [Problem("", message, hint)])
