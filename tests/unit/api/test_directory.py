"""A directory finds what trying one route after the other would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from aggflow.api.directory import Directory


async def nothing(_: Request) -> Response:
    return Response()


PARTS = st.sampled_from(["a", "b", "", "{x}", "{y}", "p{z}"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
METHODS = st.sampled_from(["GET", "POST"])


def first_of(routes: list[BaseRoute], scope: dict[str, object]) -> BaseRoute | None:
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)


def is_plain(path: str) -> bool:
    return len({name for name in ("{x}", "{y}", "{z}") if path.count(name) > 1}) == 0


@given(
    declared=st.lists(st.tuples(PATHS.filter(is_plain), METHODS), max_size=8),
    path=st.lists(st.sampled_from(["a", "b", "", "c", "pq"]), min_size=1, max_size=4),
    method=METHODS,
)
def test_the_first_route_that_matches_is_found(
    declared: list[tuple[str, str]], path: list[str], method: str
) -> None:
    routes: list[BaseRoute] = [Route(where, nothing, methods=[how]) for where, how in declared]
    scope: dict[str, object] = {"type": "http", "path": "/" + "/".join(path), "method": method}
    match, child = Directory(routes).matches(scope)
    expected = first_of(routes, scope)
    assert child.get("route") is expected
    assert match is (Match.NONE if expected is None else Match.FULL)
    if expected is not None:
        assert child["path_params"] == expected.matches(scope)[1]["path_params"]


def test_paths_of_any_length_are_left_to_the_routes_behind() -> None:
    routes = [Route("/files/{rest:path}", nothing), Route("/files/{one}/x", nothing)]
    scope = {"type": "http", "path": "/files/a/x", "method": "GET"}
    assert Directory(routes).matches(scope)[1]["route"] is routes[1]
    assert Directory(routes[:1]).matches(scope)[0] is Match.NONE
