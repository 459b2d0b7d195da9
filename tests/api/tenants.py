"""Tenants: workspaces of one home in which there is one of everything, each called by the workspace's name."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from served import Served

import aggflow as af

START = datetime(2025, 3, 1, tzinfo=UTC)
HOURS = 48


@dataclass(frozen=True)
class Names:
    """What things of a tenant are called.

    Those of two tenants are as far from a third's as from one another's: no hint can tell them apart.
    """

    workspace: str
    workspace_id: str
    source: str
    filter: str
    filter_id: str
    endpoint: str
    endpoint_id: str
    task: str
    task_id: str
    project: str
    project_id: str
    cube: str
    cube_id: str
    job_id: str
    build_id: str
    batch_id: str
    token: str
    token_id: str

    @property
    def own(self) -> list[str]:
        """Texts that nobody else may be told."""
        return [getattr(self, field.name) for field in fields(self)]

    def missing(self) -> Names:
        """Names of the same form of nothing."""
        changed = {field.name: _other(getattr(self, field.name)) for field in fields(self)}
        return replace(self, **changed)


def _other(text: str) -> str:
    try:
        uuid.UUID(text)
    except ValueError:
        return text.replace("zebra", "zebru").replace("horse", "horsu")
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))


def settle(served: Served, folder: Path, name: str) -> tuple[Names, str]:
    """Make a tenant, with one of everything; the secret of its administrator."""
    ws = served.home.workspace(name)
    ws.add_source(f"{name}_source", str(_events(folder, name)), time="at")
    aggregation = af.Aggregation("value", field="value", calculations=["COUNT", "SUM"])  # pyright: ignore[reportArgumentType] - texts are read
    filter_ = ws.add_filter(
        f"{name}_filter",
        source=f"{name}_source",
        interval="1h",
        groupings=["kind"],
        aggregations=[aggregation],
    )
    endpoint = ws.add_endpoint(
        f"{name}_endpoint",
        filter=f"{name}_filter",
        timing=af.Lookback("100y"),
        groupings={"kind": af.All()},
        fields=[af.Field("total", "value", "SUM")],  # pyright: ignore[reportArgumentType] - texts are read
    )
    task = ws.add_task(
        f"{name}_task",
        linq=f"from {name}_source group every 1h by kind select sum(value) as total",
        from_date=0,
    )
    project = ws.add_project(f"{name}_project")
    cube = ws.add_cube(
        f"{name}_cube",
        source=f"{name}_source",
        dimensions=["kind"],
        measures=[aggregation],
        project=f"{name}_project",
    )
    schedule = ws.add_schedule(f"{name}_cube", "0 25 06 ? * *")
    ws.set_event_source(f"{name}_source", event_type="kind", session_id="kind", values=["value"])
    ws.build(f"{name}_filter", progress=False)
    ws.run_tasks()
    batch = ws.build_cube(f"{name}_cube", full=True, progress=False)
    issued = ws.issue_token(f"{name}_token", owner=f"me@{name}.example", permissions=["admin"])
    names = Names(
        workspace=name,
        workspace_id=f"ws_{name}",
        source=f"{name}_source",
        filter=f"{name}_filter",
        filter_id=filter_.id,
        endpoint=f"{name}_endpoint",
        endpoint_id=endpoint.id,
        task=f"{name}_task",
        task_id=task.task_id,
        project=f"{name}_project",
        project_id=project.id,
        cube=f"{name}_cube",
        cube_id=cube.id,
        job_id=schedule.job_id,
        build_id=next(iter(ws.builds)),
        batch_id=batch.id,
        token=f"{name}_token",
        token_id=issued.token.id,
    )
    return names, issued.secret


def _events(folder: Path, name: str) -> Path:
    columns: dict[str, Any] = {
        "at": pa.array([START + timedelta(hours=hour) for hour in range(HOURS)], pa.timestamp("us", "UTC")),
        "kind": [f"{name}_a" if hour % 2 else f"{name}_b" for hour in range(HOURS)],
        "value": list(range(HOURS)),
    }
    file = folder / f"{name}.parquet"
    pq.write_table(pa.table(columns), file)
    return file
