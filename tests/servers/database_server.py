"""A database server of the tests' own: Debian's, on a free port of loopback, with an empty data folder."""

from __future__ import annotations

import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Any, ClassVar, Self
from urllib.parse import quote

from daemon import Daemon, as_user, free_port, server_folder, server_user


@dataclass
class DatabaseServer(ABC):
    """A running database server.

    Attributes
    ----------
    port
        Where it listens, on 127.0.0.1.
    folder
        Its data, gone when it is closed.
    owner
        Who runs it; None for who runs the tests.
    settings
        What it is told of its own beside the usual settings.
    user, password
        Of a user who may do everything; the password holds characters that URLs must quote.
    """

    name: ClassVar[str]
    scheme: ClassVar[str]
    system_database: ClassVar[str]
    """The one that is there before any is made."""
    how_it_stops: ClassVar[Signals] = SIGTERM

    port: int
    folder: Path
    owner: str | None
    settings: Mapping[str, str]
    user: str = "aggflow"
    password: str = field(default="s3cret/w@rd", repr=False)
    _daemon: Daemon | None = None

    @classmethod
    @contextmanager
    def started(cls, **settings: str) -> Iterator[Self]:
        """A server for the time of a ``with``, with settings of its own beside the usual ones."""
        owner = server_user(cls.name)
        server = cls(free_port(), server_folder(f"aggflow-{cls.name}-", owner), owner, settings)
        try:
            server._initialise()
            server.start()
            yield server
        finally:
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)

    def url(self, database: str = "", *, scheme: str = "") -> str:
        """The URL of a database: of the system's, where none is named."""
        login = f"{self.user}:{quote(self.password, safe='')}"
        return f"{scheme or self.scheme}://{login}@127.0.0.1:{self.port}/{database or self.system_database}"

    @abstractmethod
    def create(self, database: str, options: str = "") -> str:
        """Make a new, empty database; its URL."""

    @abstractmethod
    def run(self, statement: str, *, database: str = "") -> list[tuple[Any, ...]]:
        """Run one statement and commit it; its rows, if it gives any."""

    @abstractmethod
    def drop_connections(self, database: str) -> int:
        """End what of the server serves a database; how many connections there were."""

    @property
    def pid(self) -> int:
        """The process of the running server."""
        assert self._daemon is not None
        return self._daemon.pid

    def start(self) -> None:
        """Start it (again), on the same port and data."""
        self._daemon = Daemon.started(
            self._command(), user=self.owner, log=self.folder / "log", is_ready=self._answers
        )

    def stop(self) -> None:
        """Stop it; open connections are ended, their transactions rolled back."""
        if self._daemon is not None:
            self._daemon.stop(self.how_it_stops)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _secret(self, name: str, text: str) -> Path:
        """A file that its owner, who did not write it, can read."""
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o644)
        return file

    def _install(self, command: Sequence[str]) -> None:
        """Make its data, by a program of its own."""
        done = subprocess.run(
            as_user(self.owner, command), capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @abstractmethod
    def _initialise(self) -> None:
        """Make its data and its user."""

    @abstractmethod
    def _command(self) -> list[str]:
        """What runs it."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether somebody can connect."""
