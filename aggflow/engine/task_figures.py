"""Task figures: the columns that a task aggregates, and how its work goes, as clients of the tasks API see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aggflow.backends.source_rows import SourceRows
from aggflow.catalog import Catalog
from aggflow.engine.stored_task import StoredTask
from aggflow.language import Aggregate, Path, to_linq
from aggflow.measures.registry import state_key
from aggflow.spec.reading import reading_of
from aggflow.spec.task import Task
from aggflow.timeline import Micros

_BY_FUNCTION: Final = {
    **dict.fromkeys(("count", "hllpp"), "int"),
    **dict.fromkeys(("avg", "stddev", "var", "median", "percentile", "hllppcount"), "float"),
}
_BY_KIND: Final = {"integer": "int", "decimal": "float", "float": "float", "boolean": "bool", "text": "str"}


def measures_of(spec: Task, rows: SourceRows) -> list[dict[str, Any]]:
    """The columns that a task aggregates.

    Parameters
    ----------
    spec
        The task.
    rows
        Its source, which knows the types of columns.

    Returns
    -------
    list of dict
        ``{"name", "function", "field", "type"}``: what answers call it, the function, what it is
        computed of (None for rows), the type of the result.
    """
    return list(_measures(spec, rows))


def _measures(spec: Task, rows: SourceRows) -> Iterator[dict[str, Any]]:
    query, rollup = spec.query, spec.rollup
    kinds = {one.name: one.kept for one in reading_of(query).measured}
    names = {output.operand: output.name for output in query.outputs}
    for aggregate in query.aggregates:
        kept = kinds[aggregate.name]
        by_kind = _BY_KIND.get(rows.kind(state_key(kept, rollup)).name, "int")
        yield {
            "name": names.get(Path((aggregate.name,)), aggregate.name),
            "function": _function(aggregate),
            "field": None if aggregate.argument is None else to_linq(aggregate.argument),
            "type": _BY_FUNCTION.get(aggregate.function, by_kind),
        }


def _function(aggregate: Aggregate) -> str:
    return aggregate.name.partition("(")[0]


def stats_of(task: StoredTask, catalog: Catalog, now_us: Micros) -> dict[str, Any]:
    """How a task's work goes; times in milliseconds since the epoch.

    Returns
    -------
    dict
        When its last good build ended, up to when it is built, by how much that is behind now, the
        source rows that were read and the buckets that were written by all its builds.
    """
    rollup = catalog.rollup_of(task.id)
    if rollup is None:
        return dict.fromkeys(("lastBuild", "builtUntil", "lagSeconds")) | {"rowsRead": 0, "bucketsWritten": 0}
    totals = catalog.build_totals(rollup.id)
    until_us = max((row.window.end for row in catalog.coverage(rollup.id).rows), default=None)
    return {
        "lastBuild": None if totals.done_us is None else totals.done_us // 1000,
        "builtUntil": None if until_us is None else until_us // 1000,
        "lagSeconds": None if until_us is None else max(0, now_us - until_us) // 1_000_000,
        "rowsRead": totals.rows_read,
        "bucketsWritten": totals.states_written,
    }
