"""A Postgres server of the tests' own."""

from __future__ import annotations

from signal import SIGINT, SIGQUIT
from typing import Any

import psycopg
from daemon import program
from database_server import DatabaseServer

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


class PostgresServer(DatabaseServer):
    """A running Postgres server."""

    name = "postgres"
    scheme = "postgresql"
    system_database = "postgres"
    how_it_stops = SIGINT  # does not wait for those who are connected

    def create(self, database: str, options: str = "") -> str:
        """Make a new, empty database; its URL."""
        self.run(f'CREATE DATABASE "{database}" {options}')
        return self.url(database)

    def run(self, statement: str, *, database: str = "") -> list[tuple[Any, ...]]:
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

    def crash(self) -> None:
        """End it at once, as a crash would; what was committed is there after the next start."""
        if self._daemon is not None:
            # Postgres' own way of ending all its processes without any tidying up.
            self._daemon.stop(SIGQUIT)

    def _initialise(self) -> None:
        secret = self._secret("password", self.password)
        command = [program("initdb", _PROGRAMS), "-D", str(self._data), "--no-sync"]
        command += [f"--username={self.user}", f"--pwfile={secret}", "--auth=scram-sha-256"]
        # Not the machine's locale: texts sort and fold alike wherever tests run.
        command += ["--locale=C.UTF-8", "--encoding=UTF8"]
        self._install(command)
        lines = {**_SETTINGS, "port": str(self.port), **self.settings}
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())

    def _command(self) -> list[str]:
        return [program("postgres", _PROGRAMS), "-D", str(self._data)]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
