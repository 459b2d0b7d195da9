"""Auth: who calls: the token of a request, the workspace that it is for, what it may do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request

from aggflow.api.attempts import Attempts
from aggflow.api.exchange import Exchange, exchange_of
from aggflow.api.failure import Refused
from aggflow.api.family import BEARER, Families, Family
from aggflow.api.pool import run
from aggflow.catalog.tokens import Token
from aggflow.spec.permission import Permission, granted
from aggflow.workspace import Access, Home, Workspace

_SCHEME: Final = "bearer "
_LONGEST: Final = 512
# What is read by these is of events of any brand; widgets alone can tell the events of one.
_OF_ALL_BRANDS: Final = frozenset({Permission.READ_DATA, Permission.ADMIN})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes
    ----------
    token
        What it came with.
    workspace
        What that is for: nothing of another workspace may be told.
    permissions
        What it may do, with all that is included.
    """

    token: Token
    workspace: Workspace
    permissions: frozenset[str]

    @property
    def owner_email(self) -> str:
        """Whose token it is."""
        return self.token.owner_email

    @property
    def brands(self) -> tuple[str, ...]:
        """The brands whose events it may read; none means all."""
        return self.token.brands


class Door:
    """Where callers come in: the home whose tokens are known, and those who tried too often.

    Parameters
    ----------
    home
        Whose tokens are taken.
    families
        Who says which header a token comes in.
    attempts
        Failed ones, by address.
    """

    def __init__(self, home: Home, families: Families, attempts: Attempts) -> None:
        self._home = home
        self._families = families
        self._attempts = attempts
        self._callers: dict[str, Caller] = {}
        self._notes: set[asyncio.Future[Any]] = set()

    async def caller(self, request: Request) -> Caller:
        """Who calls.

        Raises
        ------
        Refused
            401: there is no token, or none that is valid; 429: too many of those came from there.
        """
        family = self._families.owner(request.scope["path"])
        secret = secret_of(request, family)
        if not secret:
            raise _unauthorized("a token is required", family)
        return await self.admit(request, secret)

    async def admit(self, request: Request, secret: str) -> Caller:
        """Who comes with a secret, wherever in the request that is.

        Raises
        ------
        Refused
            401: it is not valid; 429: too many of those came from there.
        """
        exchange = exchange_of(request.scope)
        access = await self._access(secret, exchange)
        if access is None:
            raise self._refusal(request, self._families.owner(request.scope["path"]))
        if self._home.is_to_be_noted(access.token):
            self._note(access)
        exchange.token = access.token.id
        caller = self._callers.get(access.token.id)
        if caller is None:
            caller = Caller(access.token, access.workspace, granted(access.token.permissions))
            self._callers[access.token.id] = caller
        return caller

    async def _access(self, secret: str, exchange: Exchange) -> Access | None:
        if len(secret) > _LONGEST:
            return None
        if self._home.is_embedded:
            exchange.as_of = self._home.mark()
            return self._home.access(secret, exchange.as_of)
        return await run(self._home.access, secret)

    def _refusal(self, request: Request, family: Family) -> Refused:
        wait = self._attempts.fail(exchange_of(request.scope).address)
        if wait is None:
            return _unauthorized("the token is not valid", family)
        message = "too many requests with a token that is not valid came from this address"
        return Refused(429, message, headers={"Retry-After": str(wait)})

    def _note(self, access: Access) -> None:
        note = asyncio.ensure_future(run(self._home.note_use, access))
        # A task that nobody holds may be collected before it is done.
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)


def secret_of(request: Request, family: Family) -> str:
    """The secret that a request carries: in its family's header, else after ``Authorization: Bearer``."""
    if family.header != BEARER and (secret := _header(request, family.header).strip()):
        return secret
    value = _header(request, BEARER)
    return value[len(_SCHEME) :].strip() if value[: len(_SCHEME)].lower() == _SCHEME else ""


def _header(request: Request, name: str) -> str:
    """The first header of a name; empty where there is none."""
    raw = name.lower().encode()
    for key, value in request.scope["headers"]:
        if key == raw:
            return value.decode("latin-1")
    return ""


def _unauthorized(message: str, family: Family) -> Refused:
    where = "Authorization: Bearer"
    if family.header != BEARER:
        where = f"{family.header} or {where}"
    return Refused(401, f"{message}; send it as {where}", headers={"WWW-Authenticate": "Bearer"})


async def caller_of(request: Request) -> Caller:
    """Who calls, for routes: ``caller: Authenticated``.

    Raises
    ------
    Refused
        401 or 429.
    """
    door: Door = request.app.state.door
    return await door.caller(request)


Authenticated = Annotated[Caller, Depends(caller_of)]
"""The type of a route's parameter that is who calls."""


def require(caller: Caller, permission: str, *, status: int = 403, code: int | None = None) -> None:
    """Make sure that a caller may do something.

    Parameters
    ----------
    caller
        Who calls.
    permission
        What it has to have.
    status, code
        Of the refusal.

    Raises
    ------
    Refused
        It may not; 403 as well where what it would read is of all brands, and its token of some.
    """
    if permission not in caller.permissions:
        headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'} if status == 401 else None
        raise Refused(status, f"the token lacks the permission {permission}", code=code, headers=headers)
    if permission in _OF_ALL_BRANDS:
        require_all_brands(caller)


def require_all_brands(caller: Caller) -> None:
    """Make sure that a caller may be told of any event.

    Raises
    ------
    Refused
        403: its token is for some brands.
    """
    if caller.brands:
        raise Refused(403, "the token is for some brands only")
