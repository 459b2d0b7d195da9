"""A change: something that saving a draft would do, as a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from aggflow.spec.declaration import plain


@dataclass(frozen=True)
class Change:
    """Something that saving would do.

    Attributes
    ----------
    text
        A sentence without a full stop.
    level
        ``note``, ``warning`` where something else is affected, ``error`` where it is not allowed.
    """

    text: str
    level: Literal["note", "warning", "error"] = "note"


def differences(old: Any, new: Any) -> tuple[str, ...]:
    """What differs between two declarations of one kind, a text an attribute: ``interval: "1h" → "1d"``.

    Of lists whose items have names, what comes, what goes, and what of an item changes.
    """
    return tuple(_differences(plain(old), plain(new)))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one == other:
            continue
        items = _by_name(one), _by_name(other)
        if items[0] is None or items[1] is None or not (items[0] or items[1]):
            yield f"{at}{key}: {_short(one)} → {_short(other)}"
        else:
            yield from _of_items(items[0], items[1], f"{at}{key}")


def _of_items(before: Mapping[str, Any], after: Mapping[str, Any], at: str) -> Iterator[str]:
    for name, item in before.items():
        if name not in after:
            yield f"{at}: without {_short(name)}"
        elif item != after[name]:
            yield from _differences(_as_mapping(item), _as_mapping(after[name]), f"{at}, {name}: ")
    yield from (f"{at}: with {_short(name)} too" for name in after if name not in before)
    kept = [name for name in before if name in after], [name for name in after if name in before]
    if kept[0] != kept[1]:
        yield f"{at}: in another order"


def _by_name(items: Any) -> dict[str, Any] | None:
    """The items of a list by their names; None where it is no list, or they have none of their own."""
    if not isinstance(items, list):
        return None
    names = [_name(item) for item in cast("list[Any]", items)]
    if None in names or len(set(names)) < len(names):
        return None
    return dict(zip(cast("list[str]", names), cast("list[Any]", items), strict=True))


def _name(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    found = _as_mapping(item)
    return next((str(found[key]) for key in _NAMES if found.get(key)), None)


def _as_mapping(item: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", item) if isinstance(item, Mapping) else {"name": item}


_NAMES: Final = ("name", "alias", "path", "by", "grouping")


def _short(value: Any) -> str:
    text = "nothing" if value in ("", None, [], {}) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}…"
