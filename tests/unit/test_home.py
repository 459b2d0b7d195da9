"""Homes and tokens: who comes in, to which workspace, and until when."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggflow.catalog import Catalog
from aggflow.errors import CatalogReadOnlyError, ConflictError, NotFoundError, SpecError
from aggflow.settings import Settings
from aggflow.store import SegmentStore
from aggflow.workspace import Home, open_workspace

OWNER = "a@b.example"


class Clock:
    def __init__(self) -> None:
        self.us = 1_000_000_000_000_000

    def __call__(self) -> int:
        return self.us


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path, clock: Clock) -> Iterator[Home]:
    catalog = Catalog.open(tmp_path / "catalog.db")
    with Home(catalog, SegmentStore(str(tmp_path / "segments")), Settings(), str(tmp_path), clock) as made:
        yield made


def test_a_secret_opens_the_workspace_that_it_is_for(home: Home) -> None:
    secrets = {
        name: home.workspace(name).create_token("t", owner=OWNER, permissions=["admin"])
        for name in ("acme", "globex")
    }
    for name, secret in secrets.items():
        access = home.access(secret)
        assert access is not None
        assert access.workspace is home.workspace(name)
        assert access.token.workspace_id == f"ws_{name}"
    assert home.workspace("acme").tokens.keys() != home.workspace("globex").tokens.keys()
    assert home.default.name == "self"


def test_only_the_hash_of_a_secret_is_kept(home: Home, tmp_path: Path) -> None:
    secret = home.default.create_token("t", owner=OWNER, permissions=["admin"])
    # 256 bits in base 64, after the name of what it is for.
    assert len(secret.removeprefix("aggflow_")) == 43
    [(kept,)] = sqlite3.connect(tmp_path / "catalog.db").execute("SELECT sha256 FROM tokens").fetchall()
    assert kept == hashlib.sha256(secret.encode()).hexdigest()
    for file in tmp_path.iterdir():
        if file.is_file():
            assert secret.encode() not in file.read_bytes()
    assert secret not in repr(home.default.tokens)
    assert kept not in repr(list(home.default.tokens.values()))


def test_what_is_no_secret_opens_nothing(home: Home) -> None:
    secret = home.default.create_token("t", owner=OWNER, permissions=["admin"])
    kept = hashlib.sha256(secret.encode()).hexdigest()
    for wrong in ("", "x", secret[:-1], secret + "A", secret.upper(), kept, "\udcff", "' OR 1=1 --"):
        assert home.access(wrong) is None


def test_a_token_ends_when_it_was_to(home: Home, clock: Clock) -> None:
    secret = home.default.create_token("t", owner=OWNER, permissions=["admin"], expires="1h")
    clock.us += 3_600_000_000 - 1
    assert home.access(secret) is not None
    assert home.has_tokens()
    clock.us += 1
    assert home.access(secret) is None
    assert not home.has_tokens()


def test_a_token_that_another_process_revokes_is_refused_at_once(home: Home, tmp_path: Path) -> None:
    secret = home.default.create_token("t", owner=OWNER, permissions=["admin"])
    assert home.access(secret) is not None
    with open_workspace(tmp_path) as elsewhere:
        elsewhere.revoke_token("t")
    assert home.access(secret) is None
    assert not home.has_tokens()


def test_the_use_of_a_token_is_noted_once_a_minute(home: Home, clock: Clock) -> None:
    secret = home.default.create_token("t", owner=OWNER, permissions=["admin"])
    access = home.access(secret)
    assert access is not None
    assert home.is_to_be_noted(access.token)
    home.note_use(access)
    assert home.default.tokens[access.token.id].last_used_us == clock.us
    clock.us += 59_999_999
    assert not home.is_to_be_noted(access.token)
    clock.us += 1
    assert home.is_to_be_noted(access.token)


def test_a_catalog_that_takes_no_note_keeps_nobody_out(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = home.default.create_token("t", owner=OWNER, permissions=["admin"])
    access = home.access(secret)
    assert access is not None

    def refuse(*_: object) -> None:
        raise CatalogReadOnlyError("it is read-only")

    monkeypatch.setattr(Catalog, "touch_token", refuse)
    home.note_use(access)
    assert "it is read-only" in caplog.text
    assert not home.is_to_be_noted(access.token)


def test_everything_that_is_wrong_with_a_token_is_said_at_once(home: Home) -> None:
    with pytest.raises(SpecError) as raised:
        home.default.create_token(
            "", owner="nobody", permissions=["data:raed", "admin"], expires="soon", brands=["x"]
        )
    assert [problem.path for problem in raised.value.problems] == [
        "name",
        "owner",
        "permissions[0]",
        "brands[0]",
        "expires",
    ]
    assert "did you mean 'data:read'" in str(raised.value)
    assert not home.default.tokens


@pytest.mark.parametrize(
    ("name", "owner"),
    [("a\0b", OWNER), ("x" * 256, OWNER), ("t", "a@b\0"), ("t", "a b@c"), ("t", "x" * 255 + "@")],
)
def test_names_and_owners_can_be_printed_and_stored(home: Home, name: str, owner: str) -> None:
    with pytest.raises(SpecError):
        home.default.create_token(name, owner=owner, permissions=["admin"])


@pytest.mark.parametrize("permissions", [[], "admin"])
def test_permissions_are_a_list_of_some(home: Home, permissions: list[str]) -> None:
    with pytest.raises(SpecError, match="permissions"):
        home.default.create_token("t", owner=OWNER, permissions=permissions)


def test_brands_and_permissions_are_kept_once_each(home: Home) -> None:
    brand = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
    secret = home.default.create_token(
        "t", owner=OWNER, permissions=["data:read", "data:read"], brands=[brand]
    )
    access = home.access(secret)
    assert access is not None
    assert access.token.permissions == ("data:read",)
    assert access.token.brands == (brand.lower(),)


def test_a_token_is_revoked_by_name_only_where_one_is_meant(home: Home) -> None:
    ws = home.default
    first = ws.issue_token("t", owner=OWNER, permissions=["admin"]).token
    second = ws.issue_token("t", owner=OWNER, permissions=["admin"]).token
    with pytest.raises(ConflictError, match="2 tokens are called 't'"):
        ws.revoke_token("t")
    assert ws.revoke_token(first.id).revoked_us is not None
    assert ws.revoke_token("t").id == second.id
    with pytest.raises(NotFoundError, match="no valid token 't'"):
        ws.revoke_token("t")
    # By its id it stays what it is.
    assert ws.revoke_token(first.id) == ws.tokens[first.id]


def test_a_token_of_another_workspace_is_not_there(home: Home) -> None:
    token = home.workspace("acme").issue_token("t", owner=OWNER, permissions=["admin"]).token
    for name in (token.id, "t"):
        with pytest.raises(NotFoundError):
            home.workspace("globex").revoke_token(name)


def test_workspaces_share_what_is_in_memory(home: Home) -> None:
    assert home.workspace("acme")._resident is home.workspace("globex")._resident
    assert home.workspace("acme") is home.workspace("acme")
