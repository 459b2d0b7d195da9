"""Tokens of a workspace: made, shown, revoked; their secrets are known only to whom they were given."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from aggflow.catalog.tokens import Token
from aggflow.collection import Collection
from aggflow.errors import ConflictError, NotFoundError, ParseError, Problem, QueryError, SpecError
from aggflow.quote import quoted
from aggflow.spec.permission import problem_of
from aggflow.timeline import Duration, Micros, format_instant, parse_instant
from aggflow.workspace.foundation import Foundation, Instant

_PREFIX: Final = "aggflow_"  # so that scanners for secrets that were published by mistake can find them
_BYTES: Final = 32
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LONGEST_NAME: Final = 255
_EXPIRY: Final = "give a time, or how long it lives: 90d"


@dataclass(frozen=True)
class IssuedToken:
    """A token that was just made, with its secret, which nobody can show again.

    Attributes
    ----------
    token
        What is kept of it.
    secret
        What its owner sends.
    """

    token: Token
    secret: str = field(repr=False)


def hash_of(secret: str) -> str:
    """The SHA-256 of a token's secret, as it is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class TokensPart(Foundation):
    """The part of a workspace that gives and takes rights to it over HTTP."""

    def create_token(
        self,
        name: str,
        *,
        owner: str,
        permissions: Sequence[str],
        expires: Instant | None = None,
        brands: Sequence[str] = (),
    ) -> str:
        """Make a token for the HTTP service.

        Parameters
        ----------
        name
            What it is for.
        owner
            E-mail address of whom it is given to.
        permissions
            What it may do: ``tasks:view``, ``tasks:manage``, ``schedules:view``, ``schedules:manage``,
            ``data:read``, ``widgets:read``, or ``admin`` for all and for management.
        expires
            When it ends: a time, or how long it lives (``90d``); None never.
        brands
            Ids of the brands whose events it may read; none means all.  Widget queries alone tell brands
            apart: to a token for some, what else takes ``data:read`` or ``admin`` is refused.

        Returns
        -------
        str
            The secret; only its hash is kept, so it cannot be shown again.

        Raises
        ------
        SpecError
            Everything that is wrong with it.
        """
        return self.issue_token(
            name, owner=owner, permissions=permissions, expires=expires, brands=brands
        ).secret

    def issue_token(
        self,
        name: str,
        *,
        owner: str,
        permissions: Sequence[str],
        expires: Instant | None = None,
        brands: Sequence[str] = (),
    ) -> IssuedToken:
        """Make a token as :meth:`create_token` does, and give what is kept of it as well.

        Raises
        ------
        SpecError
            Everything that is wrong with it.
        """
        now_us = self._clock()
        problems = [*_problems(name, owner, permissions), *_problems_of_brands(brands)]
        expires_us: Micros | None = None
        try:
            expires_us = None if expires is None else _expiry(expires, now_us)
        except (ParseError, QueryError) as error:
            problems.append(Problem("expires", error.message, _EXPIRY))
        if expires_us is not None and expires_us <= now_us:
            problems.append(Problem("expires", f"{format_instant(expires_us)} is past", _EXPIRY))
        if problems:
            raise SpecError("the token", problems)
        secret = _PREFIX + secrets.token_urlsafe(_BYTES)
        token = self._catalog.create_token(
            self._id,
            name,
            hash_of(secret),
            owner,
            tuple(dict.fromkeys(permissions)),
            now_us,
            expires_us=expires_us,
            brands=tuple(str(UUID(brand)) for brand in brands),
        )
        return IssuedToken(token, secret)

    @property
    def tokens(self) -> Collection[Token]:
        """The tokens, by id; those that were revoked or have expired too."""
        return Collection("token", self._tokens, _COLUMNS)

    def revoke_token(self, id_or_name: str) -> Token:
        """End a token at once.

        Parameters
        ----------
        id_or_name
            Its id, or its name where only one that is valid has it.

        Returns
        -------
        Token
            As it is now.

        Raises
        ------
        NotFoundError
            There is none.
        ConflictError
            Several have that name.
        """
        known = self._tokens()
        found = known.get(id_or_name) or _named(id_or_name, known, self._clock())
        self._catalog.revoke_token(found.id, self._clock())
        return self._tokens()[found.id]

    def expire_token(self, id_or_name: str, expires: Instant | None) -> Token:
        """Change when a token ends.

        Parameters
        ----------
        id_or_name
            Its id, or its name where only one that is valid has it.
        expires
            A time, how long it lives from now on (``90d``), or None for never.

        Returns
        -------
        Token
            As it is now.

        Raises
        ------
        NotFoundError
            There is none.
        ConflictError
            It was revoked, which is for good; or several have that name.
        SpecError
            That is no time.
        """
        known, now_us = self._tokens(), self._clock()
        found = known.get(id_or_name) or _named(id_or_name, known, now_us)
        if found.revoked_us is not None:
            raise ConflictError(f"token {found.name!r} was revoked", hint="make another one")
        try:
            expires_us = None if expires is None else _expiry(expires, now_us)
        except (ParseError, QueryError) as error:
            raise SpecError("the token", [Problem("expires", error.message, _EXPIRY)]) from None
        self._catalog.expire_token(found.id, expires_us)
        return self._tokens()[found.id]

    def _tokens(self) -> dict[str, Token]:
        return {token.id: token for token in self._catalog.tokens(self._id)}


