"""A Prefect that is away, refuses, or is none: an error of the tree, one sentence each."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from aggflow.errors import OrchestrationError, PrefectUnavailableError, PrefectVersionError
from aggflow.orchestration.reach import reached

Answer = Callable[[int, object], str]


@pytest.fixture
def answering() -> Iterator[Answer]:
    """A server that gives one answer to everything; its address."""
    servers: list[HTTPServer] = []

    def serve(status: int, body: object) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_POST = do_GET  # noqa: N815 - as the base calls it

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the overridden method's word

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/api"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(url: str | None, *, check: bool = False) -> None:
    with (
        temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
        reached(check=check) as client,
    ):
        client.read_deployments()


def test_one_that_is_away() -> None:
    with pytest.raises(
        PrefectUnavailableError, match=r"Prefect at http://127\.0\.0\.1:9/api cannot be reached"
    ):
        ask("http://127.0.0.1:9/api")


def test_none_that_is_named_is_not_replaced_by_one_that_schedules_nothing() -> None:
    with pytest.raises(OrchestrationError, match=r"no Prefect server is named \(set PREFECT_API_URL"):
        ask(None)


def test_one_of_another_version(answering: Answer) -> None:
    with pytest.raises(PrefectVersionError, match=r"is of version 2\.20\.1, and aggflow needs 3\.8\.8"):
        ask(answering(200, "2.20.1"), check=True)


@pytest.mark.parametrize(("status", "body"), [(200, {"hello": "world"}), (404, "nothing here")])
def test_something_that_is_none(answering: Answer, status: int, body: object) -> None:
    with pytest.raises(
        OrchestrationError, match=r"is no Prefect server \(the address of its API ends in /api\)"
    ):
        ask(answering(status, body), check=True)


def test_one_that_does_not_let_us_in(answering: Answer) -> None:
    with pytest.raises(OrchestrationError, match="does not let this process in: it answers 401") as raised:
        ask(answering(401, "no"))
    assert "PREFECT_API_AUTH_STRING" in raised.value.hint


def test_one_that_is_ill_is_worth_another_try(answering: Answer) -> None:
    with pytest.raises(PrefectUnavailableError, match="cannot answer just now: it says 500"):
        ask(answering(500, "no"))


def test_one_that_refuses(answering: Answer) -> None:
    with pytest.raises(OrchestrationError, match="refuses GET /api/csrf-token: it answers 409") as raised:
        ask(answering(409, "no"))
    assert not raised.value.retryable
