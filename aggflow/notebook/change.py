"""A change: something that saving a draft would do, as a sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

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
    """What differs between two declarations of one kind, a text an attribute: ``interval: "1h" → "1d"``."""
    before, after = plain(old), plain(new)
    return tuple(
        f"{key}: {_short(before.get(key))} → {_short(after.get(key))}"
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    )


def _short(value: Any) -> str:
    text = "nothing" if value in ("", None, [], {}) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}…"
