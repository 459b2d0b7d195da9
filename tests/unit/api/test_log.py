"""The log of a service: lines of JSON that tell no secret."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import example_family
import orjson
import pytest
from served import Served

from aggflow.api.log_line import LogLine, logging_config


class Lines(logging.Handler):
    """Keeps the lines of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LogLine())
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.texts) if line["logger"] == logger]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, log = Lines(), logging.getLogger("aggflow")
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, [example_family])
    yield made
    made.home.close()


def test_a_request_is_a_line_without_its_token(served: Served, lines: Lines) -> None:
    secret = served.token()
    path = f"/example/v1/things/a?limit=5&api_token={secret}&key={secret}&note=%F0%9F%98%80"
    answer = served.ask("GET", path, secret)
    [line] = lines.of("aggflow.access")
    [token] = served.home.default.tokens.values()
    assert line.pop("ms") > 0
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "aggflow.access",
        "request": answer.headers["X-Request-Id"],
        "address": "127.0.0.1",
        "method": "GET",
        "path": "/example/v1/things/a",
        "query": "limit=5&api_token=***&key=***&note=%F0%9F%98%80",
        "status": 200,
        "bytes": len(answer.content),
        "token": token.id,
    }
    assert secret not in "".join(lines.texts)


def test_a_token_that_is_not_valid_is_not_logged_either(served: Served, lines: Lines) -> None:
    served.ask("PUT", "/example/v1/things", "a-guess")
    [line] = lines.of("aggflow.access")
    assert line["status"] == 401
    assert "token" not in line
    assert "a-guess" not in "".join(lines.texts)


def test_a_failure_is_logged_with_the_id_that_its_client_has(served: Served, lines: Lines) -> None:
    answer = served.ask("GET", "/example/v1/fail/root")
    [line] = lines.of("aggflow.service")
    assert answer.json()["id"] in line["message"]
    assert "SELECT 1 failed" in line["error"]
    assert "postgresql://me:***@db/shop" in line["error"]
    assert "secret" not in "".join(lines.texts)


def test_who_keeps_no_log_pays_nothing_for_it(served: Served, lines: Lines) -> None:
    logging.getLogger("aggflow").setLevel(logging.WARNING)
    served.ask("GET", "/healthz")
    assert lines.texts == []


def test_a_line_is_written_soon_and_a_warning_at_once(tmp_path: Path) -> None:
    code = f"""if True:
        import logging, logging.config, os, time
        logging.config.dictConfig({logging_config()!r})
        log, file = logging.getLogger("aggflow.x"), {str(tmp_path / "log")!r}
        size = lambda: os.stat(file).st_size
        log.info("one")
        assert size() == 0
        log.warning("two")
        told = size()
        assert told > 0
        log.info("three")
        deadline = time.monotonic() + 20
        while size() == told:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        log.info("four")
    """
    with (tmp_path / "log").open("w") as log:
        subprocess.run([sys.executable, "-c", code], stderr=log, check=True)
    said = [json.loads(line)["message"] for line in (tmp_path / "log").read_text().splitlines()]
    assert said == ["one", "two", "three", "four"]


def test_what_is_logged_until_the_very_end_is_written() -> None:
    """The thread that writes is through before the interpreter ends, which it could bring down."""
    program = (
        "import logging, logging.config\n"
        "from aggflow.api.log_line import logging_config\n"
        "logging.config.dictConfig(logging_config())\n"
        "for number in range(1000): logging.getLogger('aggflow.x').info('line %d', number)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = [orjson.loads(line)["message"] for line in done.stderr.splitlines()]
    assert lines == [f"line {number}" for number in range(1000)]
