"""Bodies that are too large are refused, however their length is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import example_family
import httpx
import pytest
from served import Served

from aggflow.api.body_limit import MOST_BYTES


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, [example_family])
    yield made
    made.home.close()


def body_of(length: int) -> bytes:
    return b'{"name":"' + b"x" * (length - 11) + b'"}'


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


def refused(answer: httpx.Response) -> bool:
    if answer.status_code != 413:
        return False
    assert answer.json()["wrong"]["what"] == "content_too_large"
    assert answer.json()["where"] == [["body", "is too large"]]
    assert answer.headers["X-Request-Id"] == answer.json()["id"]
    return True


@pytest.mark.parametrize(("over", "is_refused"), [(0, False), (1, True), (100_000, True)])
def test_the_limit_is_the_last_length_that_is_taken(served: Served, over: int, is_refused: bool) -> None:
    body, token = body_of(MOST_BYTES + over), served.token()
    told = served.ask("POST", "/example/v1/things", token, content=body)
    assert refused(told) == is_refused
    in_chunks = served.ask("POST", "/example/v1/things", token, content=chunks(body))
    assert refused(in_chunks) == is_refused
    if not is_refused:
        assert (told.status_code, in_chunks.status_code) == (201, 201)


def test_it_is_refused_before_anything_is_read_of_it(served: Served) -> None:
    # Without a token, too: nobody makes the service read what it will not take.
    for length in ("1048577", "9" * 4000):
        answer = served.ask("POST", "/example/v1/things", content=b"{}", headers={"Content-Length": length})
        assert refused(answer)
        assert answer.headers["Connection"] == "close"


def test_a_length_that_is_no_number_is_counted(served: Served) -> None:
    headers = {"Content-Length": "-5"}
    body = body_of(MOST_BYTES + 1)
    assert refused(served.ask("POST", "/example/v1/things", served.token(), content=body, headers=headers))
