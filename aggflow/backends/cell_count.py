"""A cell count: how many cells a rollup would have in each of its buckets, counted where the rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np

from aggflow.backends.bucket import bucket_of
from aggflow.backends.extent import extent
from aggflow.backends.source_rows import SourceRows
from aggflow.measures.state import Int64s
from aggflow.spec.rollup import Rollup
from aggflow.timeline import ALWAYS, Window


@dataclass(frozen=True)
class CellCount:
    """How many cells, of how many source rows, each bucket of a rollup has.

    Attributes
    ----------
    buckets
        The starts of the buckets that have rows, in whole seconds since the epoch, rising.
    cells, rows
        Of each bucket.
    """

    buckets: Int64s
    cells: Int64s
    rows: Int64s


def count_cells(rows: SourceRows, rollup: Rollup, window: Window) -> CellCount:
    """Count the cells that a rollup would have in a window; only a number a bucket leaves the backend.

    Parameters
    ----------
    rows
        The open source.
    rollup
        Which events, by which groupings, in which buckets; what is kept of them does not matter.
    window
        What to count.

    Raises
    ------
    SourceError
        The source cannot be read.
    """
    readable = _readable(rows, rollup, window)
    if readable is None:
        nothing = np.zeros(0, dtype=np.int64)
        return CellCount(nothing, nothing, nothing)
    bucket = bucket_of(rows.time_us(readable), rollup.width, rollup.zone, readable, rows.can)
    columns: dict[str, Any] = {"bucket": bucket.number.cast("int64")}
    columns |= {f"by{i}": rows.grouping(path) for i, path in enumerate(rollup.groupings)}
    taken = _taken(rows, rollup, readable).select(**columns)
    cells = taken.group_by(list(columns)).aggregate(n=lambda t: t.count())
    counted = cells.group_by("bucket").aggregate(cells=lambda t: t.count(), rows=lambda t: t["n"].sum())
    found = rows.fetch(counted.filter(counted["bucket"].notnull()).order_by("bucket"))
    return CellCount(
        bucket.starts(found["bucket"].to_numpy()),
        found["cells"].to_numpy().astype(np.int64),
        found["rows"].to_numpy().astype(np.int64),
    )


def count_rows(rows: SourceRows, rollup: Rollup) -> int:
    """Count the rows of a source that a rollup takes, of all time.

    Raises
    ------
    SourceError
        The source cannot be read.
    """
    taken = _taken(rows, rollup, ALWAYS)
    return int(rows.fetch(taken.aggregate(n=taken.count()))["n"][0].as_py())


def _taken(rows: SourceRows, rollup: Rollup, window: Window) -> ir.Table:
    where = [rows.predicate(rollup.where)] if rollup.where else []
    conditions = [*rows.within(window), *where]
    return rows.table.filter(conditions) if conditions else rows.table


def _readable(rows: SourceRows, rollup: Rollup, window: Window) -> Window | None:
    """A window with both ends, where calendars need them: what of it has rows."""
    if window.is_bounded or not rollup.width.is_calendar:
        return window
    there = extent(rows, rollup, window).window
    return there and there & window
