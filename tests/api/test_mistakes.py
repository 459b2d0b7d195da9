"""Mistakes of the service, and what it stands on being away: every route says so, and nothing of the inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from asking import NAMELESS, body_of_route, values_of
from routes import family_of, routes_of
from served import Served
from shapes import check_error
from tenants import Names, settle

from aggflow.errors import (
    CatalogBusyError,
    SegmentDamagedError,
    SourceUnavailableError,
)
from aggflow.workspace.home import Access, Home

INSIDE = "SELECT secret FROM postgresql://me:pw@db.example/shop"
CASES: list[tuple[Exception, int]] = [
    (ZeroDivisionError(INSIDE), 500),
    (SegmentDamagedError(INSIDE), 500),
    (CatalogBusyError(INSIDE), 503),
    (SourceUnavailableError(INSIDE), 503),
]
# Tells what the token may do, which was read when it was let in.
OF_THE_TOKEN = {"/api/v1/workspace"}


class Broken:
    """A workspace of which nothing works but its name."""

    name = "shop"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> NoReturn:
        raise self._error


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Names, str]]:
    folder = tmp_path_factory.mktemp("shop")
    served = Served(folder / "home")
    yield served, *settle(served, folder, "shop")
    served.home.close()


@pytest.mark.parametrize(("error", "status"), CASES, ids=lambda of: type(of).__name__)
def test_every_route_says_so_in_the_shape_of_its_family(
    shop: tuple[Served, Names, str], monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    served, names, _ = shop
    token = served.token("admin", workspace="shop")  # who came before is known still
    let_in = Home.access

    def access(home: Home, secret: str, as_of: Any = None) -> Access | None:
        found = let_in(home, secret, as_of)
        return None if found is None else Access(found.token, Broken(error))  # type: ignore[arg-type] - stands in for a workspace

    monkeypatch.setattr(Home, "access", access)
    asked_of = 0
    for asked in routes_of(served.app):
        if asked.path in NAMELESS | OF_THE_TOKEN:
            continue
        body = body_of_route(asked)
        options: dict[str, Any] = {} if body is None else {"json": body(names)}
        answer = served.ask(asked.method, asked.filled(values_of(asked, names)), token, **options)
        assert answer.status_code == status, (asked, answer.text)
        check_error(family_of(served, asked.path), answer)
        assert answer.headers["X-Request-Id"] in answer.text, asked
        assert ("Retry-After" in answer.headers) == (status == 503), asked
        for inside in ("SELECT", "postgresql", "secret", "pw", "db.example"):
            assert inside not in answer.text, asked
        asked_of += 1
    assert asked_of > 50
