"""A path: where a value stands in a draft, written as problems write it: ``aggregations[0].field``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Steps: TypeAlias = tuple[str | int, ...]
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def steps(path: str) -> Steps:
    """The steps of a path.

    Examples
    --------
    >>> steps("aggregations[0].field")
    ('aggregations', 0, 'field')
    """
    return tuple(int(index) if index else name for index, name in _STEP.findall(path))


def written(of: Sequence[str | int]) -> str:
    """Steps as a path.

    Examples
    --------
    >>> written(("aggregations", 0, "field"))
    'aggregations[0].field'
    """
    text = ""
    for step in of:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def value_at(values: Any, path: str, default: Any = None) -> Any:
    """What stands at a path; the default where nothing does."""
    found: Any = values
    for step in steps(path):
        inside = isinstance(found, Mapping) if isinstance(step, str) else isinstance(found, list)
        if not inside:
            return default
        try:
            found = found[step]
        except (KeyError, IndexError):
            return default
    return found


def put_at(values: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path; mappings on the way are made."""
    *way, last = steps(path)
    place: Any = values
    for step in way:
        place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
    place[last] = value
