"""Tasks: what is asked of a workspace's tasks, and what becomes of it; their life is kept in the catalog.

What is asked is written into a task's record at once.  A run settles it: only then does the rollup
follow, so that whoever asks never waits, and a run that dies is made up for by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any, Final

from aggflow.catalog import Catalog, Definition, DispatchKind, TaskRecord
from aggflow.engine.declarations import Declarations
from aggflow.engine.due import KINDS, Due, retry_at
from aggflow.engine.stored_task import StoredTask
from aggflow.errors import (
    AggflowError,
    CancelledError,
    CatalogBusyError,
    ConflictError,
    LeaseLostError,
    NotFoundError,
)
from aggflow.spec.declaration import plain, read
from aggflow.spec.lifecycle import (
    LIVING,
    Operation,
    Status,
    after,
    built,
    failed,
    rest_of,
    retry_after,
    settled,
)
from aggflow.spec.rollups import rollups_of
from aggflow.spec.task import Task
from aggflow.timeline import FOREVER, Micros, Window, WindowSet

#: How long a deleted task is still listed.
DELETED_FOR_US: Final = 30 * 86_400_000_000

_TELL: Final[tuple[DispatchKind, str]] = ("tasks", "")
_OF_ITS_QUERY: Final = (Status.PENDING_CREATE, Status.PENDING_UPDATE)
_TO_SETTLE: Final = tuple(status.value for status in Status if status.is_pending)
# What is asked for while a build is at work, and ends it.
_ENDING_A_BUILD: Final = (
    *(Status.PENDING_STOP, Status.PENDING_START, Status.PENDING_UPDATE, Status.PENDING_DELETE),
    *(Status.STOPPED, Status.PARTIAL_STOPPED, Status.DELETED),
)
_TRIES: Final = 5
_LOOKED_AT: Final = 20


class Tasks:
    """The tasks of a workspace.

    Parameters
    ----------
    catalog, workspace_id, declarations
        Where they are kept, and their rollups declared.
    clock
        Microseconds since the epoch, now.
    lease_ttl
        Seconds for which a window is kept from builds while it is dropped.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        declarations: Declarations,
        clock: Callable[[], Micros],
        lease_ttl: float,
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._declarations = declarations
        self._clock = clock
        self._lease_ttl = lease_ttl

    # -- reading

    def all(
        self, statuses: Collection[str] | None = None, ids: Collection[str] | None = None
    ) -> list[StoredTask]:
        """Tasks, oldest first; deleted ones only where their status is asked for."""
        wanted = LIVING if statuses is None else tuple(statuses)
        return [StoredTask.of(record) for record in self._catalog.tasks(self._workspace_id, wanted, ids)]

    def get(self, task: str) -> TaskRecord:
        """The task of an id or a name.

        Raises
        ------
        NotFoundError
            There is none.
        """
        found = self.find(task)
        if found is None:
            living = self._catalog.tasks(self._workspace_id, LIVING)
            raise NotFoundError("task", task, [record.name for record in living])
        return found

    def find(self, task: str) -> TaskRecord | None:
        """The task of an id, or else of a name, or None."""
        by_id = self._catalog.task(task) if ":" in task else None
        if by_id is not None and by_id.workspace_id == self._workspace_id:
            return by_id
        return self._catalog.task_named(self._workspace_id, task)

    def of_reference(self, reference: str) -> TaskRecord | None:
        """The task whose rollup has a reference, such as ``task by client``, or None."""
        kind, _, name = reference.partition(" ")
        return self._catalog.task_named(self._workspace_id, name) if kind == "task" else None

    def due(self, now_us: Micros) -> list[str]:
        """References of the tasks and filters that a run has to build."""
        return Due(
            self._catalog.frontiers(self._workspace_id, KINDS),
            self._catalog.tasks(self._workspace_id, LIVING),
            self._catalog.coverage,
            now_us,
        ).references()

    # -- what is asked

    def add(self, spec: Task) -> TaskRecord:
        """A new task, known to fit its source.

        Raises
        ------
        ConflictError
            There is one of that name, or what is built of one that was renamed still has it.
        """
        record = self._catalog.add_task(self._workspace_id, spec.name, plain(spec), self._clock())
        try:
            definition_id = self._put(spec)
        except AggflowError:
            gone = Status.DELETED.value
            self._catalog.change_task(record.id, record.status, status=gone, deleted_us=self._clock())
            raise
        self._catalog.change_task(record.id, LIVING, definition_id=definition_id, dispatch=_TELL)
        return self._again(record)

    def update(self, record: TaskRecord, spec: Task) -> TaskRecord:
        """A task with another declaration, known to fit its source.

        Raises
        ------
        ConflictError
            It is not taken now, or there is a task of its new name.
        """
        old = read(Task, record.spec)
        form = form_of_update(old, spec)
        values: dict[str, Any] = {"spec": plain(spec), "updated_us": self._clock()}
        if spec.name != record.name:
            values["name"] = spec.name
        if form is Operation.UPDATE:
            self._ask(record, form, values)
        else:
            self._ask(record, form, {**values, "status_data": None, "failures": 0}, is_update=True)
        record = self._again(record)
        self._declarations.carry(old, spec)
        return record if form is Operation.REBUILD else self._declared(record)

    def check_update(self, record: TaskRecord, spec: Task) -> None:
        """Make sure that a task could be changed now.

        Raises
        ------
        ConflictError
            It could not; the error names its status.
        """
        if record.status != Status.DELETED:
            after(form_of_update(read(Task, record.spec), spec), Status(record.status))

    def start(self, record: TaskRecord, from_date: Any) -> TaskRecord:
        """A task that is aggregated again from a date on.

        Raises
        ------
        ConflictError
            It is not taken now.
        SpecError
            The date is none.
        """
        spec = replace(read(Task, record.spec), from_date=from_date)
        values = {"spec": plain(spec), "updated_us": self._clock(), "status_data": None, "failures": 0}
        return self._ask(record, Operation.START, values)

    def ask(self, record: TaskRecord, operation: Operation) -> TaskRecord:
        """A task that was asked to stop, to go on, or to be deleted.

        Raises
        ------
        ConflictError
            It is not taken now; the error names the status.
        """
        return self._ask(record, operation, {"status_data": None, "failures": 0})

    def _ask(
        self, record: TaskRecord, operation: Operation, values: dict[str, Any], *, is_update: bool = False
    ) -> TaskRecord:
        for _ in range(_TRIES):
            status = Status(record.status)
            next_ = after(operation, status)
            changed = {**values, "status": next_.value}
            if next_ is not status:
                rest = rest_of(status, record.settled_status).value if is_update else None
                changed |= {"changed_us": self._clock(), "settled_status": rest}
            if self._catalog.change_task(record.id, record.status, dispatch=_TELL, **changed):
                return self._again(record)
            record = self._again(record)  # somebody else asked for something in between
        raise ConflictError(f"task {record.name!r} is being changed by others", hint="try again")

    def _again(self, record: TaskRecord) -> TaskRecord:
        found = self._catalog.task(record.id)
        if found is None:
            raise NotFoundError("task", record.id)
        return found

    # -- what becomes of it

    def pending(self) -> Iterator[TaskRecord]:
        """The tasks that are to be settled."""
        yield from self._catalog.tasks(self._workspace_id, _TO_SETTLE)

    def settle(self, record: TaskRecord) -> TaskRecord:
        """Do what was asked of a task, as far as it takes no build.

        Raises
        ------
        AggflowError
            It cannot be done now; the next run tries again.
        """
        match Status(record.status):
            case Status.PENDING_STOP:
                return self._settled(record, has_windows_left=self._has_windows_left(record))
            case Status.PENDING_DELETE:
                self._drop(record)
                return self._settled(record, deleted_us=self._clock())
            case Status.PENDING_START:
                record = self._declared(record)
                return self._settled(record) if self._dropped_from(record) else record
            case _:
                return self._settled(self._declared(record))

    def take_up(self, record: TaskRecord) -> TaskRecord:
        """A task whose query is the one that was declared last; whatever else was asked of it waits for a run."""
        record = self._declared(record)
        return self._settled(record) if Status(record.status) in _OF_ITS_QUERY else record

    def purge(self) -> int:
        """Forget tasks that were deleted long ago; how many there were."""
        before_us = self._clock() - DELETED_FOR_US
        deleted = self._catalog.tasks(self._workspace_id, (Status.DELETED.value,))
        # Looked at first: a run that has nothing to do writes nothing.
        if all((record.deleted_us or 0) >= before_us for record in deleted):
            return 0
        return self._catalog.purge_tasks(before_us)

    def _settled(self, record: TaskRecord, *, has_windows_left: bool = False, **values: Any) -> TaskRecord:
        status = Status(record.status)
        next_ = settled(status, has_windows_left=has_windows_left)
        if next_ is status:
            return record
        changed: dict[str, Any] = {**values, "status": next_.value, "changed_us": self._clock()}
        self._catalog.change_task(record.id, record.status, **changed)
        return self._again(record)

    def _declared(self, record: TaskRecord) -> TaskRecord:
        """A task whose definition and rollup are what its record says; where it stands stays as it is."""
        definition = self._definition(record)
        if definition is not None and definition.spec == record.spec and definition.name == record.name:
            return record
        if definition is not None and definition.name != record.name:
            # Endpoints that still ask it by its old name: their change was cut off, or they were saved meanwhile.
            self._declarations.carry(
                replace(read(Task, definition.spec), name=definition.name), read(Task, record.spec)
            )
            self._catalog.rename_definition(definition.id, record.name, self._clock())
        definition_id = self._put(read(Task, record.spec))
        if definition_id != record.definition_id:
            self._catalog.change_task(record.id, LIVING, definition_id=definition_id)
        return self._again(record)

    def _put(self, spec: Task) -> str:
        """Declare a task's rollup; the id of its definition."""
        try:
            return self._declarations.put_owner("task", spec).id
        except ConflictError:
            # Another process made the rollup at this moment: now it is there.
            return self._declarations.put_owner("task", spec).id

    def _definition(self, record: TaskRecord) -> Definition | None:
        return None if record.definition_id is None else self._catalog.definition_by_id(record.definition_id)

    def _dropped_from(self, record: TaskRecord) -> bool:
        """Drop what is built from the beginning of a task on; not while a build is at work there."""
        rollup = self._catalog.rollup_of(record.definition_id or "")
        if rollup is None:
            return True
        window = Window(read(Task, record.spec).from_us, FOREVER)
        lease = self._catalog.acquire_lease(
            rollup.id, window, f"start of task {record.name}", self._clock(), self._lease_ttl
        )
        if lease is None:
            return False
        try:
            for version in self._catalog.versions(rollup.id):
                self._catalog.drop_window(rollup.id, version.number, window, self._clock())
        finally:
            self._catalog.release_lease(lease)
        return True

    def _drop(self, record: TaskRecord) -> None:
        definition = self._definition(record)
        if definition is not None:
            self._declarations.drop("task", definition.name, record.name)

    def _has_windows_left(self, record: TaskRecord) -> bool:
        """Whether a task is stopped in the middle of what it was catching up with.

        That is so where windows are missing between built ones, or where a build did some of its
        windows and not the rest; what only time brought since then is not counted.
        """
        rollup = self._catalog.rollup_of(record.definition_id or "")
        rows = () if rollup is None else self._catalog.coverage(rollup.id).rows
        if rollup is None or not rows:
            return False
        spec = read(Task, record.spec)
        end = max(row.window.end for row in rows)
        for build in self._catalog.builds(self._workspace_id, rollup_id=rollup.id, limit=_LOOKED_AT):
            if build.status == "done":
                break
            if build.windows_done:
                until_us = spec.wait.before(build.started_us or build.created_us)
                end = max(end, spec.grain.floor(until_us, spec.zone))
        covered = WindowSet(row.window for row in rows)
        return spec.from_us < end and Window(spec.from_us, end) not in covered

    # -- how its builds go

    def is_to_stop(self, record: TaskRecord) -> bool:
        """Whether something was asked of a task, since its build began, that ends the build."""
        now = self._catalog.task(record.id)
        return now is None or (now.status != record.status and Status(now.status) in _ENDING_A_BUILD)

    def succeeded(self, record: TaskRecord) -> TaskRecord:
        """Note that all that a task wants is built."""
        record = self._again(record)
        status = Status(record.status)
        next_ = built(status, Status(record.settled_status or Status.RUNNING))
        if next_ is status and not record.failures and record.status_data is None:
            return record
        values: dict[str, Any] = {"status": next_.value, "failures": 0, "status_data": None}
        if next_ is not status:
            values |= {"changed_us": self._clock(), "settled_status": None}
        self._catalog.change_task(record.id, record.status, **values)
        return self._again(record)

    def failed(self, record: TaskRecord, error: BaseException) -> TaskRecord:
        """Note that a build of a task, or what it was asked for, failed."""
        record = self._again(record)
        status, now_us = Status(record.status), self._clock()
        failures = record.failures + 1
        next_ = failed(status, failures)
        values: dict[str, Any] = {"status": next_.value, "failures": failures}
        if next_ is not status:
            rest = record.settled_status or Status.RUNNING.value
            values |= {"changed_us": now_us, "settled_status": rest}
        if next_ is Status.ERROR or next_.is_pending:
            since = (record.status_data or {}).get("since", now_us // 1000)
            retry_us = now_us + retry_after(failures) if next_ is Status.ERROR else now_us
            message = error.message if isinstance(error, AggflowError) else str(error)
            values["status_data"] = {
                "class": type(error).__name__,
                "message": message,
                "since": since,
                "retryAt": retry_us // 1000,
            }
        self._catalog.change_task(record.id, record.status, **values)
        return self._again(record)


def form_of_update(old: Task, new: Task) -> Operation:
    """Which form an update has: what is stored is not changed, is made anew, or begins earlier.

    A later beginning changes nothing that is stored: what is built of the time before it stays.
    """
    if list(rollups_of(old).values()) != list(rollups_of(new).values()):
        return Operation.REBUILD
    return Operation.EXTEND if new.from_us < old.from_us else Operation.UPDATE


def counts_as_failure(error: BaseException) -> bool:
    """Whether an error says something of the task: that others were at work, or stopped it, does not."""
    return not isinstance(error, CatalogBusyError | ConflictError | LeaseLostError | CancelledError)


def may_try(record: TaskRecord, now_us: Micros) -> bool:
    """Whether a task in error, if it is in error, is to be tried again."""
    return record.status != Status.ERROR or retry_at(record) <= now_us
