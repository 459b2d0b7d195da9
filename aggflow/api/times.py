"""Times of requests and answers: RFC 3339, dates and epoch milliseconds in; RFC 3339 with ``Z`` out."""

from __future__ import annotations

from aggflow.api.failure import invalid
from aggflow.errors import QueryError
from aggflow.timeline import Micros, format_instant, parse_instant


def read_time(value: object, field: str) -> Micros:
    """The instant that a request names, in microseconds since the epoch.

    Parameters
    ----------
    value
        RFC 3339 text with any offset, a date, or epoch milliseconds as a number or digits.
    field
        Where it stood.

    Raises
    ------
    Refused
        400: it is none of these.

    Examples
    --------
    >>> read_time("1970-01-01T01:00:00+01:00", "end"), read_time(1000, "end")
    (0, 1000000)
    """
    if isinstance(value, str | int | float):
        try:
            return parse_instant(value)
        except QueryError as error:
            raise invalid([(field, str(error))]) from None
    raise invalid([(field, "must be a time: RFC 3339, a date, or epoch milliseconds")])


def rfc3339(us: Micros | None) -> str | None:
    """An instant as text, None as None.

    Examples
    --------
    >>> rfc3339(0), rfc3339(None)
    ('1970-01-01T00:00:00Z', None)
    """
    return None if us is None else format_instant(us)
