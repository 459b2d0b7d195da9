"""Schedules: the family of routes that say when the aggregates of a cube are built, and what was built.

The organization is a workspace; its projects and cubes are known by their ids.  Every answer, of
failures as well, has the same envelope.  Checked are the token and its permission (401), the
organization, project, cube and job of the path (404), and then what was sent (400).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import Authenticated, Caller, require
from aggflow.api.body import as_kind, read_object
from aggflow.api.failure import Failure, Refused, invalid
from aggflow.api.family import Family
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.catalog import BuildStatus
from aggflow.engine.batch import Batch
from aggflow.engine.stored_cube import StoredCube
from aggflow.engine.stored_schedule import Execution, StoredSchedule
from aggflow.errors import NotFoundError
from aggflow.quote import quoted
from aggflow.timeline import Micros
from aggflow.timeline.instant import to_datetime
from aggflow.workspace import Workspace

T = TypeVar("T", bound=BaseModel)
_PATH: Final = "aggregate/create"
_ZERO: Final = "0001-01-01T00:00:00Z"
_MOST_EXECUTIONS: Final = 1000
# `new` is a status of the original that no build here ever has: one that waits is pending until it begins.
_STATUSES: Final[dict[str, BuildStatus | None]] = {
    "pending": "pending",
    "new": None,
    "inprogress": "running",
    "done": "done",
    "error": "error",
    "cancelled": "cancelled",
}
_NAMES: Final = {status: name for name, status in _STATUSES.items()}
StatusName = Literal["pending", "new", "inprogress", "done", "error", "cancelled"]


def _envelope(response: Any, i18n_message: str = "response.ok", message: str = "OK") -> dict[str, Any]:
    return {"response": response, "status": {"i18n_message": i18n_message, "message": message}}


def encode_error(failure: Failure) -> tuple[int, dict[str, Any]]:
    """A failure in the envelope; one that the log has more of names the request.

    Examples
    --------
    >>> encode_error(Failure(404, "not_found", "there is no such cube"))[1]["status"]
    {'i18n_message': 'response.error.not_found', 'message': 'there is no such cube'}
    """
    message = failure.message
    if failure.status >= 500:
        message = f"{message} (request {failure.request_id})"
    return failure.status, _envelope(None, f"response.error.{failure.name}", message)


FAMILY: Final = Family("schedules", ("/org",), encode_error)
router: Final = APIRouter(prefix="/org/{orgId}")
_CUBE: Final = "/project/{projectId}/cube/{cubeId}/aggregates-creation"

_SCHEDULE: Final = {
    "created_at": "2023-05-22T08:50:56.138663Z",
    "created_by_user": "admin",
    "cube_id": "b89a2fb7-74f4-4828-706e-70f7186e10a0",
    "full_build": True,
    "job_id": "da67817b-22db-4dbf-91a8-05124e241f77",
    "latest_execution": {"executedAt": _ZERO, "id": "", "jobId": ""},
    "organization_Id": "default",
    "path": _PATH,
    "project_id": "956a27dd-32b1-482e-7d5c-2488fdb9c943",
    "time_expression": "0 25 06 ? * *",
}
_BUILD: Final = {
    "batchType": "materialize-pending-instances",
    "createDate": "2023-04-13T22:39:38.826297Z",
    "cubeId": "dea39a20-9920-4a79-51f3-1ff3a399fbd3",
    "endTime": "2023-04-13T22:39:38.869098Z",
    "estimateTime": 0,
    "id": "a50fa6cd-a159-47ca-9b99-0261894e8dca",
    "organizationId": "default",
    "projectId": "7051865d-74a8-4aad-4904-ebf88d56880c",
    "startTime": _ZERO,
    "status": "done",
}
_EXECUTION: Final = {
    "executedAt": "2023-05-22T11:30:47.412504Z",
    "id": "9b9ce2f2-b631-4d3b-8dc7-f75bd046f208",
    "jobId": "7b1c5866-87d6-4db5-b4d4-ddc0c042fd31",
}


def _answer(example: Any) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "object", "required": ["response", "status"]}
    return {200: answer_of(schema, example=_envelope(example))}


class NewSchedule(BaseModel):
    """A schedule that is to be made."""

    time_expression: str = Field(examples=["0 25 06 ? * *"])
    path: Literal["aggregate/create"]
    full_build: bool = True
    timezone: str = "UTC"


class NewBuild(BaseModel):
    """A build that is asked for."""

    is_full_build: bool = Field(False, validation_alias="isFullBuild")


# ---------------------------------------------------------------------------------------
# Who asks, and for what


def _in_organization(permission: str) -> Callable[..., Awaitable[Caller]]:
    """Who calls, where the token has a permission and is for the path's organization."""

    async def caller_in(org_id: Annotated[str, Path(alias="orgId")], caller: Authenticated) -> Caller:
        require(caller, permission, status=401)
        if org_id != caller.workspace.name:
            # The same whether there is such an organization or not.
            raise Refused(404, f"there is no organization {quoted(org_id)} for this token")
        return caller

    return caller_in


