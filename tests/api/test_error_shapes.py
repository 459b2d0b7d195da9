"""Errors of every route, and of paths and methods that there are not, have the shape of their family."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from routes import Asked, family_of, routes_of
from served import Served
from shapes import SHAPES, check_error

# Whoever has a token may ask what it is for.
ANYBODY = {"/api/v1/workspace", "/api/v1/organization/ping"}
# Asks, though it is a POST.
READS = {"/api/v1/questions/endpoint", "/api/v1/questions/widget"}
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGGFLOW_FAILED_ATTEMPTS", "10000")
        made = Served(tmp_path_factory.mktemp("shapes"))
    yield made
    made.home.close()


def sample(asked: Asked) -> str:
    return asked.filled(dict.fromkeys(asked.parameters, "x"))


def test_every_family_has_its_shape_here(served: Served) -> None:
    names = {family.name for family in served.app.state.door._families.all}
    assert names <= set(SHAPES)
    owners = {family_of(served, asked.path) for asked in routes_of(served.app)}
    assert names - owners == {"service"}


def test_without_a_token_every_route_is_401(served: Served) -> None:
    for asked in routes_of(served.app):
        for token in ("", "wrong"):
            answer = served.ask(asked.method, sample(asked), token, json={})
            assert answer.status_code == 401, asked
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            check_error(family_of(served, asked.path), answer)


def own(asked: Asked) -> str:
    """The path in the token's own workspace, of things that are not there."""
    values = dict.fromkeys(asked.parameters, "x")
    return asked.filled(values | {"domain": "self", "orgId": "self", "workspaceId": "ws_self"})


def may_not(family: str, answer: httpx.Response) -> bool:
    """Whether it is refused for lack of a permission, as the family does."""
    check_error(family, answer)
    # The documentation of the schedules API says 401; an id that cannot be is 404 to anybody.
    return answer.status_code in ((401,) if family == "schedules" else (403, 404))


def test_a_token_for_something_else_is_refused(served: Served) -> None:
    tokens = {
        "tasks": served.token("data:read", "schedules:manage", "widgets:read"),
        "schedules": served.token("data:read", "tasks:manage", "widgets:read"),
        "endpoints": served.token("tasks:manage", "schedules:manage", "widgets:read"),
        "widgets": served.token("data:read", "tasks:manage", "schedules:manage"),
        "management": served.token("tasks:manage", "schedules:manage"),
    }
    for asked in routes_of(served.app):
        family = family_of(served, asked.path)
        if asked.path not in ANYBODY:
            assert may_not(family, served.ask(asked.method, own(asked), tokens[family], json={})), asked


def test_who_may_only_view_changes_nothing(served: Served) -> None:
    token = served.token("tasks:view", "schedules:view", "data:read", "widgets:read")
    for asked in routes_of(served.app):
        family = family_of(served, asked.path)
        reads = asked.method == "GET" or asked.path in READS | ANYBODY or family in ("endpoints", "widgets")
        if not reads:
            assert may_not(family, served.ask(asked.method, own(asked), token, json={})), asked


def test_every_wrong_method_is_405(served: Served) -> None:
    taken: dict[str, set[str]] = {}
    for asked in routes_of(served.app):
        taken.setdefault(asked.path, set()).add(asked.method)
    token = served.token()
    for path, methods in taken.items():
        for method in METHODS:
            if method in methods:
                continue
            concrete = sample(Asked(method, path))
            answer = served.ask(method, concrete, token)
            # Another route may have a parameter where this one has a word.
            if answer.status_code == 405:
                assert set(answer.headers["Allow"].split(", ")) >= methods
                if method != "HEAD":
                    check_error(family_of(served, path), answer)
            else:
                assert [other for other in taken if fits(other, concrete) and method in taken[other]]


def fits(path: str, concrete: str) -> bool:
    parts, found = path.split("/"), concrete.split("/")
    return len(parts) == len(found) and all(
        "{" in part or part == other for part, other in zip(parts, found, strict=True)
    )


def test_every_path_that_there_is_not_is_404(served: Served) -> None:
    token = served.token()
    prefixes = {prefix for family in served.app.state.door._families.all for prefix in family.prefixes}
    paths = {f"{prefix.rstrip('/')}/none/of/these/there/are/here/at/all/x/y/z" for prefix in prefixes}
    paths |= {f"{sample(asked)}/and/more/than/that/x/y/z" for asked in routes_of(served.app)}
    for path in sorted(paths):
        for method in METHODS:
            for used in ("", token):
                answer = served.ask(method, path, used)
                assert answer.status_code == 404, (method, path)
                if method != "HEAD":
                    check_error(family_of(served, path), answer)


def test_odd_paths_are_no_mistake_of_the_service(served: Served) -> None:
    token = served.token()
    for path in (
        "/x//",
        "/api//v1",
        "/org/%00/x",
        "/org/%ff%fe",
        "/api/v1/filters/%2F%2e%2e",
        "/%F0%9F%98%80",
    ):
        answer = served.ask("GET", path, token)
        assert answer.status_code in (400, 404), path
        check_error(family_of(served, answer.request.url.path), answer)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"nul", b'{"a": NaN}', b"[" * 100_000, b'"x"', b"[]", b"7"]
)
def test_what_is_no_json_or_no_object_is_400_and_named(served: Served, body: bytes) -> None:
    token = served.token()
    for asked in routes_of(served.app):
        if asked.method not in ("POST", "PUT"):
            continue
        family = family_of(served, asked.path)
        answer = served.ask(asked.method, own(asked), token, content=body)
        # What is to be changed may not be there; what takes no body does not look at it.
        assert answer.status_code in (200, 202, 400, 404, 409), asked
        if answer.status_code >= 400:
            check_error(family, answer)
        if not asked.parameters or asked.method == "POST":
            assert answer.status_code in (400, 404, 409), (asked, answer.text)


def test_a_body_that_is_too_large_is_413_everywhere(served: Served) -> None:
    body = b'{"name": "' + b"x" * (1 << 20) + b'"}'
    for asked in routes_of(served.app):
        if asked.method in ("POST", "PUT"):
            answer = served.ask(asked.method, sample(asked), content=body)
            assert answer.status_code == 413, asked
            check_error(family_of(served, asked.path), answer)
