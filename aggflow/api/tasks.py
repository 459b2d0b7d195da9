"""Tasks: the family of routes that make, change, stop, start and delete aggregation tasks.

Served under ``/aggregations/v2/aggrtasks``, and as well under ``/v2/aggrtasks`` and under the doubled
prefix that clients of the original API know.  Every answer is in the order of checks: the token (401),
the domain of the path (601), the permission (403), the domain in the task's id (603), the task (602),
and then what was sent (400).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import Authenticated, Caller, require, require_all_brands
from aggflow.api.body import read_as
from aggflow.api.errors import told
from aggflow.api.failure import Failure, Refused
from aggflow.api.family import Family
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.api.task_request import NewTask, Start, TaskChange, attributes, naming_fields
from aggflow.engine.stored_task import StoredTask
from aggflow.errors import NotFoundError
from aggflow.quote import cut, quoted
from aggflow.spec.lifecycle import Status

NOT_ALLOWED_IN_DOMAIN: Final = 601
NO_SUCH_TASK: Final = 602
NOT_IN_DOMAIN: Final = 603

_ID = re.compile(r"cc_([a-z0-9]+):[A-Za-z0-9]{8}")
_PREFIXES: Final = (
    "/aggregations/v2/aggrtasks",
    "/v2/aggrtasks",
    "/aggregations/v2/aggregations/v2/aggrtasks",
)
_EXAMPLE: Final = {
    "id": "cc_self:mwmCq714",
    "name": "first aggregation task",
    "table": "demo.ecommerce.data",
    "wheres": ['eq(client, "self")'],
    "delay": 0,
    "query": {
        "linq": 'from demo.ecommerce.data where eq(client, "self") group every 1800000 by client',
        "timeZone": "GMT+01:00",
        "locale": "es",
    },
    "description": "my new aggregation task",
    "domainName": "self",
    "ownerEmail": "john.smith@devo.com",
    "creationDate": 1677087818714,
    "updateDate": 1677087818714,
    "status": "PENDING_CREATE",
    "statusData": None,
    "fromDate": 0,
}
_NEW: Final = {name: _EXAMPLE[name] for name in ("name", "description", "query", "delay", "fromDate")}
_CHANGE: Final = {"description": "another text", "delay": 60}
_OBJECT: Final = {"type": "object", "required": list(_EXAMPLE)}
_TASK: Final[dict[int | str, dict[str, Any]]] = {200: answer_of(_OBJECT, "The task", example=_EXAMPLE)}
_TASKS: Final[dict[int | str, dict[str, Any]]] = {
    200: answer_of({"type": "array", "items": _OBJECT}, "The tasks, oldest first", example=[_EXAMPLE])
}
_MEASURED: Final[dict[int | str, dict[str, Any]]] = {
    200: answer_of(
        {"type": "object", "required": ["id", "measures", "stats"]},
        "The measures, and figures of the task's builds",
        example={
            "id": _EXAMPLE["id"],
            "measures": [{"name": "count", "function": "count", "field": None, "type": "int"}],
            "stats": {
                "lastBuild": 1677087818714,
                "builtUntil": 1677087000000,
                "lagSeconds": 818,
                "rowsRead": 98_304,
                "bucketsWritten": 48,
            },
        },
    )
}


def encode_error(failure: Failure) -> tuple[int, dict[str, Any]]:
    """A failure as clients of the tasks API see it.

    The API knows no 409: what a task's status or another task's name forbids is an error in the request.

    Examples
    --------
    >>> encode_error(Failure(404, "not_found", "there is no such task", request_id="r1", code=602))
    (404, {'code': 602, 'message': 'there is no such task', 'status': 404, 'requestId': 'r1'})
    """
    status = 400 if failure.status == 409 else failure.status
    code = status if failure.code is None else failure.code
    return status, {
        "code": code,
        "message": failure.message,
        "status": status,
        "requestId": failure.request_id,
    }


FAMILY: Final = Family("tasks", ("/aggregations", "/v2/aggrtasks"), encode_error, header="standAloneToken")


# ---------------------------------------------------------------------------------------
# Who asks, and for which task


def _in_domain(permission: str) -> Callable[..., Awaitable[Caller]]:
    """Who calls, where the token is for the path's domain and has a permission."""

    async def caller_in(domain: str, caller: Authenticated) -> Caller:
        if domain != caller.workspace.name:
            # The same whether there is such a domain or not.
            raise Refused(
                403, "the token does not allow this in the domain of the path", code=NOT_ALLOWED_IN_DOMAIN
            )
        require(caller, permission)
        return caller

    return caller_in


