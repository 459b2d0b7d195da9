"""Copies: rows of a catalog once more under other names, as if what they tell of had been declared and built again.

Ten thousand builds take a quarter of an hour, their rows some seconds; what a catalog costs to read is the same.
Copies name the segments of their original; one that is declared otherwise is not asked, only listed and due.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from aggflow.catalog import Catalog
from aggflow.catalog import tables as t

_COUNTERS = {(t.coverage, "id"), (t.builds, "number")}
# The file of a segment is called by the rollup that it was made for.
_KEPT = {(t.coverage, "file")}


def copy_task(catalog: Catalog, name: str, texts: Iterable[Mapping[str, str]]) -> None:
    """Copy a task that is built: once for each mapping of texts in its rows, its name among them."""
    with catalog._write() as connection:
        task = connection.execute(sa.select(t.tasks).where(t.tasks.c.name == name)).one()
        rollup = connection.execute(
            sa.select(t.rollups).where(t.rollups.c.owner_id == task.definition_id)
        ).one()
        rows = _rows(
            connection,
            (t.definitions, t.definitions.c.id == task.definition_id),
            (t.rollups, t.rollups.c.id == rollup.id),
            *((table, table.c.rollup_id == rollup.id) for table in (t.rollup_versions, t.coverage, t.builds)),
            (t.tasks, t.tasks.c.id == task.id),
        )

        def ids() -> dict[str, str]:
            anew = {one: str(uuid.uuid4()) for one in (task.definition_id, rollup.id, *_builds(rows))}
            return {**anew, task.id: f"{task.id.partition(':')[0]}:{uuid.uuid4().hex[:8]}"}

        _insert(connection, rows, ids, texts)


def copy_workspace(catalog: Catalog, name: str, texts: Iterable[Mapping[str, str]]) -> None:
    """Copy a workspace that has no tasks: once for each mapping of texts in its rows, its name among them."""
    workspace_id = f"ws_{name}"
    with catalog._write() as connection:
        rollups = sa.select(t.rollups.c.id).where(t.rollups.c.workspace_id == workspace_id)
        rows = _rows(
            connection,
            (t.workspaces, t.workspaces.c.id == workspace_id),
            *((one, one.c.workspace_id == workspace_id) for one in (t.definitions, t.rollups, t.builds)),
            *((table, table.c.rollup_id.in_(rollups)) for table in (t.rollup_versions, t.coverage)),
        )

        def ids() -> dict[str, str]:
            old = [row["id"] for table in (t.definitions, t.rollups) for row in rows[table]]
            return {one: str(uuid.uuid4()) for one in (*old, *_builds(rows))}

        _insert(connection, rows, ids, texts)


def copy_build(catalog: Catalog, build_id: str, times: int) -> None:
    """Copy the record of a build so many times, as if the rollup had been built again and again."""
    with catalog._write() as connection:
        rows = _rows(connection, (t.builds, t.builds.c.id == build_id))
        _insert(connection, rows, lambda: {build_id: str(uuid.uuid4())}, ({} for _ in range(times)))


Rows = dict[sa.Table, list[dict[str, Any]]]


def _rows(connection: sa.Connection, *found: tuple[sa.Table, sa.ColumnElement[bool]]) -> Rows:
    return {
        table: [dict(row) for row in connection.execute(sa.select(table).where(where)).mappings()]
        for table, where in found
    }


def _builds(rows: Rows) -> list[str]:
    return [row["id"] for row in rows[t.builds]]


def _insert(
    connection: sa.Connection,
    rows: Rows,
    ids: Callable[[], Mapping[str, str]],
    texts: Iterable[Mapping[str, str]],
) -> None:
    anew: Rows = {table: [] for table in rows}
    for names in texts:
        changed = {**names, **ids()}
        for table, originals in rows.items():
            anew[table] += [_renamed(table, row, changed) for row in originals]
    for table, copies in anew.items():
        if copies:
            connection.execute(table.insert(), copies)


def _renamed(table: sa.Table, row: Mapping[str, Any], changed: Mapping[str, str]) -> dict[str, Any]:
    text = json.dumps({name: value for name, value in row.items() if (table, name) not in _COUNTERS})
    for old, new in changed.items():
        text = text.replace(old, new)
    return json.loads(text) | {name: row[name] for of, name in _KEPT if of is table}
