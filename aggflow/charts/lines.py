"""Lines: the data of a panel over time, line after line, with gaps where buckets are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from aggflow.charts.colours import Colours
from aggflow.charts.table import Table


def rows_of_lines(table: Table, names: Sequence[str], colours: Colours | None) -> list[dict[str, Any]]:
    """Data of a panel: time ``t`` in milliseconds, value ``v``, its ``text``, and what tells lines apart.

    A line is a group; of several fields, a field.  Those without a colour come first, and so lie
    under the others.  From the first bucket on that is not complete, ``part`` is ``open``; the value
    before it is there twice, the second time as ``join``, so that what is dashed begins at it.
    """
    after, step = _calendar(table)
    lines: dict[tuple[str, str], list[int]] = {}
    for name in names:
        for i, group in enumerate(table.groups()):
            lines.setdefault((name, group), []).append(i)
    rank = {} if colours is None else {key: i for i, key in enumerate(colours.scale)}
    drawn: list[tuple[int, list[dict[str, Any]]]] = []
    for (name, group), places in lines.items():
        line = name if len(names) > 1 else group
        about = {} if colours is None else {"line": line, "key": colours.keys[line]}
        rows = _opened(_with_gaps(_line(table, name, places, about), after, step), table.open_from)
        drawn.append((-rank.get(about.get("key", ""), 0), rows))
    drawn.sort(key=lambda pair: pair[0])
    return [row for _, rows in drawn for row in rows]


def _calendar(table: Table) -> tuple[Mapping[int, int], int]:
    """Of every bucket the next one, and the shortest way between two."""
    buckets = sorted(set(table.buckets or ()))
    after = dict(pairwise(buckets))
    return after, min((later - bucket for bucket, later in after.items()), default=0)


def _line(table: Table, name: str, places: Sequence[int], about: Mapping[str, str]) -> list[dict[str, Any]]:
    field, buckets = table.fields[name], table.buckets or ()
    return [
        {
            "t": buckets[i] * 1000,
            "v": field.numbers[i],
            "text": field.texts[i],
            **about,
            **table.told(i),
        }
        for i in sorted(places, key=buckets.__getitem__)
    ]


def _with_gaps(line: list[dict[str, Any]], after: Mapping[int, int], step: int) -> list[dict[str, Any]]:
    """The rows of a line, with an empty one where buckets are missing: no line is drawn over them.

    How long a bucket is, is not known here: months differ, but never by half.
    """
    rows: list[dict[str, Any]] = []
    for row, later in pairwise([*line, None]):
        assert row is not None  # noqa: S101 - only the last one is None, and it is never the first of a pair
        rows.append(row)
        if later is None:
            continue
        bucket, following = row["t"] // 1000, later["t"] // 1000
        if after[bucket] != following or following - bucket > 1.5 * step:
            rows.append({**row, "t": (bucket + step) * 1000, "v": None, "text": ""})
    # A value between two gaps makes no line: it is drawn as a dot.
    values = [None, *(row["v"] for row in rows), None]
    return [
        {**row, "alone": True} if before is None and row["v"] is not None and behind is None else row
        for before, row, behind in zip(values, rows, values[2:], strict=False)
    ]


def _opened(rows: list[dict[str, Any]], open_from: int | None) -> list[dict[str, Any]]:
    """The rows of a line, those of buckets that are not complete set apart."""
    if open_from is None:
        return rows
    complete = [row for row in rows if row["t"] < open_from * 1000]
    opened = [{**row, "part": "open"} for row in rows[len(complete) :]]
    joins = complete and opened and None not in (complete[-1]["v"], opened[0]["v"])
    return [*complete, *([{**complete[-1], "part": "join"}] if joins else []), *opened]