Viewer = Annotated[Caller, Depends(_in_domain("tasks:view"))]
Manager = Annotated[Caller, Depends(_in_domain("tasks:manage"))]
AggrId = Annotated[str, Path(alias="aggrId", description="The task's id", examples=["cc_self:mwmCq714"])]


def _found(caller: Caller, aggr_id: str) -> StoredTask:
    """The task of an id; one that was deleted not long ago, too."""
    matched = _ID.fullmatch(aggr_id)
    if matched and matched[1] != caller.workspace.name:
        raise Refused(404, f"{cut(aggr_id)} is no task of this domain", code=NOT_IN_DOMAIN)
    try:
        found = caller.workspace.task(aggr_id) if matched else None
    except NotFoundError:
        found = None
    # A task's name may look like an id.
    if found is None or found.task_id != aggr_id:
        raise Refused(404, f"there is no aggregation task {quoted(aggr_id)}", code=NO_SUCH_TASK)
    return found


def _shown(task: StoredTask) -> dict[str, Any]:
    """A task as clients see it: why it is in error, but not where its source is."""
    shown, data = task.to_contract(), task.status_data
    if data is not None:
        shown["statusData"]["message"] = told(data.get("class", ""), data["message"])
    return shown


def _reply(task: StoredTask) -> Response:
    return reply(_shown(task))


# ---------------------------------------------------------------------------------------
# Routes

router: Final = APIRouter()
T = TypeVar("T", bound=Callable[..., Any])


def _route(method: str, path: str, summary: str, **options: Any) -> Callable[[T], T]:
    """Makes a function the route of a path under each prefix; it is described under the first."""

    def add(function: T) -> T:
        for prefix in _PREFIXES:
            is_first = prefix == _PREFIXES[0]
            router.add_api_route(
                f"{prefix}{path}",
                function,
                methods=[method],
                summary=summary,
                include_in_schema=is_first,
                **options,
            )
        return function

    return add


@_route("GET", "/{domain}", "The aggregation tasks of a domain", responses=_TASKS)
def list_tasks(
    caller: Viewer,
    status: Annotated[list[Status] | None, Query(description="Only those; may be repeated")] = None,
    ids: Annotated[list[str] | None, Query(alias="id", description="Only those; may be repeated")] = None,
    skip_cache: Annotated[bool, Query(alias="skipCache", description="Statuses are never cached")] = False,  # noqa: ARG001, FBT002 - a parameter of the API
) -> Response:
    """An array of tasks, oldest first; empty where none is as asked for.

    Deleted tasks are listed only where ``status=DELETED`` is asked for, for 30 days.  ``status`` and
    ``id`` narrow down together; an id of another domain, like any that is not there, is no error here.
    ``skipCache`` may be either: statuses are always read where they are kept.
    """
    wanted = None if ids is None else [one for one in ids if _ID.fullmatch(one)]
    found = caller.workspace.list_tasks(statuses=status, ids=wanted)
    return reply([_shown(task) for task in found])


@_route("GET", "/{domain}/{aggrId}", "One aggregation task", responses=_TASK)
def get_task(caller: Viewer, aggr_id: AggrId) -> Response:
    """The task; one that was deleted is shown as DELETED for 30 days."""
    return _reply(_found(caller, aggr_id))


