"""A stored task: a task as the workspace holds it: what was declared, and where in its life it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from aggflow.catalog import TaskRecord
from aggflow.engine.stored import Stored
from aggflow.spec.declaration import read
from aggflow.spec.lifecycle import Status
from aggflow.spec.task import Task


@dataclass(frozen=True, repr=False)
class StoredTask(Stored[Task]):
    """A task as the workspace holds it; the attributes of its spec are its own.

    Attributes
    ----------
    record
        What the catalog knows of it.
    """

    record: TaskRecord = field(kw_only=True)

    @classmethod
    def of(cls, record: TaskRecord) -> StoredTask:
        """The task of a record."""
        return cls(record.definition_id or "", read(Task, record.spec), record=record)

    @property
    def task_id(self) -> str:
        """``cc_<workspace>:<8 letters or digits>``."""
        return self.record.id

    @property
    def status(self) -> Status:
        """Where in its life it stands."""
        return Status(self.record.status)

    @property
    def status_data(self) -> Mapping[str, Any] | None:
        """Of a task in error ``{"class", "message", "since", "retryAt"}``, times in milliseconds since the epoch."""
        return self.record.status_data

    @property
    def failures(self) -> int:
        """How many of its builds failed in a row, up to now."""
        return self.record.failures

    @property
    def _state(self) -> str:
        return f"{self.status}: {self.status_data['message']}" if self.status_data else self.status

    def _repr_html_(self) -> str:
        state = f"{self.task_id}: {self.status}"
        if self.status_data:
            state += f", {self.status_data['message']}"
        return f"<p>{escape(state)}</p>{super()._repr_html_()}"

    def to_contract(self) -> dict[str, Any]:
        """As clients of the tasks API see it: its keys in their order, times in milliseconds since the epoch."""
        spec, record, data = self.spec, self.record, self.status_data
        return {
            "id": record.id,
            "name": spec.name,
            "table": spec.source,
            "wheres": list(spec.wheres),
            "delay": spec.delay,
            "query": {"linq": spec.linq, "timeZone": spec.time_zone, "locale": spec.locale},
            "description": spec.description,
            "domainName": record.workspace_id.removeprefix("ws_"),
            "ownerEmail": spec.owner_email,
            "creationDate": record.created_us // 1000,
            "updateDate": record.updated_us // 1000,
            "status": record.status,
            "statusData": data and {key: data[key] for key in ("message", "since", "retryAt")},
            "fromDate": spec.from_date,
        }
