"""A remote: a workspace behind a service, asked as one of this process is."""

from __future__ import annotations

from typing import Any, Self

from aggflow.remote.builds import BuildsPart
from aggflow.remote.connection import Connection
from aggflow.remote.definitions import DefinitionsPart
from aggflow.remote.questions import QuestionsPart


def connect(url: str, token: str, *, timeout: float = 60.0, transport: Any = None) -> Remote:
    """Connect to a workspace behind a service.

    Parameters
    ----------
    url
        Of the service: ``http://127.0.0.1:8787``.
    token
        A token of the workspace; questions to endpoints take the permission ``data:read``, all else ``admin``.
    timeout
        Seconds to wait for an answer.
    transport
        Of httpx, where requests take another way than the network.

    Raises
    ------
    ServiceError
        The service cannot be reached, or the token is not valid.

    Examples
    --------
    >>> connect("http://127.0.0.1:9", "a token")
    Traceback (most recent call last):
    ...
    aggflow.errors.ServiceUnavailableError: the service at http://127.0.0.1:9 cannot be reached: ...
    """
    return Remote(Connection(url, token, timeout, transport))


class Remote(QuestionsPart, DefinitionsPart, BuildsPart):
    """A workspace behind a service; made by :func:`aggflow.connect`.

    Parameters
    ----------
    connection
        To the service.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        about = connection.get("workspace")
        self.name: str = about["name"]
        self.permissions: tuple[str, ...] = tuple(about["permissions"])

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Remote workspace {self.name!r} at {self._connection.url}"
