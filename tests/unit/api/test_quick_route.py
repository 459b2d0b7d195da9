from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import APIRouter
from served import Served
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import caller_of
from aggflow.api.failure import invalid
from aggflow.api.family import Family
from aggflow.api.quick_route import QuickRoute
from aggflow.api.reply import reply


class Quick:
    """A family whose only route is quick."""

    FAMILY = Family("quick", ("/quick",), header="x-quick")
    router = APIRouter(route_class=QuickRoute)


@Quick.router.get("/quick/{thing}", summary="One thing")
async def one(request: Request) -> Response:
    caller = await caller_of(request)
    if request.path_params["thing"] == "none":
        raise invalid([("thing", "is none")])
    return reply({"thing": request.path_params["thing"], "owner": caller.owner_email})


def test_it_is_a_route_like_any_other(tmp_path: Path) -> None:
    served = Served(tmp_path, [Quick])
    token = served.token()
    assert served.ask("GET", "/quick/a", token).json() == {"thing": "a", "owner": "a@b.example"}
    assert served.ask("GET", "/quick/a").status_code == 401
    assert served.ask("GET", "/quick/none", token).json()["errors"] == [
        {"field": "thing", "message": "is none"}
    ]
    assert served.ask("POST", "/quick/a", token).headers["Allow"] == "GET"
    operation = served.ask("GET", "/openapi.json").json()["paths"]["/quick/{thing}"]["get"]
    assert operation["summary"] == "One thing"
    served.home.close()


def test_a_function_that_takes_more_than_the_request_is_refused() -> None:
    with pytest.raises(TypeError, match="take the request alone"):

        @Quick.router.get("/two/{thing}")
        async def two(request: Request, thing: str) -> Response:
            return Response()

    with pytest.raises(TypeError, match="must be async"):

        @Quick.router.get("/three")
        def three(request: Request) -> Response:
            return Response()
