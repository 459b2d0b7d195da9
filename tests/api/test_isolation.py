"""Two workspaces of one home: no route tells one of the other, not even whether something is there.

Every route is asked by the administrator of one workspace, in words of the other, and has to answer
exactly as if there were no such thing.  A new route is found by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asking import NAMELESS, body_of_route, values_of
from routes import Asked, family_of, routes_of
from served import Served
from shapes import check_error
from tenants import Names, settle


class Tenants:
    """Two workspaces, and who manages each."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.served = Served(folder / "home") if url is None else Served.on(url, folder / "states")
        self.horse, self.horse_token = settle(self.served, folder, "horse")
        self.zebra, self.zebra_token = settle(self.served, folder, "zebra")

    def horse_asks(self, asked: Asked, path_of: Names, body_of: Names) -> httpx.Response:
        """The answer to the administrator of the first workspace, asked in anybody's words."""
        path = asked.filled(values_of(asked, path_of))
        body = body_of_route(asked)
        options = {} if body is None else {"json": body(body_of)}
        return self.served.ask(asked.method, path, self.horse_token, **options)


@pytest.fixture(scope="module", params=["folder", pytest.param("postgres", marks=pytest.mark.slow)])
def tenants(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    url = None if request.param == "folder" else request.getfixturevalue("postgres").create("tenants")
    made = Tenants(folder, url)
    yield made
    made.served.home.close()


def untold(answer: httpx.Response, asked_of: Names) -> str:
    """An answer without the words that it was asked in, and without the id of the request."""
    headers = sorted(set(answer.headers.multi_items()) - {("content-length", str(len(answer.content)))})
    text = f"{answer.status_code} {headers} {answer.text}".replace(answer.headers["X-Request-Id"], "…")
    for word in sorted(asked_of.own, key=len, reverse=True):
        text = text.replace(word, "…")
    return text


def test_what_one_asks_of_its_own_is_there(tenants: Tenants) -> None:
    """Otherwise nothing of what follows would mean anything."""
    for asked in routes_of(tenants.served.app):
        if asked.method == "GET":
            answer = tenants.horse_asks(asked, tenants.horse, tenants.horse)
            assert answer.status_code == 200, (asked, answer.text)
            assert "horse" in answer.text or asked.path in NAMELESS or "/scheduler" in asked.path, asked


def test_nothing_that_is_listed_is_anothers(tenants: Tenants) -> None:
    for asked in routes_of(tenants.served.app):
        if asked.method == "GET":
            text = tenants.horse_asks(asked, tenants.horse, tenants.horse).text
            for word in ("zebra", *tenants.zebra.own):
                assert word not in text, asked


def test_a_path_of_anothers_is_a_path_of_nothing(tenants: Tenants) -> None:
    missing = tenants.zebra.missing()
    for asked in routes_of(tenants.served.app):
        if not asked.parameters:
            continue
        found = tenants.horse_asks(asked, tenants.zebra, tenants.horse)
        nothing = tenants.horse_asks(asked, missing, tenants.horse)
        assert found.status_code in (401, 403, 404), (asked, found.text)
        assert untold(found, tenants.zebra) == untold(nothing, missing), asked
        check_error(family_of(tenants.served, asked.path), found)


def test_anothers_thing_in_ones_own_place_is_nothing(tenants: Tenants) -> None:
    """The organisation or project is one's own, and the cube or job in it another's."""
    horse, zebra, missing = tenants.horse, tenants.zebra, tenants.zebra.missing()
    for asked in routes_of(tenants.served.app):
        parameters = asked.parameters
        for own in range(1, len(parameters)):
            mixed = [values_of(asked, horse) for _ in range(2)]
            for values, of in zip(mixed, (zebra, missing), strict=True):
                values.update({name: values_of(asked, of)[name] for name in parameters[own:]})
            body = body_of_route(asked)
            options = {} if body is None else {"json": body(horse)}
            found, nothing = (
                tenants.served.ask(asked.method, asked.filled(values), tenants.horse_token, **options)
                for values in mixed
            )
            assert found.status_code in (401, 403, 404), (asked, found.text)
            assert untold(found, zebra) == untold(nothing, missing), asked


def test_a_body_that_names_anothers_names_nothing(tenants: Tenants) -> None:
    missing = tenants.zebra.missing()
    asked_in_words = 0
    for asked in routes_of(tenants.served.app):
        body = body_of_route(asked)
        if body is None or body(tenants.zebra) == body(missing):
            continue
        found = tenants.horse_asks(asked, tenants.horse, tenants.zebra)
        nothing = tenants.horse_asks(asked, tenants.horse, missing)
        assert found.status_code in (400, 404, 409), (asked, found.text)
        assert untold(found, tenants.zebra) == untold(nothing, missing), asked
        asked_in_words += 1
    assert asked_in_words > 10


def test_the_status_page_shows_ones_own(tenants: Tenants) -> None:
    page = tenants.served.ask("GET", "/", tenants.horse_token)
    assert page.status_code == 200
    assert tenants.horse.endpoint in page.text
    for word in ("zebra", *tenants.zebra.own):
        assert word not in page.text


def test_a_picture_of_anothers_is_a_picture_of_nothing(tenants: Tenants) -> None:
    missing = tenants.zebra.missing()
    own, found, nothing = (
        tenants.served.ask("GET", f"/status/endpoints/{of.endpoint_id}.svg", tenants.horse_token)
        for of in (tenants.horse, tenants.zebra, missing)
    )
    assert (own.status_code, found.status_code) == (200, 404)
    assert untold(found, tenants.zebra) == untold(nothing, missing)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"])
def test_who_has_no_token_is_told_of_nobody(tenants: Tenants, path: str) -> None:
    answer = tenants.served.ask("GET", path)
    assert answer.status_code == 200
    for names in (tenants.horse, tenants.zebra):
        for word in names.own:
            assert word not in answer.text


def test_nothing_of_anothers_was_changed_by_all_that(tenants: Tenants) -> None:
    zebra, ws = tenants.zebra, tenants.served.home.workspace("zebra")
    assert list(ws.sources) == [zebra.source]
    assert list(ws.filters) == [zebra.filter]
    assert ws.endpoints[zebra.endpoint].id == zebra.endpoint_id
    assert ws.task(zebra.task_id).status.value == "RUNNING"
    assert ws.cube(zebra.cube_id).name == zebra.cube
    assert list(ws.schedules) == [zebra.job_id]
    assert ws.tokens[zebra.token_id].revoked_us is None
    assert ws.event_source is not None
    assert ws.batch(zebra.batch_id).status == "done"
    assert not [batch for batch in ws.batches.values() if batch.id != zebra.batch_id]
