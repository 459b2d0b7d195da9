"""Questions over HTTP as Python asks them: answered with types and the reason, so that a client has all of it.

For clients in Python (`aggflow.connect`) and for trying out; programs of others use the routes of the
four families.  What may be asked of any event of a source (LINQ, cubes, tasks) takes the permission
``admin``; an endpoint ``data:read``, a widget query ``widgets:read``.  A token for some brands asks widget
queries alone, as nothing else tells the events of one brand from those of another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aggflow import __version__
from aggflow.api.auth import Authenticated, Caller, require
from aggflow.api.body import read_as
from aggflow.api.managed import named_in_body
from aggflow.api.openapi import body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.api.widgets import brand_of, widget_query
from aggflow.engine.answer import Answer
from aggflow.engine.answer_data import answer_data
from aggflow.engine.widget_answer import WidgetAnswer
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.declaration import plain, read
from aggflow.spec.field import Field as ReturnField
from aggflow.spec.permission import Permission

router: Final = APIRouter(prefix="/api/v1")
Time = str | int | float | None
Values = list[GroupingValue]


class _Asked(BaseModel):
    """What all questions have.

    Attributes
    ----------
    live
        Whether what is not built may be read from the source; without it, a gap is an error.
    explain
        Whether every rollup that could have answered is listed, with why it did not.
    """

    model_config = ConfigDict(extra="forbid")

    live: bool = True
    explain: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """What the workspace is asked."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in given.items() if name != "explain"}


class EndpointQuestion(_Asked):
    """A saved question, by name or id."""

    endpoint: str
    end: Time = None
    grouping_filters: dict[str, Values] | None = None


class LinqQuestion(_Asked):
    """A question in LINQ, of the events from the start on and before the end."""

    linq: str = Field(
        examples=['from flights where origin = "JFK" group every 1d by carrier select avg(delay)']
    )
    start: Time = None
    end: Time = None
    time_zone: str = "UTC"


class CubeQuestion(_Asked):
    """A question to a cube, by the names of its dimensions and measures."""

    cube: str
    fields: list[str | dict[str, Any]] | dict[str, str] | None = None
    dimensions: list[str] = []
    start: Time = None
    end: Time = None
    where: str = ""
    filters: dict[str, GroupingValue | Values] | None = None
    sort: list[str | tuple[str, str]] = []
    limit: int | None = None


class TaskQuestion(_Asked):
    """What a task's query gives, of the time that it aggregates."""

    task: str
    start: Time = None
    end: Time = None


class WidgetQuestion(BaseModel):
    """A widget query, of the events of a brand and a catalog, of the days before an instant."""

    model_config = ConfigDict(extra="forbid")

    query: dict[str, Any]
    brand: UUID | None = None
    catalog: UUID | None = None
    now: Time = None


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


async def _answered(caller: Caller, asked: _Asked, ask: Callable[..., Answer], **arguments: Any) -> Response:
    """The answer to a question, in a thread: what is computed of it for its explanation as well."""

    def answered() -> dict[str, Any]:
        # What is named in the body is a mistake of the body where it is not there.
        with named_in_body():
            answer = ask(**arguments)
        return answer_data(answer, candidates=asked.explain, sql=Permission.ADMIN in caller.permissions)

    return reply(await run(answered))


@router.get("/workspace", summary="The workspace of the token, and what the token may do")
async def workspace(caller: Authenticated) -> Response:
    """For clients that want to know whom they talk to."""
    name = caller.workspace.name
    return reply(
        {
            "name": name,
            "id": f"ws_{name}",
            "permissions": sorted(caller.permissions),
            "brands": caller.brands,
            "version": __version__,
        }
    )


@router.post("/questions/endpoint", summary="Ask a saved question", openapi_extra=body_of(EndpointQuestion))
async def endpoint(request: Request, caller: Authenticated) -> Response:
    """As ``POST /api/v1/data/{id}``, with the types and the reason."""
    require(caller, Permission.READ_DATA)
    asked = await read_as(request, EndpointQuestion)
    return await _answered(caller, asked, caller.workspace.query, **asked.arguments)


@router.post("/linq", summary="Ask a question in LINQ", openapi_extra=body_of(LinqQuestion))
@router.post("/questions/linq", summary="Ask a question in LINQ", openapi_extra=body_of(LinqQuestion))
async def linq(request: Request, caller: Authenticated) -> Response:
    """Answered from a rollup that covers it, or from the source; mistakes are shown with a caret."""
    require(caller, Permission.ADMIN)
    asked = await read_as(request, LinqQuestion)
    arguments = asked.arguments
    return await _answered(caller, asked, caller.workspace.linq, text=arguments.pop("linq"), **arguments)


@router.post("/questions/cube", summary="Ask a cube", openapi_extra=body_of(CubeQuestion))
async def cube(request: Request, caller: Authenticated) -> Response:
    """The cheapest aggregate that covers the question answers."""
    require(caller, Permission.ADMIN)
    asked = await read_as(request, CubeQuestion)
    arguments = asked.arguments
    if isinstance(asked.fields, list):
        arguments["fields"] = [
            one if isinstance(one, str) else read(ReturnField, one) for one in asked.fields
        ]
    return await _answered(caller, asked, caller.workspace.ask_cube, **arguments)


@router.post("/questions/task", summary="Ask a task's query", openapi_extra=body_of(TaskQuestion))
async def task(request: Request, caller: Authenticated) -> Response:
    """Of the time that the task aggregates; by its name or id."""
    require(caller, Permission.ADMIN)
    asked = await read_as(request, TaskQuestion)
    return await _answered(caller, asked, caller.workspace.ask_task, **asked.arguments)


@router.post("/questions/widget", summary="Ask the event source", openapi_extra=body_of(WidgetQuestion))
async def widget(request: Request, caller: Authenticated) -> Response:
    """As the widget API, with the types and the reason."""
    require(caller, Permission.READ_WIDGETS)
    asked = await read_as(request, WidgetQuestion)
    query, brand = widget_query(asked.query), brand_of(caller, _text(asked.brand))
    admin = Permission.ADMIN in caller.permissions

    def answered() -> dict[str, Any]:
        found: WidgetAnswer = caller.workspace.aggregate(
            query, brand=brand, catalog=_text(asked.catalog), now=asked.now
        )
        return {
            "query": plain(found.query),
            "answer": answer_data(found.answer, candidates=True, sql=admin),
            "generated_at": found.generated_at,
            "cache_hit": found.cache_hit,
        }

    return reply(await run(answered))
