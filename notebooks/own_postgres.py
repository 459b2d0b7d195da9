"""A Postgres server of a notebook's own: an empty one, in a temporary folder, on a free port of loopback."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

_PATIENCE_SECONDS = 60.0


class OwnPostgres:
    """Starts Postgres, and stops exactly what it started.

    It listens on this machine only, for one user, and goes away with all its data.  Postgres refuses
    to run as root; there it runs as the user ``postgres``, as Debian's package makes it.

    Attributes
    ----------
    url
        Of its database, as a source takes it.

    Raises
    ------
    RuntimeError
        There is no Postgres on this machine, or it does not start.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True)
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder.name, entry.pw_uid, entry.pw_gid)
        data = str(Path(self._folder.name) / "data")
        made = self._run("initdb", "-D", data, "-U", "tutorial", "-A", "trust", "-E", "UTF8", "--no-sync")
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        only_here = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        self._server = subprocess.Popen(
            self._command("postgres", "-D", data, "-p", str(port), *only_here),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        self.url = f"postgresql://tutorial@127.0.0.1:{port}/postgres"
        atexit.register(self.stop)  # a kernel that is shut down early leaves nothing behind
        self._wait(port)

    def stop(self) -> None:
        """End the server that was started here, and remove its folder."""
        atexit.unregister(self.stop)
        if self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # ends at once; on SIGTERM it waits for its clients
            self._server.wait(_PATIENCE_SECONDS)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self, port: int) -> None:
        """Until it takes connections."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._run("pg_isready", "-h", "127.0.0.1", "-p", str(port)).returncode:
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("Postgres does not start")
            time.sleep(0.05)

    def _command(self, program: str, *arguments: str) -> list[str]:
        """A command of Postgres, as the user that it may run as, ended when this process is gone."""
        packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        found = str(packaged[-1]) if packaged else shutil.which(program)
        if not found:
            raise RuntimeError("there is no Postgres on this machine: apt-get install postgresql")
        who = [f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups"] if self._user else []
        ended = ["setpriv", *who, "--pdeathsig=INT", "--"] if shutil.which("setpriv") else []
        return [*ended, found, *arguments]

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(program, *arguments), capture_output=True, text=True, check=False, cwd="/"
        )
