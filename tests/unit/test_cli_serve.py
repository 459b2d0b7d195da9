"""``aggflow serve`` and ``aggflow token``, as processes of their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon import free_port

PATIENCE = 60


def aggflow(*args: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aggflow", *map(str, args)]
    wide = {**os.environ, "COLUMNS": "250"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=wide)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


class Service:
    """A service that runs."""

    def __init__(self, process: subprocess.Popen[str], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def get(self, path: str, token: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def service(home: Path, *options: str) -> Iterator[Service]:
    port, log = free_port(), home / "service.log"
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "aggflow", "serve", "--home", str(home), "--port", str(port), *options]
    with (
        log.open("w") as file,
        (home / "said.txt").open("w") as said,
        subprocess.Popen(command, stdout=said, stderr=file, text=True) as process,
    ):
        try:
            running, deadline = Service(process, port, log), time.monotonic() + PATIENCE
            while not running.listens():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield running
        finally:
            process.kill()


def create(home: Path, *options: str) -> str:
    given = options or ("--permission", "admin")
    return aggflow("token", "create", "t", "--owner", "a@b.example", "--home", home, *given).stdout.strip()


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    made = aggflow(
        *("token", "create", "grafana", "--owner", "me@b.example", "--home", tmp_path),
        *("--permission", "data:read", "--permission", "tasks:view", "--expires", "90d"),
    )
    secret = made.stdout.strip()
    assert secret.startswith("aggflow_")
    assert secret not in made.stderr
    listed = aggflow("token", "ls", "--home", tmp_path).stdout
    for text in ("grafana", "me@b.example", "data:read, tasks:view"):
        assert text in listed
    assert secret not in listed
    assert "is revoked" in aggflow("token", "revoke", "grafana", "--home", tmp_path).stdout
    assert (
        "no valid token 'grafana'" in aggflow("token", "revoke", "grafana", "--home", tmp_path, code=1).stderr
    )


def test_a_wrong_token_is_a_sentence(tmp_path: Path) -> None:
    failed = aggflow(
        *("token", "create", "t", "--owner", "me", "--permission", "data:raed", "--home", tmp_path), code=1
    )
    assert "is no e-mail address" in failed.stderr
    assert "did you mean 'data:read'?" in failed.stderr
    assert failed.stdout == ""


def test_it_answers_until_it_is_asked_to_end(tmp_path: Path) -> None:
    token = create(tmp_path)
    with service(tmp_path) as running:
        assert running.get("/healthz")[0] == 200
        assert running.get("/readyz")[0] == 200
        assert running.get("/api/v1/sources")[0] == 401
        assert running.get("/api/v1/sources", token)[0] == 200
        # Another process revokes it.
        aggflow("token", "revoke", "t", "--home", tmp_path)
        assert running.get("/api/v1/sources", token)[0] == 401
        assert running.end(signal.SIGTERM) == 0
        lines = running.lines()
    paths = [line["path"] for line in lines if line["logger"] == "aggflow.access"]
    assert paths == ["/healthz", "/readyz", *["/api/v1/sources"] * 3]
    assert token not in str(lines)


def test_it_says_where_it_answers(tmp_path: Path) -> None:
    create(tmp_path)
    with service(tmp_path) as running:
        address = f"http://127.0.0.1:{running.port}"
        said = (tmp_path / "said.txt").read_text()
        assert said.startswith(f"aggflow is at {address} (status page), {address}/docs (documentation)")
        for page in ("/", "/docs"):
            assert running.get(page)[0] == 200
        assert running.end(signal.SIGTERM) == 0
        assert running.lines()  # and every line of the log is JSON


def test_it_says_that_it_makes_a_home(tmp_path: Path) -> None:
    with service(tmp_path / "nosuch") as running:
        first, *log = running.log.read_text().splitlines()
        assert first.startswith(f"A new home was made in {tmp_path / 'nosuch'}: nothing is in it yet (--home")
        assert all(line.startswith("{") for line in log)
        assert running.end(signal.SIGTERM) == 0


def test_a_request_under_way_is_answered_before_it_ends(tmp_path: Path) -> None:
    token = create(tmp_path)
    with service(tmp_path) as running:
        asked = socket.create_connection(("127.0.0.1", running.port), PATIENCE)
        head = f"POST /api/v1/filters HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        asked.sendall(f"{head}Content-Length: 6\r\n\r\n[1,".encode())
        assert running.get("/healthz")[0] == 200  # so that the beginning has been read, too
        running.process.send_signal(signal.SIGTERM)
        while running.listens():
            time.sleep(0.01)
        asked.sendall(b"2] ")
        answer = http.client.HTTPResponse(asked)
        answer.begin()
        assert answer.status == 400
        assert b"object" in answer.read()
        asked.close()
        assert running.process.wait(PATIENCE) == 0


def test_ctrl_c_ends_it_without_a_fuss(tmp_path: Path) -> None:
    create(tmp_path)
    with service(tmp_path, "--no-access-log") as running:
        assert running.get("/healthz")[0] == 200
        assert running.end(signal.SIGINT) == 0
        assert "Traceback" not in running.log.read_text()
        assert not [line for line in running.lines() if line["logger"] == "aggflow.access"]


def test_several_processes_answer_and_count_together(tmp_path: Path) -> None:
    with service(tmp_path, "--workers", "2", "--no-access-log") as running:
        for _ in range(40):
            assert running.get("/healthz")[0] == 200
        text = running.get("/metrics")[1].decode()
        counted = 'aggflow_requests_total{family="service",method="GET",route="/healthz",status="200"}'
        [line] = [line for line in text.splitlines() if line.startswith(counted)]
        assert float(line.rpartition(" ")[2]) == 40
        assert running.end(signal.SIGTERM) == 0


def test_without_a_token_only_this_machine_may_ask(tmp_path: Path) -> None:
    port = str(free_port())
    elsewhere = ("serve", "--home", tmp_path, "--host", "0.0.0.0", "--port", port)  # noqa: S104 - refused
    for ended in (False, True):
        if ended:
            create(tmp_path)
            aggflow("token", "revoke", "t", "--home", tmp_path)
        said = aggflow(*elsewhere, code=1).stderr
        assert "there is no token yet" in said
        assert "aggflow token create" in said


def test_with_a_token_others_may_ask(tmp_path: Path) -> None:
    create(tmp_path)
    with service(tmp_path, "--host", "0.0.0.0") as running:  # noqa: S104 - that it may
        assert running.get("/healthz")[0] == 200


def test_an_address_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = aggflow("serve", "--home", tmp_path, "--port", port, code=1).stderr
    assert f"nothing can listen on 127.0.0.1 port {port}" in said
    said = aggflow("serve", "--home", tmp_path, "--host", "no.such.host.invalid", code=1).stderr
    assert "no.such.host.invalid" in said
