"""A link: what every part of a remote workspace stands on: the connection to its service."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeAlias

from aggflow.remote.connection import Connection
from aggflow.timeline import format_instant, parse_instant

Instant: TypeAlias = str | datetime | date | int | float


class Link:
    """The connection that the parts of a remote workspace share.

    Parameters
    ----------
    connection
        To the service.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


def written(value: Instant | None) -> str | None:
    """An instant as it is sent, None as None.

    Examples
    --------
    >>> written(0), written(None)
    ('1970-01-01T00:00:00Z', None)
    """
    return None if value is None else format_instant(parse_instant(value))
