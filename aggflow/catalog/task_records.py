"""Task record: a task as its users see it: its id, what was declared, and where in its life it stands."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.dispatches import DispatchKind, write_dispatch
from aggflow.catalog.tables import definitions, tasks, workspaces
from aggflow.catalog.workspaces import lock_workspace
from aggflow.errors import ConflictError, NotFoundError
from aggflow.timeline.instant import Micros

_ALPHABET = string.ascii_lowercase + string.digits
_DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task, from the moment that it was asked for until some time after it was deleted.

    Attributes
    ----------
    id
        ``cc_<workspace>:<8 letters or digits>``.
    definition_id
        The definition that its rollup belongs to; None while there is none.
    spec
        What was declared last, ready for JSON; what is built may lag behind.
    status, status_data
        Where it stands, and what there is to say of it.
    settled_status
        The status that it goes to when the change under way is through.
    failures
        How many of its builds failed one after the other, up to now.
    updated_us, changed_us, deleted_us
        When a user changed it, when its status changed, when it was deleted.
    """

    id: str
    workspace_id: str
    definition_id: str | None
    name: str
    spec: Mapping[str, Any]
    status: str
    status_data: Mapping[str, Any] | None
    settled_status: str | None
    failures: int
    created_us: Micros
    updated_us: Micros
    changed_us: Micros
    deleted_us: Micros | None


_CHANGEABLE = frozenset(TaskRecord.__slots__) - {"id", "workspace_id", "created_us"}
_BY_ID = sa.select(tasks).where(tasks.c.id == sa.bindparam("id"))
_BY_NAME = sa.select(tasks).where(
    tasks.c.workspace_id == sa.bindparam("workspace_id"),
    tasks.c.name == sa.bindparam("name"),
    tasks.c.status != _DELETED,
)


class TaskRecords(Database):
    """The part of a catalog that records tasks."""

    def add_task(
        self,
        workspace_id: str,
        name: str,
        spec: Mapping[str, Any],
        now_us: Micros,
        *,
        status: str = "PENDING_CREATE",
        definition_id: str | None = None,
        settled_status: str | None = None,
        dispatch: tuple[DispatchKind, str] | None = None,
    ) -> TaskRecord:
        """Record a new task under a new id.

        Parameters
        ----------
        workspace_id, name
            Whose, and what it is called; names are unique among those that are not deleted.
        spec
            What is declared, ready for JSON.
        now_us
            The present instant, in microseconds.
        status, settled_status
            Where it stands, and where it goes from there.
        definition_id
            The definition that its rollup belongs to.
        dispatch
            What the orchestration is to be told of it: a kind, and a key, which is the task's id
            where it is empty.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        ConflictError
            There is a task of that name, or what is built of one that was renamed still has it.
        """
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            _check_name(connection, workspace_id, name)
            task = TaskRecord(
                id=_new_id(connection, workspace_id),
                workspace_id=workspace_id,
                definition_id=definition_id,
                name=name,
                spec=dict(spec),
                status=status,
                status_data=None,
                settled_status=settled_status,
                failures=0,
                created_us=now_us,
                updated_us=now_us,
                changed_us=now_us,
                deleted_us=None,
            )
            connection.execute(tasks.insert().values(asdict(task)))
            if dispatch is not None:
                _tell(connection, dispatch, task)
            return task

    def task(self, task_id: str) -> TaskRecord | None:
        """The task of an id, in whichever workspace, or None."""
        rows = self._read(_BY_ID, id=task_id)
        return TaskRecord(*rows[0]) if rows else None

    def task_named(self, workspace_id: str, name: str) -> TaskRecord | None:
        """The task of a workspace that has a name and is not deleted, or None."""
        rows = self._read(_BY_NAME, workspace_id=workspace_id, name=name)
        return TaskRecord(*rows[0]) if rows else None

    def check_task_name(self, workspace_id: str, name: str) -> None:
        """Make sure that a task could be added under a name.

        Raises
        ------
        ConflictError
            There is a task of that name, or what is built of one that was renamed still has it.
        """
        with self._write() as connection:
            _check_name(connection, workspace_id, name)

    def tasks(
        self,
        workspace_id: str,
        statuses: Collection[str] | None = None,
        ids: Collection[str] | None = None,
    ) -> tuple[TaskRecord, ...]:
        """The tasks of a workspace, oldest first.

        Parameters
        ----------
        workspace_id
            Whose.
        statuses, ids
            Only those; None is any, deleted ones too.
        """
        statement = sa.select(tasks).where(tasks.c.workspace_id == workspace_id)
        if statuses is not None:
            statement = statement.where(tasks.c.status.in_(list(statuses)))
        if ids is not None:
            statement = statement.where(tasks.c.id.in_(list(ids)))
        rows = self._read(statement.order_by(tasks.c.created_us, tasks.c.id))
        return tuple(TaskRecord(*row) for row in rows)

    def change_task(
        self,
        task_id: str,
        expected: str | Collection[str],
        *,
        dispatch: tuple[DispatchKind, str] | None = None,
        **values: Any,
    ) -> bool:
        """Change a task, if it still stands where it is thought to stand: one of several callers wins.

        Parameters
        ----------
        task_id
            The task.
        expected
            The status, or statuses, that it may have now.
        dispatch
            What the orchestration is to be told of the change: a kind, and a key, which is the
            task's id where it is empty.
        **values
            What changes, by the attributes of `TaskRecord`.

        Returns
        -------
        bool
            Whether it was changed; False where its status is another one.

        Raises
        ------
        NotFoundError
            There is no such task.
        ConflictError
            Another task, or what is built of one, has the name that it is to have.
        """
        if unknown := values.keys() - _CHANGEABLE:
            raise TypeError(f"a task has no {', '.join(sorted(unknown))} that changes")
        statuses = [expected] if isinstance(expected, str) else list(expected)
        with self._write() as connection:
            found = connection.execute(_BY_ID, {"id": task_id}).first()
            if found is None:
                raise NotFoundError("task", task_id)
            # Names are compared, and what is to be told is written, by one writer at a time.
            lock_workspace(connection, found.workspace_id)
            if "name" in values:
                _check_name(connection, found.workspace_id, values["name"], task_id)
            as_expected = tasks.update().where(tasks.c.id == task_id, tasks.c.status.in_(statuses))
            # With no values it still tells whether the status is as expected.
            if connection.execute(as_expected.values({"id": task_id, **values})).rowcount == 0:
                return False
            task = TaskRecord(*connection.execute(_BY_ID, {"id": task_id}).one())
            if dispatch is not None:
                _tell(connection, dispatch, task)
            return True

    def purge_tasks(self, before_us: Micros) -> int:
        """Forget tasks that were deleted before an instant, in all workspaces; how many there were."""
        old = (tasks.c.status == _DELETED, tasks.c.deleted_us < before_us)
        with self._write() as connection:
            return connection.execute(tasks.delete().where(*old)).rowcount


