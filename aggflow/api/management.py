"""The management API: what the original services do in a web interface, as routes under ``/api/v1``.

All of it is for tokens with the permission ``admin``, and about the token's own workspace.  Such a token is
as good as a shell of the service's user where sources are added: a URL may name any file that it can read.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter

from aggflow.api import builds, cubes, definitions, event_source, events, questions, tokens
from aggflow.api.failure import Failure
from aggflow.api.family import Family, plain_error


def encode_error(failure: Failure) -> tuple[int, dict[str, Any]]:
    """A failure as of the endpoints API; ``error`` beside it is the error of Python, where it was one.

    Examples
    --------
    >>> encode_error(Failure(404, "not_found", "there is no filter 'f'", request_id="r1"))
    (404, {'message': "there is no filter 'f'", 'errors': [], 'requestId': 'r1'})
    """
    status, body = plain_error(failure)
    return status, body if failure.error is None else body | {"error": dict(failure.error)}


FAMILY: Final = Family("management", ("/api/v1",), encode_error)


router: Final = APIRouter()
for _part in (definitions, cubes, event_source, events, tokens, builds, questions):
    router.routes.extend(_part.router.routes)
