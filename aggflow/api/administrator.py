"""An administrator: a caller who may manage its workspace."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from aggflow.api.auth import Authenticated, Caller, require
from aggflow.spec.permission import Permission


async def administrator_of(caller: Authenticated) -> Caller:
    """Who calls, for routes: ``caller: Administrator``.

    Raises
    ------
    Refused
        401, 429, or 403 where the token lacks the permission ``admin`` or is for some brands.
    """
    require(caller, Permission.ADMIN)
    return caller


Administrator = Annotated[Caller, Depends(administrator_of)]
"""The type of a route's parameter that is who calls, and may manage."""