def _tell(connection: sa.Connection, dispatch: tuple[DispatchKind, str], task: TaskRecord) -> None:
    kind, key = dispatch
    now_us = max(task.updated_us, task.changed_us)
    write_dispatch(connection, task.workspace_id, (kind, key or task.id), now_us)


def _check_name(connection: sa.Connection, workspace_id: str, name: str, but_id: str = "") -> None:
    same = sa.select(tasks.c.id).where(
        tasks.c.workspace_id == workspace_id,
        tasks.c.name == name,
        tasks.c.status != _DELETED,
        tasks.c.id != but_id,
    )
    if connection.execute(same).first() is not None:
        raise ConflictError(f"there is a task {name!r} already", hint="choose another name")

    _check_unheld(connection, workspace_id, name, but_id)


def _check_unheld(connection: sa.Connection, workspace_id: str, name: str, but_id: str) -> None:
    """Refuse a name that the definition of another task keeps until its new name is taken up."""
    held = sa.select(tasks.c.name).where(
        tasks.c.workspace_id == workspace_id,
        tasks.c.definition_id == definitions.c.id,
        definitions.c.name == name,
        tasks.c.status != _DELETED,
        tasks.c.id != but_id,
    )
    holder = connection.execute(held).scalar()
    if holder is not None:
        raise ConflictError(
            f"what is built of task {holder!r} is still called {name!r}",
            hint="run the tasks first, or choose another name",
        )


def _new_id(connection: sa.Connection, workspace_id: str) -> str:
    owner = sa.select(workspaces.c.name).where(workspaces.c.id == workspace_id)
    name = connection.execute(owner).scalar_one()
    while True:
        new = f"cc_{name}:{''.join(secrets.choice(_ALPHABET) for _ in range(8))}"
        if connection.execute(_BY_ID, {"id": new}).first() is None:
            return new
