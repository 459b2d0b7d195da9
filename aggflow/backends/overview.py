"""An overview of backends: a table for people, made of the capability table."""

from __future__ import annotations

from typing import Final

from aggflow.backends.capabilities import CAPABILITIES
from aggflow.backends.capability import Capability

_COLUMNS: Final = (
    "Backend",
    "URL",
    "Extra",
    "Tried",
    "One snapshot a batch",
    "Distinct counts hashed",
    "Paths into JSON",
    "Lacks",
)
_SNAPSHOTS: Final = {
    "stage": "a copy of the window",
    "select": "a copy of the window",
    "cache": "the window, kept by the engine",
    "none": "no; counts are compared",
}


def overview() -> str:
    """What each backend can do, as a table of Markdown: one row a backend.

    Examples
    --------
    >>> overview().splitlines()[0]
    '| Backend | URL | Extra | Tried | One snapshot a batch | Distinct counts hashed | Paths into JSON | Lacks |'
    """
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *map(_row, CAPABILITIES.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(can: Capability) -> tuple[str, ...]:
    return (
        can.title,
        _url(can),
        (f"`{can.extra}`" if can.extra else "none") if can.tried else "Ibis' own",
        _tried(can),
        _SNAPSHOTS[can.snapshot],
        "there" if can.hash else "here, of distinct values",
        "no" if not (can.json or can.json_python) else "by Python" if can.json_python else "yes",
        ", ".join(f"`{name}()`" for name in sorted(can.lacks)) or "nothing",
    )


def _tried(can: Capability) -> str:
    if not can.tried:
        return "compiled, not run"
    return "yes, the whole suite" + (f", on {can.tried_on}" if can.tried_on else "")


def _url(can: Capability) -> str:
    place = {"database": "file", "events": "folder/*.parquet", "": "…"}[can.reads_files]
    return f"`{can.schemes[0]}://{place}`"