@_route(
    "GET", "/{domain}/{aggrId}/measures", "What a task aggregates, and how its work goes", responses=_MEASURED
)
def get_measures(caller: Viewer, aggr_id: AggrId) -> Response:
    """The columns that the task's query aggregates, and figures of its builds; times in epoch milliseconds.

    503 where the source, which knows the types of columns, cannot be reached; 403 for a token of some
    brands, as the figures are of the events of all.
    """
    require_all_brands(caller)
    return reply(caller.workspace.task_figures(_found(caller, aggr_id).task_id))


@_route(
    "POST",
    "/{domain}",
    "Create an aggregation task",
    responses=_TASK,
    openapi_extra=body_of(NewTask, example=_NEW),
)
async def create_task(request: Request, caller: Manager) -> Response:
    """The new task, ``PENDING_CREATE`` until the next run of tasks; its owner is that of the token.

    Of ``query``, ``linq`` has to be there; without ``timeZone`` it is UTC, without ``locale`` ``en``.
    An optional parameter that is null counts as not given.  Parameters that are not known are ignored.
    A name is taken until its task is DELETED.
    """
    given = attributes(await read_as(request, NewTask))
    return _reply(await run(_created, caller, given))


def _created(caller: Caller, given: dict[str, Any]) -> StoredTask:
    with naming_fields():
        return caller.workspace.add_task(**given, owner_email=caller.owner_email, replaces=False)


@_route(
    "PUT",
    "/{domain}/{aggrId}",
    "Change an aggregation task",
    responses=_TASK,
    openapi_extra=body_of(TaskChange, example=_CHANGE),
)
async def update_task(request: Request, caller: Manager, aggr_id: AggrId) -> Response:
    """The task as it is now; what is not given stays, of the query too, and so does the owner.

    What is null counts as not given, so that what clients send back whole changes nothing by accident;
    to be as fine as its period again, a task is given that as ``minGrain``.  What changes the data builds
    it anew (``PENDING_UPDATE``), an earlier ``fromDate`` builds what is missing (``PENDING_EXTEND``), all
    else holds at once.  400 while its status is not RUNNING, STOPPED or ERROR.
    """
    task = await run(_found, caller, aggr_id)
    given = attributes(await read_as(request, TaskChange))
    return _reply(await run(_changed, caller, task, given))


def _changed(caller: Caller, task: StoredTask, given: dict[str, Any]) -> StoredTask:
    with naming_fields():
        return caller.workspace.update_task(task.task_id, **given)


@_route("PUT", "/{domain}/{aggrId}/stop", "Pause an aggregation task", responses=_TASK)
def stop_task(caller: Manager, aggr_id: AggrId) -> Response:
    """The task, ``PENDING_STOP`` until the next run; a body is not looked at."""
    return _reply(caller.workspace.stop_task(_found(caller, aggr_id).task_id))


@_route("PUT", "/{domain}/{aggrId}/resume", "Let a stopped task go on", responses=_TASK)
def resume_task(caller: Manager, aggr_id: AggrId) -> Response:
    """The task, ``PENDING_RESUME`` until the next run, which fills the gap; a body is not looked at."""
    return _reply(caller.workspace.resume_task(_found(caller, aggr_id).task_id))


@_route(
    "PUT",
    "/{domain}/{aggrId}/start",
    "Aggregate again from a date on",
    responses=_TASK,
    openapi_extra=body_of(Start, example={"fromDate": "2023-01-01"}),
)
async def start_task(request: Request, caller: Manager, aggr_id: AggrId) -> Response:
    """The task, ``PENDING_START`` until the next run; what was built of the time before the date stays."""
    task = await run(_found, caller, aggr_id)
    body = await read_as(request, Start)
    return _reply(await run(_started, caller, task, body))


def _started(caller: Caller, task: StoredTask, body: Start) -> StoredTask:
    with naming_fields():
        return caller.workspace.start_task(task.task_id, body.from_date)


@_route("DELETE", "/{domain}/{aggrId}", "Delete an aggregation task", responses=_TASK)
def delete_task(caller: Manager, aggr_id: AggrId) -> Response:
    """The task, ``PENDING_DELETE`` until the next run, which drops what was built."""
    return _reply(caller.workspace.delete_task(_found(caller, aggr_id).task_id))