def _named(name: str, known: Mapping[str, Token], now_us: Micros) -> Token:
    valid = [token for token in known.values() if token.is_valid(now_us)]
    called = [token for token in valid if token.name == name]
    if not called:
        raise NotFoundError("valid token", name, {token.name for token in valid})
    if len(called) > 1:
        ids = ", ".join(token.id for token in called)
        raise ConflictError(f"{len(called)} tokens are called {name!r}", hint=f"name it by its id: {ids}")
    return called[0]


def _problems(name: str, owner: str, permissions: Sequence[str]) -> Iterator[Problem]:
    if not 0 < len(name) <= _LONGEST_NAME:
        yield Problem("name", f"must have 1 to {_LONGEST_NAME} characters")
    elif not name.isprintable():
        yield Problem("name", "has characters that cannot be printed")
    if not _EMAIL.fullmatch(owner) or _has_controls(owner) or len(owner) > _LONGEST_NAME:
        yield Problem("owner", f"{quoted(owner)} is no e-mail address", "such as a@b.example")
    if isinstance(permissions, str):
        yield Problem("permissions", "must be a list", f"[{quoted(permissions)}]")
        return
    if not permissions:
        yield Problem("permissions", "a token that may do nothing is of no use", "'admin' may do all")
    for index, permission in enumerate(permissions):
        if problem := problem_of(permission):
            yield Problem(f"permissions[{index}]", problem)


def _problems_of_brands(brands: Sequence[str]) -> Iterator[Problem]:
    for index, brand in enumerate(brands):
        try:
            UUID(brand)
        except ValueError:
            yield Problem(f"brands[{index}]", f"{quoted(brand)} is no UUID")


def _expiry(expires: Instant, now_us: Micros) -> Micros:
    """The instant of an expiry; what reads as a length is counted from now.

    Examples
    --------
    >>> _expiry("1h", 0), _expiry("1970-01-02", 0)
    (3600000000, 86400000000)
    """
    if isinstance(expires, str) and expires[-1:].isalpha() and not expires.endswith(("Z", "z")):
        return 2 * now_us - Duration.of(expires).before(now_us)
    return parse_instant(expires)


def _shown(us: Micros | None) -> str:
    return "" if us is None else format_instant(us)


_COLUMNS: Final[dict[str, Callable[[Token], object]]] = {
    "id": lambda token: token.id,
    "name": lambda token: token.name,
    "owner": lambda token: token.owner_email,
    "permissions": lambda token: token.permissions,
    "brands": lambda token: token.brands,
    "created": lambda token: _shown(token.created_us),
    "expires": lambda token: _shown(token.expires_us),
    "revoked": lambda token: _shown(token.revoked_us),
    "last used": lambda token: _shown(token.last_used_us),
}


def _has_controls(text: str) -> bool:
    # Characters that only join others, as in emoji, are letters of a name.
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
