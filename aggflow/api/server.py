"""A server: the processes that listen on an address and answer there, until they are asked to end."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NoReturn

import uvicorn

from aggflow.api.log_line import logging_config
from aggflow.api.metrics import SHARED
from aggflow.errors import AggflowError, Problem, SpecError
from aggflow.workspace import Home

_APP: Final = "aggflow.api.served_app:served_app"
_GRACE: Final = 30  # seconds for requests that are under way when the server is to end
_ALIVE_WITHIN: Final = 30  # a worker that answers a long question is not dead


@dataclass(frozen=True)
class Server:
    """What listens, and where; the home is that of ``$AGGFLOW_HOME``.

    Attributes
    ----------
    host, port
        The address.
    workers
        How many processes answer.
    access_log
        Whether each request is a line of the log.
    """

    host: str
    port: int
    workers: int = 1
    access_log: bool = True

    @property
    def address(self) -> str:
        """What to open in a browser on this machine."""
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104 - what it means is asked, it is not listened on
        host = "127.0.0.1" if everywhere else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def run(self, begin: Callable[[str], None] = lambda _: None) -> None:
        """Listen and answer until SIGINT or SIGTERM; what is under way is answered first.

        Parameters
        ----------
        begin
            Told the address once it is known that it can be listened on.

        Raises
        ------
        AggflowError
            Somebody else could come in without a token, or the address cannot be listened on.
        """
        if not is_loopback(self.host):
            self._require_token()
        self._require_free()
        begin(self.address)
        log = logging_config()
        if not self.access_log:
            log["loggers"]["aggflow.access"] = {"level": "WARNING"}
        with _ended_well(), _counted_together(self.workers):
            uvicorn.run(
                _APP,
                factory=True,
                host=self.host,
                port=self.port,
                workers=self.workers,
                log_config=log,
                access_log=False,  # its own says less, and not as JSON
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
                timeout_worker_healthcheck=_ALIVE_WITHIN,
            )

    def _require_token(self) -> None:
        with Home.open() as home:
            if home.has_tokens():
                return
        raise AggflowError(
            f"others could reach the service on {self.host}, and there is no token yet",
            hint="make one with `aggflow token create`, or listen on 127.0.0.1",
        )

    def _require_free(self) -> None:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except socket.gaierror:
            raise SpecError("the address", [Problem("host", f"there is no host {self.host!r}")]) from None
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(address)
            except OSError as error:
                raise AggflowError(
                    f"nothing can listen on {self.host} port {self.port}: {error.strerror}",
                    hint="--port and --host name another address",
                ) from None


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach an address.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _ended_well() -> Iterator[None]:
    """Let a signal to end be no failure: uvicorn raises it once more when all is answered."""

    def end(*_: object) -> NoReturn:
        sys.exit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _counted_together(workers: int) -> Iterator[None]:
    """Let the metrics of several processes be one: they count in files of a folder."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="aggflow-metrics-") as folder:
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            del os.environ[SHARED]
