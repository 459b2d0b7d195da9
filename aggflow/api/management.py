"""The management API: what the original services do in a web interface, as routes under ``/api/v1``.

All of it is for tokens with the permission ``admin``, and about the token's own workspace.  Such a token is
as good as a shell of the service's user where sources are added: a URL may name any file that it can read.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from aggflow.api import builds, cubes, definitions, event_source, tokens
from aggflow.api.family import Family

FAMILY: Final = Family("management", ("/api/v1",))


router: Final = APIRouter()
for _part in (definitions, cubes, event_source, tokens, builds):
    router.routes.extend(_part.router.routes)
