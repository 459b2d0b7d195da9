"""An administrator: a caller who may manage its workspace."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from aggflow.api.auth import Authenticated, Caller, require
from aggflow.api.parameters import refuse_unknown
from aggflow.spec.permission import Permission


async def administrator_of(request: Request, caller: Authenticated) -> Caller:
    """Who calls, for routes: ``caller: Administrator``.

    Raises
    ------
    Refused
        401, 429, or 403 where the token lacks the permission ``admin`` or is for some brands; 400 where the
        route does not know a parameter of the query string.
    """
    require(caller, Permission.ADMIN)
    refuse_unknown(request)
    return caller


Administrator = Annotated[Caller, Depends(administrator_of)]
"""The type of a route's parameter that is who calls, and may manage."""
