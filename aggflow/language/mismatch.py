"""A mismatch: a column compared with what no value of its type can equal, so that the test is silently false.

Only columns whose type is declared are judged: what is in JSON has a type a row, and compares by it.
"""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ibis.expr.datatypes as dt

from aggflow.errors import ParseError
from aggflow.language.jpath import field_places, parse_predicate
from aggflow.language.kind import Columns, TypeOf, kind_of_type
from aggflow.language.linq_text import to_linq
from aggflow.language.literal import Literal, quoted, read_number
from aggflow.language.predicate import (
    And,
    Compare,
    Constant,
    In,
    Length,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
)
from aggflow.language.query import BUCKET

_HOLDS = {"text": "texts", "number": "numbers", "boolean": "true or false", "time": "times"}
_TRUTHS = ("true", "false")


@dataclass(frozen=True)
class Mismatch:
    """A column and what it cannot be compared with.

    Attributes
    ----------
    path
        The column.
    message, hint
        What is wrong, and what to write instead.
    """

    path: Path
    message: str
    hint: str


def declared_type(path: Path, columns: Columns) -> Any:
    """The declared type of a path: of a column or a field of a struct; None of what is in JSON.

    Examples
    --------
    >>> columns = {"place": dt.Struct({"city": dt.string}), "payload": dt.JSON()}
    >>> [declared_type(Path(parts), columns) for parts in (("place", "city"), ("payload", "user"), ("x",))]
    [String(length=None, nullable=True), None, None]
    """
    name, *rest = path.parts
    if name == BUCKET and not rest and name not in columns:
        return dt.timestamp
    type_: Any = columns.get(name)
    for part in rest:
        type_ = type_[part] if type_ is not None and type_.is_struct() and part in type_.names else None
    return type_


def mismatch_of(left: Operand, right: Operand, type_of: TypeOf, *, linq: bool = False) -> Mismatch | None:
    """What is wrong with comparing two operands; None where they can be compared.

    Parameters
    ----------
    left, right
        What is compared.
    type_of
        The type that a path is declared with; None where it has none: a key of JSON, no column.
    linq
        Whether it is said in LINQ, where a text that is no number may stand beside numbers: it fits none.

    Examples
    --------
    >>> mismatch_of(Path(("carrier",)), Literal(5), lambda path: dt.string).message
    'carrier holds texts (string), and 5 is a number'
    """
    for one, other in ((left, right), (right, left)):
        type_ = type_of(one) if isinstance(one, Path) else None
        if isinstance(one, Path) and type_ is not None and _clash(type_, other, type_of, linq=linq):
            name, said = ".".join(one.parts), _said(other, type_of)
            message = f"{name} holds {_HOLDS[kind_of_type(type_)]} ({type_}), and {said}"
            return Mismatch(one, message, _hint(one, type_, other, linq=linq))
    return None


def check_comparisons(text: str, columns: Columns) -> None:
    """Refuse a predicate in JPath that compares a column with what it can never equal.

    Parameters
    ----------
    text
        The predicate.
    columns
        The columns and their types; a name that is none of them is not judged.

    Raises
    ------
    ParseError
        With the place of the column, its type and what to write instead.

    Examples
    --------
    >>> check_comparisons("@.origin == 'LGA' && @.origin > 5", {"origin": dt.string})
    Traceback (most recent call last):
    aggflow.errors.ParseError: origin holds texts (string), and 5 is a number, at line 1, column 22
        @.origin == 'LGA' && @.origin > 5
                             ^
    hint: a text stands in quotes: '5'; texts that hold numbers are compared by "=float(origin) > …"
    """
    first = 0  # of the fields, in the order of the text, those of a test
    for test in _tests(parse_predicate(text)):
        fields = [operand for operand in _operands(test) if isinstance(operand, Path | Length)]
        for left, right in _compared(test):
            found = mismatch_of(left, right, lambda path: declared_type(path, columns))
            if found:
                place = field_places(text)[first + fields.index(found.path)]
                raise ParseError(found.message, text=text, position=place, hint=found.hint)
        first += len(fields)


def _clash(type_: dt.DataType, other: Operand, type_of: TypeOf, *, linq: bool) -> bool:
    kind = kind_of_type(type_)
    if isinstance(other, Path):
        of_other = type_of(other)
        return kind == "text" and of_other is not None and kind_of_type(of_other) == "number"
    if not isinstance(other, Literal):
        return False
    match kind, other.value:
        case ("text", _):
            return other.kind == "number"
        case ("number", str() as text):
            return not linq and read_number(text) is None
        case ("boolean", str() as text):
            return text.strip().lower() not in _TRUTHS
        case ("boolean", _):
            return other.kind == "number" and other.number not in (0, 1)
        case ("time", _):
            return other.kind == "boolean"
        case _:
            return False


def _said(other: Operand, type_of: TypeOf) -> str:
    if isinstance(other, Path):
        return f"{'.'.join(other.parts)} numbers ({type_of(other)})"
    names = {"text": "a text", "number": "a number", "boolean": "true or false"}
    return f"{other} is {names[other.kind]}" if isinstance(other, Literal) else str(other)


def _hint(path: Path, type_: dt.DataType, other: Operand, *, linq: bool) -> str:
    match kind_of_type(type_):
        case "text":
            number = f"float({to_linq(path)}) > …" if linq else f'"=float({to_linq(path)}) > …"'
            read = f"texts that hold numbers are compared by {number}"
            if not isinstance(other, Literal):
                return read
            text = to_linq(Literal(str(other))) if linq else quoted(str(other))
            return f"a text stands in quotes: {text}; {read}"
        case "number":
            return "compare it with a number, or another column with this text"
        case "boolean":
            return "compare it with true or false"
        case _:
            return "compare it with a time, such as '2026-01-31' or '2026-01-31T12:00:00Z'"


def _compared(test: Predicate) -> Iterator[tuple[Operand, Operand]]:
    match test:
        case Compare():
            yield test.left, test.right
        case In():
            for value in test.values:
                yield test.operand, value
        case _:
            return


def _operands(test: Predicate) -> tuple[Operand, ...]:
    match test:
        case Compare():
            return (test.left, test.right)
        case Constant() | Not() | And() | Or():
            return ()
        case _:
            return (test.operand,)


def _tests(tree: Predicate) -> Iterator[Predicate]:
    """What a tree is joined of, in the order of its text."""
    match tree:
        case Not():
            yield from _tests(tree.term)
        case And() | Or():
            for term in tree.terms:
                yield from _tests(term)
        case _:
            yield tree