Viewer = Annotated[Caller, Depends(_in_organization("schedules:view"))]
Manager = Annotated[Caller, Depends(_in_organization("schedules:manage"))]
ProjectId = Annotated[str, Path(alias="projectId", description="A UUID")]
CubeId = Annotated[str, Path(alias="cubeId", description="A UUID")]
JobId = Annotated[str, Path(alias="jobId", description="A UUID")]


def _uuid(text: str) -> str | None:
    """A UUID as it is kept, in lower case; None of what is none."""
    try:
        found = str(UUID(text))
    except ValueError:
        return None
    return found if found == text.lower() else None


def _cube(workspace: Workspace, cube_id: str) -> StoredCube | None:
    """The cube of an id; names are none."""
    wanted = _uuid(cube_id)
    try:
        found = None if wanted is None else workspace.cube(wanted)
    except NotFoundError:
        return None
    return found if found is not None and found.id == wanted else None


def _cube_of(caller: Caller, project_id: str, cube_id: str) -> StoredCube:
    """The cube of an id in the project of another."""
    wanted = _uuid(project_id)
    if all(project.id != wanted for project in caller.workspace.projects.values()):
        raise Refused(404, f"there is no project {quoted(project_id)}")
    found = _cube(caller.workspace, cube_id)
    if found is None or found.project_id != wanted:
        raise Refused(404, f"there is no cube {quoted(cube_id)} in project {quoted(project_id)}")
    return found


def _schedule_of(caller: Caller, project_id: str, cube_id: str, job_id: str) -> StoredSchedule:
    """The schedule of an id, of the cube of another."""
    cube = _cube_of(caller, project_id, cube_id)
    wanted = _uuid(job_id)
    try:
        found = None if wanted is None else caller.workspace.schedule(wanted)
    except NotFoundError:
        found = None
    if found is None or found.cube_id != cube.id:
        raise Refused(404, f"there is no job {quoted(job_id)} of cube {quoted(cube_id)}")
    return found


async def _read(request: Request, kind: type[T]) -> T:
    """What a request gives, in its body or else in its query string; what is null counts as not given."""
    body = await read_object(request, empty={})
    given = dict(request.query_params) | {name: value for name, value in body.items() if value is not None}
    return as_kind(kind, given)


# ---------------------------------------------------------------------------------------
# What clients see


def _time(us: Micros | None) -> str:
    """An instant with its microseconds; what never was, is the zero time."""
    return _ZERO if us is None else f"{to_datetime(us):%Y-%m-%dT%H:%M:%S.%f}Z"


def _build(batch: Batch, organization: str) -> dict[str, Any]:
    return {
        "batchType": "aggregate_batch" if batch.full else "materialize-pending-instances",
        "createDate": _time(batch.created_us),
        "cubeId": batch.cube_id,
        "endTime": _time(batch.finished_us),
        "estimateTime": batch.estimate_ms,
        "id": batch.id,
        "organizationId": organization,
        "projectId": batch.project_id,
        "startTime": _time(batch.started_us),
        "status": _NAMES[batch.status],
    }


def _execution(execution: Execution | None) -> dict[str, Any]:
    if execution is None:
        return {"executedAt": _ZERO, "id": "", "jobId": ""}
    return {"executedAt": _time(execution.executed_us), "id": execution.id, "jobId": execution.job_id}


def _schedule(schedule: StoredSchedule, organization: str) -> dict[str, Any]:
    return {
        "created_at": _time(schedule.created_us),
        "created_by_user": schedule.created_by,
        "cube_id": schedule.cube_id,
        "full_build": schedule.full_build,
        "job_id": schedule.job_id,
        "latest_execution": _execution(schedule.latest_execution),
        "organization_Id": organization,
        "path": _PATH,
        "project_id": schedule.project_id,
        "time_expression": schedule.time_expression,
    }


# ---------------------------------------------------------------------------------------
# Routes


@router.get(
    "/aggregates-creation/builds/history",
    summary="The builds of aggregates, newest first",
    responses=_answer({"data": [_BUILD], "force_pull": False, "limit": 10, "offset": 0}),
)
def builds_history(
    caller: Viewer,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: Annotated[int, Query(ge=0, lt=1 << 31)] = 0,
    cube_id: Annotated[str | None, Query(alias="cubeId", description="Only of this cube")] = None,
    status: Annotated[StatusName | None, Query(description="Only those")] = None,
) -> Response:
    """A page of builds, each of all aggregates of a cube.

    ``cubeId`` that is no UUID is a 400, one of no cube a 404.  A build that was asked for is ``pending``
    until it begins, then ``inprogress``; ``new`` may be asked for, and is the status of none.  What has
    not begun or not ended has the zero time there.
    """
    found = list(_batches(caller.workspace, cube_id, status, limit, offset))
    data = [_build(batch, caller.workspace.name) for batch in found]
    return reply(_envelope({"data": data, "force_pull": False, "limit": limit, "offset": offset}))


