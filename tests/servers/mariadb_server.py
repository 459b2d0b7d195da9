"""A MariaDB server of the tests' own: Debian's, on a free port of loopback, with an empty data folder."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import MySQLdb
from daemon import Daemon, as_user, free_port, program, server_folder, server_user


@dataclass
class MariadbServer:
    """A running MariaDB server.

    Attributes
    ----------
    port
        Where it listens, on 127.0.0.1.
    folder
        Its data, gone when it is closed.
    user, password
        Of a user who may do everything; the password holds characters that URLs must quote.
    """

    port: int
    folder: Path
    user: str = "aggflow"
    password: str = field(default="s3cret/w@rd", repr=False)
    _owner: str | None = None
    _daemon: Daemon | None = None

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[MariadbServer]:
        """A server for the time of a ``with``."""
        owner = server_user("mysql")
        server = cls(free_port(), server_folder("aggflow-mariadb-", owner), _owner=owner)
        try:
            server._initialise()
            server.start()
            yield server
        finally:
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)

    def url(self, database: str, *, scheme: str = "mysql") -> str:
        """The URL of a database."""
        login = f"{self.user}:{quote(self.password, safe='')}"
        return f"{scheme}://{login}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, options: str = "") -> str:
        """Make a new, empty database; its URL."""
        self.run(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 {options}")
        return self.url(database)

    def connected(self, database: str = "mysql") -> closing[Any]:
        """A connection for the time of a ``with``; commits every statement."""
        return closing(
            MySQLdb.connect(
                host="127.0.0.1", port=self.port, user=self.user, password=self.password, database=database,
                charset="utf8mb4", autocommit=True,
            )
        )  # fmt: skip

    def run(self, statement: str, *, database: str = "mysql") -> list[tuple[Any, ...]]:
        """Run one statement and commit it; its rows, if it gives any."""
        with self.connected(database) as con, con.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def drop_connections(self, database: str) -> int:
        """End the server's threads that serve a database; how many there were."""
        ids = self.run(f"SELECT id FROM information_schema.processlist WHERE db = '{database}'")
        for (number,) in ids:
            self.run(f"KILL {number}")
        return len(ids)

    @property
    def pid(self) -> int:
        """The process of the running server."""
        assert self._daemon is not None
        return self._daemon.pid

    def start(self) -> None:
        """Start it (again), on the same port and data."""
        self._daemon = Daemon.started(
            [
                program("mariadbd", "/usr/sbin"),
                "--no-defaults",
                f"--datadir={self.folder / 'data'}",
                f"--init-file={self.folder / 'users.sql'}",
                f"--tmpdir={self.folder}",
                f"--socket={self.folder / 'socket'}",
                f"--pid-file={self.folder / 'pid'}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=64M",
                # Nobody may lean on the server's zone.
                "--default-time-zone=-05:00",
            ],
            user=self._owner,
            log=self.folder / "log",
            is_ready=self._answers,
        )

    def stop(self) -> None:
        """Stop it; open connections are ended, their transactions rolled back."""
        if self._daemon is not None:
            self._daemon.stop()

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def _initialise(self) -> None:
        users = self.folder / "users.sql"
        users.write_text(
            f"CREATE USER IF NOT EXISTS '{self.user}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO '{self.user}'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        users.chmod(0o644)
        command = [program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder / 'data'}"]
        # Its own folder for what is temporary: two that are made at once take each other's tables there.
        command += [f"--tmpdir={self.folder}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        done = subprocess.run(
            as_user(self._owner, command), capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except MySQLdb.OperationalError:
            return False
        return True
