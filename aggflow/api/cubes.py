"""Cubes over HTTP: those of a project, listed, added, changed, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.administrator import Administrator
from aggflow.api.body import read_object
from aggflow.api.definitions import PROJECTS, DryRun, Rebuild, added, listed
from aggflow.api.failure import Refused, invalid
from aggflow.api.managed import Change, Managed, Outcome, arguments
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.engine.stored_cube import StoredCube
from aggflow.spec.cube import Cube
from aggflow.workspace import Workspace

router: Final = APIRouter(prefix="/api/v1/projects/{project}/cubes")
_BODY: Final = body_of(Cube)
_ANSWER: Final = answer_of(Cube)


def _put(ws: Workspace, spec: Cube, change: Change) -> StoredCube:
    return ws.add_cube(**arguments(spec, change))


def _of_project(ws: Workspace, project: str) -> Managed:
    """The cubes of a project, by its id or name.

    Raises
    ------
    NotFoundError
        There is no such project.
    """
    name = PROJECTS.find(ws, project).spec.name
    return Managed(
        "cube",
        "cubes",
        Cube,
        lambda ws: {cube.name: cube for cube in ws.cubes.values() if cube.project == name},
        _put,
        lambda _, data, __: {"project": name, **data},
        beside=lambda cube: {"project_id": cube.project_id},
        changes=("rebuild",),
    )


def _add(ws: Workspace, project: str, data: Mapping[str, Any]) -> tuple[Managed, Outcome]:
    managed, name = _of_project(ws, project), PROJECTS.find(ws, project).spec.name
    if data.get("project", name) != name:
        raise invalid([("project", f"is not {name!r}, to whose cubes it is added")])
    if isinstance(other := data.get("name"), str) and other in ws.cubes:
        raise Refused(409, f"there is a cube {other!r} already, in project {ws.cubes[other].project!r}")
    return managed, managed.add(ws, data)


def _change(ws: Workspace, project: str, cube: str, data: Mapping[str, Any], change: Change) -> Response:
    managed = _of_project(ws, project)
    return reply(managed.told(managed.change(ws, cube, data, change)))


@router.get("", summary="The cubes of a project, by name")
def cubes(project: str, caller: Administrator) -> Response:
    """The project is named by its id, or its name."""
    return listed(_of_project(caller.workspace, project), caller.workspace)


@router.post(
    "", status_code=201, summary="Add a cube to a project", openapi_extra=_BODY, responses={201: _ANSWER}
)
async def add(request: Request, project: str, caller: Administrator) -> Response:
    """The body need not name the project."""
    data = await read_object(request)
    managed, outcome = await run(_add, caller.workspace, project, data)
    return added(managed, outcome, f"/api/v1/projects/{outcome.stored.project_id}/cubes")


@router.get("/{cube}", summary="Show a cube, by name or id", responses={200: _ANSWER})
def one(project: str, cube: str, caller: Administrator) -> Response:
    """Its ``project_id`` is beside it."""
    managed = _of_project(caller.workspace, project)
    return reply(managed.shown(managed.find(caller.workspace, cube)))


@router.put("/{cube}", summary="Change a cube", openapi_extra=_BODY, responses={200: _ANSWER})
async def change(
    request: Request,
    project: str,
    cube: str,
    caller: Administrator,
    *,
    dry_run: DryRun = False,
    rebuild: Rebuild = False,
) -> Response:
    """Aggregates whose data change are built anew by the next batch; another ``project`` moves the cube."""
    data = await read_object(request)
    return await run(_change, caller.workspace, project, cube, data, Change(rebuild, dry_run))


@router.delete("/{cube}", status_code=204, summary="Remove a cube, what was built for it and its schedules")
def remove(project: str, cube: str, caller: Administrator) -> Response:
    """The events of its source stay."""
    ws = caller.workspace
    ws.remove("cube", _of_project(ws, project).find(ws, cube).spec.name)
    return Response(status_code=204)
