"""The shapes of errors, one a family of the API, as its documentation has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus

import httpx

Shape = Callable[[httpx.Response, dict[str, Any]], None]


def _details(found: Any, status: int) -> None:
    assert isinstance(found, list)
    for one in found:
        assert set(one) == {"field", "message"}
        assert one["message"]
    if status == 400:
        assert all(isinstance(one["field"], str) for one in found)


def _plain(answer: httpx.Response, body: dict[str, Any]) -> None:
    assert list(body)[:3] == ["message", "errors", "requestId"]
    assert body["message"]
    _details(body["errors"], answer.status_code)
    assert body["requestId"] == answer.headers["X-Request-Id"]


def _tasks(answer: httpx.Response, body: dict[str, Any]) -> None:
    assert set(body) == {"code", "message", "status", "requestId"}
    assert body["status"] == answer.status_code
    other = {403: (403, 601), 404: (404, 602, 603)}
    assert body["code"] in other.get(answer.status_code, (answer.status_code,))
    assert body["requestId"] == answer.headers["X-Request-Id"]


def _schedules(_: httpx.Response, body: dict[str, Any]) -> None:
    assert set(body) == {"response", "status"}
    assert body["response"] is None
    assert set(body["status"]) >= {"i18n_message", "message"}
    assert re.fullmatch(r"response\.error\.\w+", body["status"]["i18n_message"])
    assert body["status"]["message"]


def _widgets(answer: httpx.Response, body: dict[str, Any]) -> None:
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details", "request_id"}
    assert re.fullmatch("[A-Z_]+", body["error"]["code"])
    _details(body["error"]["details"], answer.status_code)
    assert body["error"]["request_id"] == answer.headers["X-Request-Id"]


SHAPES: dict[str, Shape] = {
    "tasks": _tasks,
    "schedules": _schedules,
    "endpoints": _plain,
    "widgets": _widgets,
    "management": _plain,
    "service": _plain,
}


# What a reader of an error has no use for, and an attacker has.
INSIDES = ("Traceback", 'File "', "SELECT ", ".py", "sqlite3", "duckdb://")


def texts(value: Any) -> Iterator[str]:
    """All texts of a document, its keys among them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def check_error(family: str, answer: httpx.Response, asked: Any = None) -> None:
    """Make sure that an error has the shape of its family, and tells nothing of the inside.

    ``asked`` is a document that was sent: an error may say again what it was told.
    """
    try:
        assert answer.status_code >= 400
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Request-Id"]
        body = answer.json()
        SHAPES[family](answer, body)
        said = "\n".join(unquote_plus(text) for text in texts(asked))
        told = "\n".join(texts(body))
        for inside in INSIDES:
            assert inside not in told or inside in said, inside
    except AssertionError as error:
        raise AssertionError(f"of {family}: {answer.status_code} {answer.text} {answer.headers}") from error
