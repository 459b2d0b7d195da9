"""Endpoints of a workspace: those that ask tasks and cubes are added after what they ask."""

from __future__ import annotations

from pathlib import Path

from aggflow.catalog import TaskRecord
from aggflow.engine.stored import Stored
from aggflow.errors import ConflictError
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.lifecycle import Status
from aggflow.workspace.tasks import TasksPart


class EndpointsPart(TasksPart):
    """The part of a workspace that adds endpoints."""

    def _put_endpoint(self, spec: Endpoint) -> Stored[Endpoint]:
        record = self._asked_task(spec)
        if record is not None:
            # Beside the query that it was declared with last; whatever else was asked of it waits for a run.
            self._declarations.check_endpoint(spec)
            self._tasks.take_up(record)
        return super()._put_endpoint(spec)

    def _asked_task(self, endpoint: Endpoint) -> TaskRecord | None:
        """The task that an endpoint asks, if it asks one."""
        kind, name = endpoint.subject
        record = self._catalog.task_named(self._id, name) if kind == "task" else None
        if record is not None and record.status == Status.PENDING_DELETE:
            raise ConflictError(f"task {name!r} is about to be deleted")
        return record

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first, endpoints last; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        ConflictError
            A task takes no change, or no endpoint, now; an endpoint that is not among them needs what it would
            lose.  Nothing is added then.
        """
        applied = super().apply_definitions(found, base)
        for endpoint in applied.endpoints:
            self._put_endpoint(endpoint)
        return applied

    def _check_together(self, found: Definitions) -> None:
        added = {("task", task.name) for task in found.tasks}
        for endpoint in found.endpoints:
            if endpoint.subject not in added:
                self._asked_task(endpoint)
        super()._check_together(found)
