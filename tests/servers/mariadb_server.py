"""A MariaDB server of the tests' own."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import MySQLdb
from daemon import program
from database_server import DatabaseServer
from MySQLdb.constants import ER

_SETTINGS = {
    "bind-address": "127.0.0.1",
    "skip-name-resolve": "1",
    # What is lost with the machine's power is lost; what is lost with the server's process is not.
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-buffer-pool-size": "64M",
    "default-time-zone": "-05:00",  # nobody may lean on the server's zone
}


class MariadbServer(DatabaseServer):
    """A running MariaDB server."""

    name = "mysql"
    scheme = "mysql"
    system_database = "mysql"

    def create(self, database: str, options: str = "") -> str:
        """Make a new, empty database; its URL."""
        self.run(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 {options}")
        return self.url(database)

    def connected(self, database: str = "") -> closing[Any]:
        """A connection for the time of a ``with``; commits every statement."""
        return closing(
            MySQLdb.connect(
                host="127.0.0.1", port=self.port, user=self.user, password=self.password,
                database=database or self.system_database, charset="utf8mb4", autocommit=True,
            )
        )  # fmt: skip

    def run(self, statement: str, *, database: str = "") -> list[tuple[Any, ...]]:
        """Run one statement and commit it; its rows, if it gives any."""
        with self.connected(database) as con, con.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def drop_connections(self, database: str) -> int:
        """End the server's threads that serve a database; how many there were."""
        ids = self.run(f"SELECT id FROM information_schema.processlist WHERE db = '{database}'")
        for (number,) in ids:
            try:
                self.run(f"KILL {number}")
            except MySQLdb.OperationalError as error:
                # One that was at its end already.
                if error.args[0] != ER.NO_SUCH_THREAD:
                    raise
        return len(ids)

    def _initialise(self) -> None:
        self._secret(
            "users.sql",
            f"CREATE USER IF NOT EXISTS '{self.user}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO '{self.user}'@'127.0.0.1' WITH GRANT OPTION;\n",
        )
        command = [program("mariadb-install-db"), "--no-defaults", f"--datadir={self._data}"]
        # Its own folder for what is temporary: two that are made at once take each other's tables there.
        command += [f"--tmpdir={self.folder}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        self._install(command)

    def _command(self) -> list[str]:
        options = {
            "datadir": self._data,
            "init-file": self.folder / "users.sql",
            "tmpdir": self.folder,
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "port": self.port,
            **_SETTINGS,
            **self.settings,
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        return [program("mariadbd", "/usr/sbin"), "--no-defaults", *given]

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except MySQLdb.OperationalError:
            return False
        return True
