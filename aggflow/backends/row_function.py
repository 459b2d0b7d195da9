"""A row function: what is computed of one value in Python, for engines that lack a function for it."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import ibis
import pyarrow as pa

from aggflow.backends.capability import Capability

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
_MISSING = object()


def read_number(text: str | None) -> float | None:
    """The finite number that a text reads as.

    Examples
    --------
    >>> read_number(" 1.5e3 "), read_number("1_000"), read_number("inf"), read_number("1e999")
    (1500.0, None, None, None)
    """
    if text is None or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def read_text(document: str | None, *parts: str) -> str | None:
    """The text at a path of a JSON text; None where there is nothing, or no JSON at all.

    Examples
    --------
    >>> read_text('{"a": {"b": 1.50}}', "a", "b"), read_text('{"a": true}', "a"), read_text("{broken", "a")
    ('1.50', 'true', None)
    """
    found = _at(document, parts)
    if found is _MISSING or found is None:
        return None
    # Numbers as they are written: they were read as texts of their own.
    return (
        str(found) if isinstance(found, str) else json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    )


def read_length(document: str | None, *parts: str) -> int | None:
    """The length of the array at a path; 0 of what is no array, None where there is nothing.

    Examples
    --------
    >>> read_length('{"a": [1, 2]}', "a"), read_length('{"a": 1}', "a"), read_length('{"a": 1}', "b")
    (2, 0, None)
    """
    found = _at(document, parts)
    if found is _MISSING or found is None:
        return None
    return len(found) if isinstance(found, list) else 0


def read_lower(text: str | None) -> str | None:
    """A text in small letters, of all languages."""
    return None if text is None else text.lower()


def read_upper(text: str | None) -> str | None:
    """A text in capital letters, of all languages."""
    return None if text is None else text.upper()


def read_part(text: str | None, by: str, index: str | int) -> str | None:
    """The part of that number, counted from 0, of a text cut at a separator.

    Examples
    --------
    >>> read_part("a-b", "-", "1"), read_part("a-b", "-", "2")
    ('b', None)
    """
    parts = [] if text is None else text.split(by)
    return parts[int(index)] if int(index) < len(parts) else None


def refuse_text(text: str) -> float:
    """No number, of a value that is none.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(f"{text!r} is no number")


def read_size(text: str | None) -> int | None:
    """How many characters a text has."""
    return None if text is None else len(text)


class _Number(str):
    """A number of JSON as it is written."""

    __slots__ = ()


def _at(document: str | None, parts: tuple[str, ...]) -> Any:
    if document is None:
        return _MISSING
    try:
        found = json.loads(document, parse_float=_Number, parse_int=_Number, parse_constant=_refuse)
    except ValueError:
        return _MISSING
    for part in parts:
        if not isinstance(found, dict) or part not in found:
            return _MISSING
        found = found[part]
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


@cache
def python_function(of_value: Callable[..., Any], can: Capability, *fixed: str, returns: str) -> Any:
    """A function of a text as an Ibis expression.

    Parameters
    ----------
    of_value
        From a text (or None) and the fixed arguments to a value.
    can
        The backend, whose row says in which form it takes functions.
    fixed
        The same for every row.
    returns
        The Ibis type of what it gives.
    """
    type_ = ibis.dtype(returns).to_pyarrow()

    def of_values(values: Any) -> Any:
        return pa.array([of_value(value, *fixed) for value in values.to_pylist()], type=type_)

    def of_row(value: Any) -> Any:
        return of_value(value, *fixed)

    called: Any = of_values if can.json_python == "pyarrow" else of_row
    name = f"aggflow_{of_value.__name__}_{abs(hash(fixed))}"
    called.__name__ = called.__qualname__ = name
    text, given = ibis.dtype("string"), ibis.dtype(returns)
    parameter = inspect.Parameter("value", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=text)
    called.__signature__ = inspect.Signature([parameter], return_annotation=given)
    called.__annotations__ = {"value": text, "return": given}
    scalar: Any = ibis.udf.scalar
    return getattr(scalar, can.json_python)(called)
