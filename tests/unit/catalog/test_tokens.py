from __future__ import annotations

import hashlib

import pytest

from aggflow.catalog import Catalog, Token, Workspace
from aggflow.errors import ConflictError, NotFoundError

SHA256 = hashlib.sha256(b"secret").hexdigest()


@pytest.fixture
def token(catalog: Catalog, workspace: Workspace) -> Token:
    return catalog.create_token(
        workspace.id, "grafana", SHA256, "a@b.c", ["data:read", "admin"], 5, expires_us=100
    )


def test_a_token_is_found_by_its_hash(catalog: Catalog, token: Token) -> None:
    assert catalog.token_by_hash(SHA256) == token
    assert catalog.tokens(token.workspace_id) == (token,)
    assert token.permissions == ("data:read", "admin")
    assert catalog.token_by_hash("0" * 64) is None


def test_its_hash_is_not_shown(token: Token) -> None:
    assert SHA256 not in repr(token)


def test_it_expires(token: Token) -> None:
    assert token.is_valid(99)
    assert not token.is_valid(100)


def test_revoking_is_for_good(catalog: Catalog, token: Token) -> None:
    catalog.revoke_token(token.id, 7)
    catalog.revoke_token(token.id, 9)
    revoked = catalog.token_by_hash(SHA256)
    assert revoked
    assert revoked.revoked_us == 7
    assert not revoked.is_valid(8)


def test_its_last_use_is_noted(catalog: Catalog, token: Token) -> None:
    catalog.touch_token(token.id, 50)
    used = catalog.token_by_hash(SHA256)
    assert used
    assert used.last_used_us == 50


def test_a_hash_is_kept_once(catalog: Catalog, token: Token) -> None:
    with pytest.raises(ConflictError):
        catalog.create_token(token.workspace_id, "again", SHA256, "a@b.c", [], 5)


def test_what_is_not_there(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError):
        catalog.revoke_token("none", 1)
    with pytest.raises(NotFoundError):
        catalog.touch_token("none", 1)
    with pytest.raises(NotFoundError):
        catalog.create_token("ws_none", "x", SHA256, "a@b.c", [], 1)
