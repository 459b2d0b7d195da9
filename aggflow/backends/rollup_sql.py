"""Rollup SQL: source rows to states, by one GROUP BY a family of measures, where the rows are.

The window's rows are staged once, with the bucket and every field already computed and filtered
(null where a sub-filter leaves a row out, or where no number stands); each family of measures then
groups the staged rows, some buckets at a time.  Every family carries a count of rows by which it is checked against the
others before anything is kept.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from aggflow.backends import quirks
from aggflow.backends.agreement import agree
from aggflow.backends.bucket import bucket_of
from aggflow.backends.slice import slices_of
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.stage import stage
from aggflow.backends.state_query import BUCKET, CELL, COUNTED, StateQueries, conditions_of, projection
from aggflow.backends.state_reader import StateReader
from aggflow.backends.statement import Statement
from aggflow.measures.cells import Cells, Layout, empty_cells
from aggflow.measures.moments import shift_of
from aggflow.measures.registry import state_keys
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.declaration import digest
from aggflow.spec.rollup import Rollup
from aggflow.timeline import ALWAYS, BEGINNING, Window, WindowSet

_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Read:
    """What was read of one window.

    Attributes
    ----------
    grains
        The cells of every grain of the layout.
    rows
        How many source rows they sum up.
    sql
        The statements that were sent, for ``explain``.
    """

    grains: tuple[Cells, ...]
    rows: int
    sql: tuple[Statement, ...]


def layout_of(rollup: Rollup, rows: SourceRows) -> Layout:
    """Where the states of a rollup stand, as the source's columns are today.

    Raises
    ------
    NotFoundError, SourceTypeError
        A field is not there, or is nothing that its calculations can be made of.
    """
    kinds = {key: rows.kind(key) for key in state_keys(rollup)}
    hashed = any(key.measure == "distinct" for key in kinds)
    return Layout.of(rollup, kinds, hash_name(rows) if hashed else "")


def hash_name(rows: SourceRows) -> str:
    """Names the hash of distinct states: who computes it, and what it gives for fixed values.

    By what it gives, not by a version: an engine may change its hash in any release, and mostly does not.
    """
    if rows.can.hash:
        return f"{rows.can.name} {_fingerprint(rows)}"
    return "pandas hash_array 1"


_fingerprints: dict[tuple[str, str], str] = {}


def _fingerprint(rows: SourceRows) -> str:
    known = (rows.can.name, str(rows.con.version))
    if known not in _fingerprints:
        values = [ibis.literal(value) for value in ("", "JFK", "a text of more than sixteen characters", 7)]
        tables = [quirks.hashed(value, rows.can).name("hash").as_table() for value in values]
        hashes = [rows.fetch(table)["hash"][0].as_py() for table in tables]
        _fingerprints[known] = digest(hashes)
    return _fingerprints[known]


def null_times(rows: SourceRows, rollup: Rollup) -> int:
    """How many rows of a rollup have no time, and so belong to no window."""
    timeless = rows.table.filter([rows.timeless(), *conditions_of(rows, rollup, ALWAYS)])
    return int(rows.fetch(timeless.aggregate(n=timeless.count()))["n"][0].as_py())


def newest_arrival(rows: SourceRows) -> int | None:
    """When the newest row arrived, in microseconds; the beginning of time if there is none.

    Returns
    -------
    int or None
        None where the source does not say when rows arrive.
    """
    ingested: Any = rows.ingested_us()
    if ingested is None:
        return None
    newest = rows.fetch(rows.table.aggregate(at=ingested.max()))["at"][0].as_py()
    return BEGINNING if newest is None else int(newest)


def touched_since(rows: SourceRows, rollup: Rollup, since_us: int) -> WindowSet:
    """The hours that got rows of a rollup at an instant of ingestion or later.

    Hours of UTC, whatever the interval: the plan snaps them to its buckets.
    """
    ingested: Any = rows.ingested_us()
    conditions = [*conditions_of(rows, rollup, ALWAYS), ingested >= since_us]
    hour = quirks.floor_to(rows.time_us(ALWAYS), _HOUR_US, rows.can)
    found = rows.fetch(rows.table.filter(conditions).select(hour=hour).distinct())["hour"]
    hours = [int(us) for us in found.to_pylist() if us is not None]
    return WindowSet(Window(us, us + _HOUR_US) for us in hours)


def read_states(
    rows: SourceRows,
    rollup: Rollup,
    layout: Layout,
    window: Window,
    vocabularies: Mapping[str, Vocabulary],
) -> Read:
    """The states of all rows of a window, at once.

    Parameters
    ----------
    rows
        The open source.
    rollup, layout
        What to keep.
    window
        Whole buckets, or cut at the end; bounded where the interval needs it.
    vocabularies
        By grouping path; new values are added.

    Raises
    ------
    SourceChangedError
        Families of measures counted different rows: the source changed in between.
    """
    (read,) = stream_states(rows, rollup, layout, window, vocabularies)
    return read


def stream_states(
    rows: SourceRows,
    rollup: Rollup,
    layout: Layout,
    window: Window,
    vocabularies: Mapping[str, Vocabulary],
    slice_rows: int | None = None,
) -> Generator[Read]:
    """The states of all rows of a window, slice by slice, so that the memory they take is that of a slice.

    Parameters
    ----------
    rows
        The open source; nothing else is asked of it before the last slice was taken.
    rollup, layout, window
        As for :func:`read_states`.
    vocabularies
        By grouping path; new values are added.  May be emptied between two slices.
    slice_rows
        How many source rows a slice should have at most, or cells, where one statement gives all; a single
        bucket may have more.  None reads all at once.

    Yields
    ------
    Read
        One slice's, in the order of their buckets; at least one.

    Raises
    ------
    SourceChangedError
        Families of measures counted different rows: the source changed in between.
    """
    bucket = bucket_of(rows.time_us(window), rollup.width, rollup.zone, window, rows.can)
    projected = projection(rows, rollup, layout, window, bucket)
    asked = StateQueries(rollup, layout, projected, rows.can)
    if (grain := _only_grain(layout)) is not None:
        reader = StateReader(rows, asked, bucket, vocabularies, {})
        yield from _of_one_statement(reader, layout, grain, slice_rows)
        return
    sql: list[Statement] = []
    with _staged(rows, projected, sql) as staged:
        asked = StateQueries(rollup, layout, staged, rows.can)
        total, shifts = _survey(rows, asked, sql)
        if total == 0:
            yield Read(tuple(empty_cells(layout, i) for i in range(len(layout.grains))), 0, tuple(sql))
        for part, expected in _slices(rows, asked, total, slice_rows, sql):
            reader = StateReader(rows, part, bucket, vocabularies, shifts)
            grains = _grains(reader, layout, expected)
            yield Read(grains, expected, (*sql, *reader.sql))
            del reader, grains
            sql.clear()


def _only_grain(layout: Layout) -> int | None:
    """The grain that one statement reads all of, so that nothing can change between two; None where it takes several."""
    grains = [i for i, keys in enumerate(layout.keys) if keys]
    # Moments are taken from a number in the middle of the values, which has to be found first.
    at_once = all(key.measure in CELL and key.measure != "moments" for key in layout.kinds)
    return (grains or [0])[0] if at_once and len(grains) <= 1 else None


def _of_one_statement(
    reader: StateReader, layout: Layout, grain: int, slice_cells: int | None
) -> Iterator[Read]:
    none = [empty_cells(layout, i) for i in range(len(layout.grains))]
    found = False
    for cells in reader.stream_grain(grain, slice_cells) if slice_cells else [reader.grain(grain)]:
        found = True
        grains = tuple(cells if i == grain else empty for i, empty in enumerate(none))
        yield Read(grains, int(cells.rows.sum()), tuple(reader.sql))
    if not found:
        yield Read(tuple(none), 0, tuple(reader.sql))


def _grains(reader: StateReader, layout: Layout, expected: int) -> tuple[Cells, ...]:
    """The cells of every grain, each of which counts all rows."""
    read = {i: reader.grain(i) for i, keys in enumerate(layout.keys) if keys} or {0: reader.grain(0)}
    for cells in read.values():
        agree(expected, int(cells.rows.sum()), "a rollup's cells")
    return tuple(read[i] if i in read else empty_cells(layout, i) for i in range(len(layout.grains)))


def _survey(rows: SourceRows, asked: StateQueries, sql: list[Statement]) -> tuple[int, dict[str, float]]:
    """Count the rows, and find from where each field's moments are taken."""
    expression = asked.survey()
    sql.append(Statement(expression, rows.can.name))
    (found,) = rows.fetch(expression).to_pylist()
    fields = asked.moment_fields()
    shifts = {field: shift_of(found[f"least_{field}"], found[f"most_{field}"]) for field in fields}
    return int(found["n"]), shifts


def _slices(
    rows: SourceRows, asked: StateQueries, total: int, slice_rows: int | None, sql: list[Statement]
) -> Iterator[tuple[StateQueries, int]]:
    """What is asked of each slice, and how many rows it has."""
    # Without a copy of the rows, each slice would read all of the window from the source.
    if slice_rows is None or total <= slice_rows or rows.can.snapshot == "none":
        yield from [(asked, total)] if total else []
        return
    expression = asked.buckets()
    sql.append(Statement(expression, rows.can.name))
    found = rows.fetch(expression)
    slices = list(slices_of(found[BUCKET].to_numpy(), found[COUNTED].to_numpy(), slice_rows))
    agree(total, sum(each.rows for each in slices), "the buckets")
    del found
    for each in slices:
        yield asked.within(each.first, each.last), each.rows


@contextmanager
def _staged(rows: SourceRows, projected: ir.Table, sql: list[Statement]) -> Iterator[ir.Table]:
    """The projected rows, copied once where the backend can, so that all statements read the same."""
    if rows.can.snapshot == "none":
        yield projected
        return
    sql.append(Statement(projected, rows.can.name))
    with stage(rows.con, rows.can, quirks.adapted(projected, rows.can)) as staged:
        yield staged
