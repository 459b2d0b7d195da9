"""Parameters: what the query string of a request names; a management route refuses those that it does not know.

A mistyped ``dry_run`` would change what it was only to tell of.
"""

from __future__ import annotations

from starlette.requests import Request

from aggflow.api.failure import invalid
from aggflow.errors import did_you_mean
from aggflow.quote import quoted


def refuse_unknown(request: Request) -> None:
    """Make sure that a request names no parameter that its route does not know.

    Parameters
    ----------
    request
        Whose route is found.

    Raises
    ------
    Refused
        400: each that is unknown is named.
    """
    given = dict.fromkeys(request.query_params)
    if not given:
        return
    described = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = [one["name"] for one in described.get("parameters", ()) if one["in"] == "query"]
    unknown = [name for name in given if name not in known]
    if unknown:
        hints = [did_you_mean(name, known) if known else "this route takes none" for name in unknown]
        raise invalid(
            (name, f"there is no parameter {quoted(name)} ({hint})")
            for name, hint in zip(unknown, hints, strict=True)
        )
