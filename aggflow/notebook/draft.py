"""A draft: what is filled in in a form so far, as plain values, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aggflow.notebook.entry import Entry
from aggflow.notebook.path import put_at, steps, value_at


def entry_at(entries: Sequence[Entry], path: str) -> Entry | None:
    """The entry of a path; None where nothing is asked there."""
    name, found = "", None
    for step in steps(path):
        if isinstance(step, int):
            entries, name, found = () if found is None else found.of, "", None
            continue
        name = f"{name}.{step}" if name else step
        found = next((entry for entry in entries if entry.name == name), None)
    return found


def started(entries: Sequence[Entry]) -> dict[str, Any]:
    """The values of a new draft."""
    values: dict[str, Any] = {}
    for entry in entries:
        start = entry.start
        if entry.kind == "rows":
            start = [started(entry.of) | dict(row) for row in start or ()]
        put_at(values, entry.name, start)
    return values


def filled(entries: Sequence[Entry], data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of entries for plain data: texts for what is typed, nothing as the empty text."""
    values = started(entries)
    for entry in entries:
        found = value_at(data, entry.name)
        if entry.kind == "rows":
            put_at(values, entry.name, [filled(entry.of, row) for row in found or ()])
        elif found is None:
            put_at(values, entry.name, entry.start if entry.kind in ("choices", "flag") else "")
        elif entry.kind in ("text", "code", "combo"):
            put_at(values, entry.name, found if isinstance(found, str) else str(found))
        else:
            put_at(values, entry.name, found)
    return values


def given(entries: Sequence[Entry], values: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """What values declare, as plain data: what is asked and filled in.

    Parameters
    ----------
    entries, values
        What is asked, and what stands there.
    at
        The path of the row that they are of; empty at the root.
    """
    data: dict[str, Any] = {}
    for entry in entries:
        here = f"{at}.{entry.name}" if at else entry.name
        if not entry.is_declared or not entry.shows(here):
            continue
        value = value_at(values, entry.name)
        if entry.kind == "rows":
            rows = [given(entry.of, row, f"{here}[{i}]") for i, row in enumerate(value or ())]
            put_at(data, entry.name, rows)
        elif value not in ("", None):
            put_at(data, entry.name, value)
    return data