def _batches(
    workspace: Workspace, cube_id: str | None, status: StatusName | None, limit: int, offset: int
) -> Iterator[Batch]:
    wanted = None
    if cube_id is not None:
        if _uuid(cube_id) is None:
            raise invalid([("cubeId", "must be a UUID")])
        cube = _cube(workspace, cube_id)
        if cube is None:
            raise Refused(404, f"there is no cube {quoted(cube_id)}")
        wanted = cube.id
    kept = None if status is None else _STATUSES[status]
    if status is None or kept is not None:
        yield from workspace.list_batches(cube=wanted, status=kept, limit=limit, offset=offset)


@router.get(f"{_CUBE}/scheduler", summary="The schedules of a cube", responses=_answer([_SCHEDULE]))
def list_schedules(caller: Viewer, project_id: ProjectId, cube_id: CubeId) -> Response:
    """An array of schedules, oldest first."""
    cube = _cube_of(caller, project_id, cube_id)
    found = [one for one in caller.workspace.schedules.values() if one.cube_id == cube.id]
    return reply(_envelope([_schedule(one, caller.workspace.name) for one in found]))


@router.post(
    f"{_CUBE}/scheduler",
    summary="Build a cube at times",
    responses=_answer(_SCHEDULE),
    openapi_extra=body_of(
        NewSchedule, required=False, example={"time_expression": "0 25 06 ? * *", "path": _PATH}
    ),
)
async def create_schedule(
    request: Request, caller: Manager, project_id: ProjectId, cube_id: CubeId
) -> Response:
    """The schedule, made by the token's owner; the one that is there where it says nothing new.

    Each parameter is taken from the JSON body, or where that lacks it, from the query string.
    ``time_expression`` and ``path`` are required; ``full_build`` (true) and ``timezone`` (UTC) are not.
    """
    cube = await run(_cube_of, caller, project_id, cube_id)
    given = await _read(request, NewSchedule)
    made = await run(
        caller.workspace.add_schedule,
        cube.id,
        given.time_expression,
        timezone=given.timezone,
        full_build=given.full_build,
        created_by=caller.owner_email,
    )
    return reply(_envelope(_schedule(made, caller.workspace.name)))


@router.post(
    f"{_CUBE}/execute",
    summary="Build a cube now",
    responses=_answer({"success": True}),
    openapi_extra=body_of(NewBuild, required=False),
)
async def execute(request: Request, caller: Manager, project_id: ProjectId, cube_id: CubeId) -> Response:
    """Asks for a build, and does not wait for it; while one waits already, it joins that.

    Prefect's next run builds it, or the service where no Prefect is named to it.

    ``isFullBuild`` (false) builds everything anew; it is taken from the query string or a JSON body.
    """
    cube = await run(_cube_of, caller, project_id, cube_id)
    given = await _read(request, NewBuild)
    await run(caller.workspace.request_build, cube.id, full=given.is_full_build)
    return reply(_envelope({"success": True}))


@router.delete(
    f"{_CUBE}/scheduler/jobId/{{jobId}}",
    summary="Delete a schedule",
    responses=_answer(f"successfully deleted jobId: [{_SCHEDULE['job_id']}]"),
)
def delete_schedule(caller: Manager, project_id: ProjectId, cube_id: CubeId, job_id: JobId) -> Response:
    """A sentence that names the job; what it built stays, in the history of builds as well."""
    found = _schedule_of(caller, project_id, cube_id, job_id)
    caller.workspace.remove("schedule", found.job_id)
    return reply(_envelope(f"successfully deleted jobId: [{found.job_id}]"))


@router.get(
    f"{_CUBE}/scheduler/history/jobId/{{jobId}}",
    summary="When a schedule was executed",
    responses=_answer({"history": [_EXECUTION], "job_id": _EXECUTION["jobId"]}),
)
def schedule_history(caller: Viewer, project_id: ProjectId, cube_id: CubeId, job_id: JobId) -> Response:
    """The builds that the schedule began, newest first, the last thousand; ``id`` is that of the build."""
    found = _schedule_of(caller, project_id, cube_id, job_id)
    executions = caller.workspace.schedule_history(found.job_id, limit=_MOST_EXECUTIONS)
    history = [_execution(one) for one in executions]
    return reply(_envelope({"history": history, "job_id": found.job_id}))
