"""A brief: what a value is, in one short line, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

_LONGEST: Final = 60
_MOST: Final = 7


def brief(what: str, facts: Mapping[str, object] | None = None) -> str:
    """What a value is, and a few facts of it.

    Parameters
    ----------
    what
        What it is, with its name.
    facts
        What is told of it, by name; an empty name for what says itself.  What is None, false or empty is left
        out, what is long is cut, and what is beyond the first few is left out.

    Examples
    --------
    >>> brief("filter 'delays'", {"source": "flights", "where": "", "groupings": ["carrier", "origin"]})
    "filter 'delays' · source flights · groupings carrier, origin"
    >>> brief("rollup 'delays'", {"": "12 cells"})
    "rollup 'delays' · 12 cells"
    """
    told = [(name, _text(value)) for name, value in (facts or {}).items()]
    shown = [f"{name.replace('_', ' ')} {_cut(text)}".strip() for name, text in told if text]
    rest = ["…"] if len(shown) > _MOST else []
    return " · ".join([what, *shown[:_MOST], *rest])


def lines(first: str, more: Iterable[object]) -> str:
    """A line, and what belongs to it below, a line each.

    Examples
    --------
    >>> print(lines("two builds", ["a", "b"]))
    two builds
      a
      b
    """
    return "\n  ".join([first, *map(str, more)])


def _text(value: object) -> str:
    match value:
        case None | False | "":
            return ""
        case Mapping():
            plain = cast("Mapping[str, Any]", value)
            if "name" in plain:
                return str(plain["name"])
            nested = any(isinstance(one, Mapping) for one in plain.values())
            said = [f"{name} {_text(one)}" if nested else _text(one) for name, one in plain.items()]
            return (", " if nested else " ").join(filter(None, said))
        case list() | tuple():
            items = cast("list[object]", value)
            within = [
                " ".join(map(_text, cast("list[object]", one))) if isinstance(one, list) else _text(one)
                for one in items
            ]
            return ", ".join(filter(None, within))
        case _:
            return str(value)


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
