"""A Postgres server of the tests' own: Debian's, on a free port of loopback, with an empty data folder."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from daemon import Daemon, as_user, free_port, program, server_folder, server_user

_PROGRAMS = "/usr/lib/postgresql/*/bin"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # What is lost with the machine's power is lost; what is lost with the server's process is not.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "timezone": "America/New_York",  # nobody may lean on the server's zone
    "log_min_messages": "warning",
}


@dataclass
class PostgresServer:
    """A running Postgres server.

    Attributes
    ----------
    port
        Where it listens, on 127.0.0.1.
    folder
        Its data, gone when it is closed.
    user, password
        Its superuser's; the password holds characters that URLs must quote.
    """

    port: int
    folder: Path
    user: str = "aggflow"
    password: str = field(default="s3cret/w@rd", repr=False)
    _owner: str | None = None
    _daemon: Daemon | None = None

    @classmethod
    @contextmanager
    def started(cls, **settings: str) -> Iterator[PostgresServer]:
        """A server for the time of a ``with``, with settings of its own beside the usual ones."""
        owner = server_user("postgres")
        server = cls(free_port(), server_folder("aggflow-postgres-", owner), _owner=owner)
        try:
            server._initialise(settings)
            server.start()
            yield server
        finally:
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)

    def url(self, database: str = "postgres", *, scheme: str = "postgresql") -> str:
        """The URL of a database."""
        login = f"{self.user}:{quote(self.password, safe='')}"
        return f"{scheme}://{login}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, options: str = "") -> str:
        """Make a new, empty database; its URL."""
        self.run(f'CREATE DATABASE "{database}" {options}')
        return self.url(database)

    def run(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement and commit it; its rows, if it gives any."""
        with psycopg.connect(self.url(database), autocommit=True) as con:
            cursor = con.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def drop_connections(self, database: str) -> int:
        """End the server's processes that serve a database; how many there were."""
        ended = self.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        return len(ended)

    @property
    def pid(self) -> int:
        """The process of the running server."""
        assert self._daemon is not None
        return self._daemon.pid

    def start(self) -> None:
        """Start it (again), on the same port and data."""
        self._daemon = Daemon.started(
            [program("postgres", _PROGRAMS), "-D", str(self.folder / "data")],
            user=self._owner,
            log=self.folder / "log",
            is_ready=self._answers,
        )

    def stop(self) -> None:
        """Stop it; open connections are ended, their transactions rolled back."""
        if self._daemon is not None:
            self._daemon.stop(signal.SIGINT)

    def crash(self) -> None:
        """End it at once, as a crash would; what was committed is there after the next start."""
        if self._daemon is not None:
            # Postgres' own way of ending all its processes without any tidying up.
            self._daemon.stop(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def _initialise(self, settings: dict[str, str]) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        command = [program("initdb", _PROGRAMS), "-D", str(self.folder / "data"), "--no-sync"]
        command += [f"--username={self.user}", f"--pwfile={secret}", "--auth=scram-sha-256"]
        # Not the machine's locale: texts sort and fold alike wherever tests run.
        command += ["--locale=C.UTF-8", "--encoding=UTF8"]
        done = subprocess.run(
            as_user(self._owner, command), capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, done.stderr
        lines = {**_SETTINGS, "port": str(self.port), **settings}
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
