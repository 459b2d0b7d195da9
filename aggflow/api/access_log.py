"""The access log: one line a request: who asked what, how it ended, how long it took; never a token."""

from __future__ import annotations

import logging
import re
from typing import Final
from urllib.parse import parse_qsl, urlencode

from aggflow.api.exchange import Exchange

_LOG: Final = logging.getLogger("aggflow.access")
_SECRET = re.compile("token|secret|passw|key|auth|signature", re.IGNORECASE)
_LONGEST: Final = 2000
_GONE: Final = 499  # as other servers write it: the client did not wait


def log_access(exchange: Exchange) -> None:
    """Write down an exchange that has ended."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    scope = exchange.scope
    line: dict[str, object] = {
        "request": exchange.request_id,
        "address": exchange.address,
        "method": scope["method"],
        "path": scope["path"][:_LONGEST],
        "status": exchange.status or _GONE,
        "bytes": exchange.bytes,
        "ms": round((exchange.ended - exchange.began) * 1000, 3),
    }
    if scope["query_string"]:
        line["query"] = shown_query(scope["query_string"])
    if exchange.token:
        line["token"] = exchange.token
    # Not by info(), which looks for the line of the program that called it: there is only this one.
    _LOG.handle(_LOG.makeRecord(_LOG.name, logging.INFO, "", 0, line, (), None))


def shown_query(query: bytes) -> str:
    """A query, the values of what may be a secret hidden.

    Examples
    --------
    >>> shown_query(b"limit=10&api_token=abc")
    'limit=10&api_token=***'
    """
    pairs = parse_qsl(query.decode("latin-1")[:_LONGEST], keep_blank_values=True)
    return urlencode([(name, "***" if _SECRET.search(name) else value) for name, value in pairs], safe="*,:")
