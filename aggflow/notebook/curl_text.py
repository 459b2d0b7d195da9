"""A curl text: the command that declares a definition over HTTP, without address or token in it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def curl_of(method: str, route: str, body: Mapping[str, Any] | None = None) -> str:
    r"""The command that sends a body to a route of the service.

    Parameters
    ----------
    method
        ``POST``, ``PUT`` and so on.
    route
        Its path; names in it are quoted by :func:`segment`.
    body
        JSON-ready data; None for none.

    Examples
    --------
    >>> print(curl_of("PUT", "/api/v1/filters/delays", {"interval": "1h"}))
    curl --fail-with-body -X PUT "$AGGFLOW_URL/api/v1/filters/delays" \
      -H "authorization: Bearer $AGGFLOW_TOKEN" -H "content-type: application/json" \
      -d '{
      "interval": "1h"
    }'
    """
    lines = [
        f'curl --fail-with-body -X {method} "$AGGFLOW_URL{route}"',
        '-H "authorization: Bearer $AGGFLOW_TOKEN" -H "content-type: application/json"',
    ]
    if body is not None:
        lines.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))}")
    return " \\\n  ".join(lines)


def segment(name: str) -> str:
    """A name as a part of a path, with nothing in it that a shell or a server would read.

    Examples
    --------
    >>> segment("by client/$HOME")
    'by%20client%2F%24HOME'
    """
    return quote(name, safe="")
