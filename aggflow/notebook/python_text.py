"""A Python text: the call that declares a definition, as a person would write it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from pydantic.fields import FieldInfo

from aggflow.spec.dimension import Dimension
from aggflow.spec.endpoint import GroupingLimit
from aggflow.spec.grouping import Grouping
from aggflow.spec.level import Level

_WIDTH = 66  # what is seen of a builder without scrolling
_STEP = "    "
# The first arguments of these read well without their names.
_POSITIONAL: Mapping[str, int] = {
    "Aggregation": 1,
    "Field": 3,
    "Sort": 2,
    "Lookback": 1,
    "TimeSeries": 2,
    "Fixed": 1,
    "Dimension": 1,
    "Level": 1,
    "Ratio": 1,
    "CubeAggregate": 1,
}


def python_call(method: str, spec: Any, positional: Sequence[str] = ("name",), **options: Any) -> str:
    """The call of a workspace's method that declares a definition.

    Parameters
    ----------
    method
        Its name: ``add_filter``.
    spec
        The declaration; what is as by default is left out.
    positional
        The attributes that are given without their names.
    options
        Further arguments of the method, or another way to write those that the declaration has.

    Examples
    --------
    >>> from aggflow.spec.endpoint import Endpoint
    >>> from aggflow.spec.field import Field
    >>> from aggflow.spec.timing import Lookback
    >>> print(python_call("add_endpoint", Endpoint("e", "f", Lookback("1d"), [Field("n", "delay", "COUNT")])))
    ws.add_endpoint(
        "e",
        filter="f",
        timing=af.Lookback("1d"),
        fields=[af.Field("n", "delay", "COUNT")],
    )
    """
    given = _given(spec)
    arguments = [("", given.pop(name)) for name in positional if name in given]
    arguments += (given | options).items()
    return _call(f"ws.{method}", arguments, "")


def python_cell(call: str) -> str:
    """A notebook's cell with a call: what it needs stands before it."""
    return f"import aggflow as af\n\n{call}\n" if "af." in call else f"{call}\n"


def _given(spec: Any) -> dict[str, Any]:
    """The attributes that are not as by default, but for tags."""
    found: dict[str, Any] = {}
    for one in dataclasses.fields(spec):
        value = getattr(spec, one.name)
        if one.name != "kind" and not _is_default(one, value):
            found[one.name] = value
    return found


def _is_default(one: dataclasses.Field[Any], value: Any) -> bool:
    default = one.default
    if isinstance(default, FieldInfo):
        default = default.get_default(call_default_factory=True, validated_data={})
    return default is not dataclasses.MISSING and value == default


def _literal(value: Any, indent: str) -> str:
    match value:
        case Grouping(alias=None):
            return _literal(value.path, indent)
        case Dimension() | Level() if set(_given(value)) == {"name"}:
            return _literal(value.name, indent)
        case GroupingLimit():
            return f"({_literal(value.grouping, indent)}, {value.limit})"
        case Enum():
            return _literal(value.value, indent)
        case str():
            return _text(value)
        case Mapping():
            return _items([(f"{_text(str(k))}: ", v) for k, v in value.items()], "{}", indent)
        case tuple() | list():
            return _items([("", one) for one in value], "[]", indent)
        case _ if dataclasses.is_dataclass(value):
            return _object(value, indent)
        case _:
            return repr(value)


def _object(value: Any, indent: str) -> str:
    kind = type(value).__name__
    given = _given(value)
    names = [one.name for one in dataclasses.fields(value)][: _POSITIONAL.get(kind, 0)]
    arguments: list[tuple[str, Any]] = []
    for name in names:
        if name not in given:
            break
        arguments.append(("", given.pop(name)))
    return _call(f"af.{kind}", [*arguments, *given.items()], indent)


def _call(function: str, arguments: Sequence[tuple[str, Any]], indent: str) -> str:
    parts = [(f"{name}=" if name else "", value) for name, value in arguments]
    return function + _items(parts, "()", indent, len(function))


def _items(parts: Sequence[tuple[str, Any]], brackets: str, indent: str, before: int = 0) -> str:
    """Parts in one line where they fit, else one a line."""
    line = ", ".join(before_it + _literal(value, "") for before_it, value in parts)
    if "\n" not in line and len(indent) + before + len(line) + 2 <= _WIDTH + len(_STEP):
        return brackets[0] + line + brackets[1]
    deeper = indent + _STEP
    lines = [f"{deeper}{before_it}{_literal(value, deeper)},\n" for before_it, value in parts]
    return f"{brackets[0]}\n{''.join(lines)}{indent}{brackets[1]}"


def _text(value: str) -> str:
    """A text in double quotes, as formatters write it."""
    shown = repr(value)
    if shown.startswith("'") and '"' not in value:
        return f'"{shown[1:-1]}"'
    return shown
