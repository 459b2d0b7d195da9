"""A token for some brands: no route tells it of the events of others, whatever else it may do.

Every route that reads is asked; a new one is found by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asking import body_of_route, values_of
from routes import Asked, family_of, routes_of
from served import Served
from shapes import SHAPES
from tenants import Names, settle

BRAND = "11111111-1111-1111-1111-111111111111"
# What the events of the tenant say, and nothing that is declared.
VALUES = ("horse_a", "horse_b")
# These tell what is declared, and how builds go, but nothing of events.
OF_DECLARATIONS = {"/api/v1/workspace"}
BY_BRAND = {"/api/v1/questions/widget", "/api/workspace/{workspaceId}/dashboards/aggregate"}


class Stable:
    """A workspace with one of everything, and those who ask of it."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder / "home")
        self.names, self.admin = settle(self.served, folder, "horse")

    def token(self, *permissions: str) -> str:
        return self.served.token(*permissions, workspace="horse", brands=[BRAND])

    def ask(self, asked: Asked, token: str) -> httpx.Response:
        names: Names = self.names
        body = body_of_route(asked)
        options = {} if body is None else {"json": body(names)}
        return self.served.ask(asked.method, asked.filled(values_of(asked, names)), token, **options)

    def reading(self) -> list[Asked]:
        """The routes that change nothing."""
        return [asked for asked in routes_of(self.served.app) if asked.method == "GET" or _asks(asked)]


def _asks(asked: Asked) -> bool:
    questions = ("/questions/", "/linq", "/data/", "/metrics/", "/dashboards/aggregate")
    return asked.method == "POST" and any(part in asked.path for part in questions)


@pytest.fixture(scope="module")
def stable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stable]:
    made = Stable(tmp_path_factory.mktemp("stable"))
    yield made
    made.served.home.close()


def _is_free(stable: Stable, asked: Asked) -> bool:
    if family_of(stable.served, asked.path) in ("tasks", "schedules"):
        return not asked.path.endswith("/measures")
    return asked.path in OF_DECLARATIONS


def test_what_is_refused_is_there_for_others(stable: Stable) -> None:
    answers = {str(asked): stable.ask(asked, stable.admin) for asked in stable.reading()}
    assert {answer.status_code for answer in answers.values()} == {200}
    for path in ("POST /api/v1/data/{id}", "POST /api/v1/questions/endpoint", "POST /api/v1/linq"):
        assert VALUES[0] in answers[path].text, path


@pytest.mark.parametrize("permissions", [("admin",), ("data:read", "widgets:read", "tasks:view")])
def test_no_route_tells_of_the_events_of_other_brands(stable: Stable, permissions: tuple[str, ...]) -> None:
    token = stable.token(*permissions)
    for asked in stable.reading():
        answer = stable.ask(asked, token)
        assert not any(value in answer.text for value in VALUES), asked
        if asked.path in BY_BRAND:
            # The event source of the tenant does not know brands.
            assert answer.status_code == 409, (asked, answer.text)
        elif not _is_free(stable, asked):
            assert answer.status_code in (401, 403), (asked, answer.text)
            SHAPES[family_of(stable.served, asked.path)](answer, answer.json())


def test_a_reader_of_data_is_told_why(stable: Stable) -> None:
    """Of every route that its permission is for."""
    bound, free = stable.token("data:read"), stable.served.token("data:read", workspace="horse")
    its_own = [asked for asked in stable.reading() if stable.ask(asked, free).status_code == 200]
    assert len(its_own) >= 8
    for asked in its_own:
        if asked.path not in OF_DECLARATIONS:
            answer = stable.ask(asked, bound)
            assert answer.status_code == 403, asked
            assert answer.json()["message"] == "the token is for some brands only", asked


def test_who_manages_for_some_brands_makes_no_token_for_all(stable: Stable) -> None:
    body = {"name": "wide", "owner": "a@b.example", "permissions": ["data:read"]}
    answer = stable.served.ask("POST", "/api/v1/tokens", stable.token("admin"), json=body)
    assert answer.status_code == 403
    assert "wide" not in stable.served.home.workspace("horse").tokens


def test_the_status_page_and_its_pictures_are_of_all_brands(stable: Stable) -> None:
    token = stable.token("admin")
    for path in ("/", f"/status/endpoints/{stable.names.endpoint_id}.svg"):
        assert stable.served.ask("GET", path, stable.admin).status_code == 200, path
        answer = stable.served.ask("GET", path, token)
        assert answer.status_code == 403, path
        assert not any(value in answer.text for value in VALUES), path
