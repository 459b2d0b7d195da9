"""A literal: a value as it is written down in a predicate."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from aggflow.errors import Problem, SpecError
from aggflow.quote import quoted as shown

Number: TypeAlias = int | Decimal

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Literal:
    """A value written down: text, number, true, false or null.

    Numbers are kept as they are written, as ``int`` or ``Decimal`` (a float is taken by
    its shortest text); equal numbers are equal literals, but ``true`` is not ``1``.

    Attributes
    ----------
    value
        The value.
    kind
        ``text``, ``number``, ``boolean`` or ``null``; follows from the value.
    """

    value: str | Number | float | bool | None
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _kind(self.value))
        if isinstance(self.value, float):
            object.__setattr__(self, "value", Decimal(repr(float(self.value))))
        if self.kind == "number" and not _is_in_range(self.value):
            raise _no_literal(f"{self.value} is no number that can be compared with")

    @property
    def number(self) -> Number:
        """The value of a numeric literal."""
        if isinstance(self.value, int | Decimal) and self.kind == "number":
            return self.value
        raise _no_literal(f"{self} is no number")

    def __str__(self) -> str:
        match self.value:
            case None:
                return "null"
            case bool():
                return "true" if self.value else "false"
            case str():
                return quoted(self.value)
            case _:
                return str(self.value)


def quoted(text: str) -> str:
    r"""A text literal of JPath.

    Examples
    --------
    >>> print(quoted("it's"))
    'it\'s'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def read_number(text: str) -> Number | None:
    """The number that a text reads as, or None.

    Examples
    --------
    >>> read_number("-1.50"), read_number("7"), read_number("apples")
    (Decimal('-1.50'), 7, None)
    """
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    if not _is_in_range(number):
        return None
    return int(number) if text.lstrip("+-").isdigit() else number


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "text"
        case int() | float() | Decimal():
            return "number"
        case _:
            raise _no_literal(f"{shown(value)} is no text, number, true, false or null")


def _is_in_range(number: object) -> bool:
    # Beyond a double's range engines disagree, and digits could go on without end.
    try:
        return isinstance(number, int | Decimal) and math.isfinite(float(number))
    except (OverflowError, ValueError):
        return False


def _no_literal(message: str) -> SpecError:
    return SpecError("the predicate", [Problem("", message)])
