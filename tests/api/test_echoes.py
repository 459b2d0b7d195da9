"""Echoes: the same request, to the letter, is given the same response without being looked at, as long as that is right."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk import Desk

import aggflow as af
from aggflow.catalog.tokens import Token

END = "2025-01-01T12:00:00Z"
Aggregation: Any = af.Aggregation
Field: Any = af.Field
ASKED: Any = {"fields": [Field("sum", "n", "SUM")], "groupings": {"@.grp1": af.All()}}
ENCODINGS = {"Accept-Encoding": "identity"}


class Asker:
    """Asks for an endpoint, and knows who was let in on the way that all requests go.

    Parameters
    ----------
    desk
        Where.
    monkeypatch
        To see who comes in at the door.
    """

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.came_in = 0
        self.path = f"/api/v1/data/{desk.ws.endpoints['total'].id}"
        door = desk.served.app.state.door
        let_in = door.caller

        async def counted(request: Any) -> Any:
            self.came_in += 1
            return await let_in(request)

        monkeypatch.setattr(door, "caller", counted)
        # What is committed by itself, some time later, ends echoes: the use of a token, what was asked.
        self.note(desk.token)
        monkeypatch.setattr(desk.ws._questions, "_seconds", 3600)

    def note(self, secret: str) -> None:
        """Write down that a token is used, which else happens beside its first request of a minute."""
        access = self.desk.served.home.access(secret)
        assert access is not None
        self.desk.served.home.note_use(access)

    @property
    def token(self) -> Token:
        (token,) = self.desk.ws.tokens.values()
        return token

    def post(self, content: str | None = None, token: str | None = None, **headers: str) -> httpx.Response:
        content = json.dumps({"end": END}) if content is None else content
        token = self.desk.token if token is None else token
        return self.desk.served.ask("POST", self.path, token, content=content, headers=ENCODINGS | headers)

    def get(self, query: str = f"end={END}", token: str | None = None, **headers: str) -> httpx.Response:
        token = self.desk.token if token is None else token
        return self.desk.served.ask("GET", f"{self.path}?{query}", token, headers=ENCODINGS | headers)

    def echoed(self, asks: int = 3, **options: Any) -> bool:
        """Whether the last of some same requests was given an echo."""
        for _ in range(asks - 1):
            self.post(**options)
        before = self.came_in
        self.post(**options)
        return self.came_in == before


@pytest.fixture
def asker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asker]:
    desk = Desk(tmp_path)
    desk.add(("10:30", "a", None, 1, 1.0), ("11:30", "b", None, 2, 2.0))
    desk.filter(groupings=["@.grp1"], aggregations=[Aggregation("n", field="@.n", calculations=["SUM"])])
    desk.endpoint("total", timing=af.Lookback("2h"), **ASKED)
    desk.build()
    yield Asker(desk, monkeypatch)
    desk.served.home.close()


def letters(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """A response without the id of its request."""
    return (
        answer.status_code,
        answer.content,
        [one for one in answer.headers.items() if one[0] != "x-request-id"],
    )


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_request_that_was_asked_before_is_answered_by_the_letter(asker: Asker, method: str) -> None:
    ask = getattr(asker, method)
    first, second = ask(), ask()
    came_in = asker.came_in
    third = ask()
    assert asker.came_in == came_in, "it is an echo"
    assert letters(first) == letters(second) == letters(third)
    assert len({one.headers["x-request-id"] for one in (first, second, third)}) == 3
    assert ask(**{"X-Request-Id": "mine"}).headers["x-request-id"] == "mine"
    assert asker.came_in == came_in, "whatever its id"


def test_a_build_ends_what_was_kept(asker: Asker) -> None:
    assert asker.echoed()
    assert [row["fields"]["sum"] for row in asker.post().json()] == [1, 2]
    asker.desk.add(("11:45", "b", None, 40, 1.0))
    asker.desk.build(full=True)
    assert [row["fields"]["sum"] for row in asker.post().json()] == [1, 42]
    assert asker.echoed()
    assert [row["fields"]["sum"] for row in asker.post().json()] == [1, 42]


def test_a_change_of_the_endpoint_ends_what_was_kept(asker: Asker) -> None:
    assert asker.echoed()
    asker.desk.endpoint("total", timing=af.Lookback("1h"), **ASKED)
    assert [row["fields"]["sum"] for row in asker.post().json()] == [2]


def test_a_token_that_is_revoked_is_refused_the_next_time(asker: Asker) -> None:
    assert asker.echoed()
    asker.desk.ws.revoke_token(asker.token.id)
    assert asker.post().status_code == 401


def test_a_token_that_expires_is_refused_from_then_on_though_nothing_is_committed(asker: Asker) -> None:
    secret = asker.desk.served.token("data:read", expires=asker.desk.now + timedelta(seconds=30))
    asker.note(secret)
    assert asker.echoed(token=secret)
    asker.desk.now += timedelta(seconds=29)
    assert asker.post(token=secret).status_code == 200
    asker.desk.now += timedelta(seconds=1)
    assert asker.post(token=secret).status_code == 401


def test_the_use_of_a_token_is_written_down_though_it_only_repeats_itself(asker: Asker) -> None:
    assert asker.echoed()
    before, came_in = asker.token.last_used_us, asker.came_in
    assert before is not None
    asker.desk.now += timedelta(minutes=1)
    asker.post()
    assert asker.came_in == came_in + 1
    for _ in range(600):  # it is written beside the answer
        if asker.token.last_used_us == before + 60_000_000:
            break
        time.sleep(0.1)
    else:
        pytest.fail("it was never written down")


def test_nobody_is_given_what_another_asked(asker: Asker) -> None:
    assert asker.echoed()
    other = asker.desk.served.token("data:read", workspace="other")
    assert asker.post(token=other).status_code == 404
    assert asker.post(token=f"{asker.desk.token}x").status_code == 401
    widgets = asker.desk.served.token("widgets:read")
    assert asker.post(token=widgets).status_code == 403
    assert asker.desk.served.ask("POST", asker.path, content=json.dumps({"end": END})).status_code == 401


def test_what_a_client_takes_and_has_is_part_of_what_it_asks(asker: Asker) -> None:
    asker.desk.add(*[("11:15", f"group {number}", None, 1, 1.0) for number in range(200)])
    asker.desk.build(full=True)
    plain = [asker.get() for _ in range(3)][-1]
    packed = [asker.get(**{"Accept-Encoding": "gzip"}) for _ in range(3)][-1]
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    tag = {"If-None-Match": plain.headers["etag"]}
    came_in = asker.came_in
    known = [asker.get(**tag) for _ in range(3)][-1]
    assert asker.came_in == came_in + 1, "echoes from the second time on"
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == plain.headers["etag"]
    assert asker.get(**{"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize("content", ["{}", "", '{"format": "CSV"}'])
def test_what_is_asked_of_now_is_no_echo(asker: Asker, content: str) -> None:
    assert not asker.echoed(asks=5, content=content)


def test_what_is_read_from_the_source_is_no_echo(asker: Asker) -> None:
    assert not asker.echoed(asks=5, content='{"end": "2025-01-01T12:05:00Z"}')


def test_mistakes_are_no_echoes(asker: Asker) -> None:
    assert not asker.echoed(asks=5, content='{"end": "nonsense"}')
    assert asker.post('{"end": "nonsense"}').status_code == 400


def test_an_echo_is_counted_and_logged_as_what_it_repeats(
    asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    def counted() -> float:
        name = "aggflow_requests_total"
        labels = {"family": "endpoints", "route": "/api/v1/data/{id}", "method": "POST", "status": "200"}
        found = asker.desk.served.app.state.metrics._registry.get_sample_value(name, labels)
        assert found is not None
        return found

    assert asker.echoed()
    before, came_in = counted(), asker.came_in
    with caplog.at_level(logging.INFO, "aggflow.access"):
        asker.post()
    assert asker.came_in == came_in
    assert counted() == before + 1
    line: Any = caplog.records[-1].msg
    assert (line["status"], line["token"], line["path"]) == (200, asker.token.id, asker.path)
    assert line["bytes"] == len(asker.post().content)


def test_an_echo_is_a_question_that_was_asked(asker: Asker) -> None:
    def asked() -> int:
        return sum(one.asked for one in asker.desk.ws.slowest_questions())

    before = asked()
    assert asker.echoed(asks=5)
    assert asked() == before + 5


def test_a_body_of_unknown_length_is_read_as_ever(asker: Asker) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"end": '
        yield json.dumps(END).encode() + b"}"

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(asker.desk.served.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            headers = {"Authorization": f"Bearer {asker.desk.token}"}
            return await client.post(asker.path, content=parts(), headers=headers)

    assert asker.echoed()
    assert asyncio.run(ask()).json() == asker.post().json()
