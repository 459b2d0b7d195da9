"""Token: a right to use a workspace over HTTP; only the hash of its secret is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.database import Database, Lookup, Mark
from aggflow.catalog.tables import tokens
from aggflow.catalog.workspaces import lock_workspace
from aggflow.errors import NotFoundError
from aggflow.timeline.instant import Micros


@dataclass(frozen=True, slots=True)
class Token:
    """A right to use a workspace.

    Attributes
    ----------
    sha256
        Of the secret, as 64 hexadecimal digits; not shown.
    permissions
        What it may do.
    expires_us, revoked_us, last_used_us
        Instants, in microseconds, or None.
    brands
        Ids of the brands whose events it may read; none means all.
    """

    id: str
    workspace_id: str
    name: str
    sha256: str = field(repr=False)
    owner_email: str
    permissions: tuple[str, ...]
    created_us: Micros
    expires_us: Micros | None
    revoked_us: Micros | None
    last_used_us: Micros | None
    brands: tuple[str, ...] = ()

    def is_valid(self, now_us: Micros) -> bool:
        """Whether it is neither expired nor revoked."""
        return _is_valid(self.expires_us, self.revoked_us, now_us)


class TokenState(NamedTuple):
    """What of a token may change while it is used.

    Attributes
    ----------
    sha256
        Of the secret.
    expires_us, revoked_us
        Instants, in microseconds, or None.
    """

    sha256: str
    expires_us: Micros | None
    revoked_us: Micros | None

    def is_valid(self, now_us: Micros) -> bool:
        """Whether the token is neither expired nor revoked."""
        return _is_valid(self.expires_us, self.revoked_us, now_us)


def _is_valid(expires_us: Micros | None, revoked_us: Micros | None, now_us: Micros) -> bool:
    return revoked_us is None and (expires_us is None or now_us < expires_us)


def _token(row: sa.Row[Any]) -> Token:
    return replace(Token(*row), permissions=tuple(row.permissions), brands=tuple(row.brands or ()))


_BY_HASH = sa.select(tokens).where(tokens.c.sha256 == sa.bindparam("sha256"))
_STATE = Lookup(
    sa.select(tokens.c.sha256, tokens.c.expires_us, tokens.c.revoked_us).where(
        tokens.c.sha256 == sa.bindparam("key")
    )
)
_ANY_VALID = (
    sa.select(tokens.c.id)
    .where(
        tokens.c.revoked_us.is_(None),
        sa.or_(tokens.c.expires_us.is_(None), tokens.c.expires_us > sa.bindparam("now_us")),
    )
    .limit(1)
)
_LIST = (
    sa.select(tokens)
    .where(tokens.c.workspace_id == sa.bindparam("workspace_id"))
    .order_by(tokens.c.created_us, tokens.c.name)
)


class Tokens(Database):
    """The part of a catalog that holds tokens."""

    def create_token(
        self,
        workspace_id: str,
        name: str,
        sha256: str,
        owner_email: str,
        permissions: Iterable[str],
        now_us: Micros,
        *,
        expires_us: Micros | None = None,
        brands: Iterable[str] = (),
    ) -> Token:
        """Keep a new token.

        Parameters
        ----------
        workspace_id, name, owner_email
            Whose it is, and what it is called.
        sha256
            Of the secret, as 64 hexadecimal digits.
        permissions
            What it may do.
        now_us
            The present instant, in microseconds.
        expires_us
            When it ends; None never.
        brands
            Ids of the brands whose events it may read; none means all.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        ConflictError
            There is a token with that hash.
        """
        token = Token(
            id=str(uuid4()),
            workspace_id=workspace_id,
            name=name,
            sha256=sha256,
            owner_email=owner_email,
            permissions=tuple(permissions),
            created_us=now_us,
            expires_us=expires_us,
            revoked_us=None,
            last_used_us=None,
            brands=tuple(brands),
        )
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            connection.execute(tokens.insert().values(asdict(token) | {"brands": token.brands or None}))
        return token

    def token_by_hash(self, sha256: str) -> Token | None:
        """The token with a hash, revoked and expired ones too, or None."""
        rows = self._read(_BY_HASH, sha256=sha256)
        return _token(rows[0]) if rows else None

    def token_state(self, sha256: str, as_of: Mark | None = None) -> TokenState | None:
        """What may change of the token with a hash, or None; costs a tenth of `token_by_hash`.

        Parameters
        ----------
        sha256
            Of the secret.
        as_of
            It has to be as new as this; None for now.
        """
        rows = self._look_up(_STATE, sha256, as_of)
        return TokenState(*rows[0]) if rows else None

    def has_tokens(self, now_us: Micros) -> bool:
        """Whether there is a valid token, in any workspace."""
        return bool(self._read(_ANY_VALID, now_us=now_us))

    def tokens(self, workspace_id: str) -> tuple[Token, ...]:
        """The tokens of a workspace, revoked and expired ones too, oldest first."""
        return tuple(_token(row) for row in self._read(_LIST, workspace_id=workspace_id))

    def revoke_token(self, token_id: str, now_us: Micros) -> None:
        """End a token now; one that was revoked before keeps its instant.

        Raises
        ------
        NotFoundError
            There is no such token.
        """
        revoked = sa.func.coalesce(tokens.c.revoked_us, now_us)
        self._update_token(token_id, {"revoked_us": revoked})

    def expire_token(self, token_id: str, expires_us: Micros | None) -> None:
        """Let a token end at an instant, None for never.

        Raises
        ------
        NotFoundError
            There is no such token.
        """
        self._update_token(token_id, {"expires_us": expires_us})

    def touch_token(self, token_id: str, now_us: Micros) -> None:
        """Note when a token was last used.

        Raises
        ------
        NotFoundError
            There is no such token.
        """
        self._update_token(token_id, {"last_used_us": now_us})

    def _update_token(self, token_id: str, values: dict[str, Any]) -> None:
        with self._write() as connection:
            updated = tokens.update().where(tokens.c.id == token_id).values(values)
            if connection.execute(updated).rowcount == 0:
                raise NotFoundError("token", token_id)
