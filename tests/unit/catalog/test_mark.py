"""The catalog's mark: what is looked up by it is as new as it, and read once for as long as nothing is committed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from aggflow.catalog import Catalog, Rollup
from aggflow.catalog.database import Mark

CHANGES = 200


@pytest.fixture
def file(catalog: Catalog) -> Path:
    if catalog.url.get_backend_name() != "sqlite":
        pytest.skip("a server has no marks")
    return Path(catalog.url.database or "")


@pytest.fixture
def other(catalog: Catalog) -> Iterator[Catalog]:
    """What another process would have open."""
    with Catalog.open(catalog.url.render_as_string(hide_password=False)) as opened:
        yield opened


def mark(catalog: Catalog) -> Mark:
    found = catalog.mark()
    assert found is not None
    return found


def change(catalog: Catalog, rollup: Rollup) -> int:
    """Raise the rollup's generation."""
    with catalog._write() as connection:
        connection.execute(
            sa.text("UPDATE rollups SET generation = generation + 1 WHERE id = :id"), {"id": rollup.id}
        )
    return catalog.generation(rollup.id)


@pytest.mark.usefixtures("file")
def test_nothing_is_read_twice_while_nothing_is_committed(
    catalog: Catalog, rollup: Rollup, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mark(catalog)
    known = catalog.generations(rollup.id, first)
    assert mark(catalog) == first
    monkeypatch.setattr(catalog, "_driven", None)
    assert catalog.generations(rollup.id, first) == known


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_each_commit_is_another_mark(catalog: Catalog, other: Catalog, rollup: Rollup, whose: str) -> None:
    seen = {mark(catalog)}
    for _ in range(5):
        changed = change(catalog if whose == "its own" else other, rollup)
        as_of = mark(catalog)
        assert as_of not in seen
        assert catalog.generations(rollup.id, as_of) == (catalog.generations(rollup.id) or ())
        assert (catalog.generations(rollup.id, as_of) or (0, 0))[1] == changed
        seen.add(as_of)


def test_a_log_that_begins_anew_is_seen(catalog: Catalog, other: Catalog, rollup: Rollup, file: Path) -> None:
    for how in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(RESTART)"):
        as_of = mark(catalog)
        before = catalog.generations(rollup.id, as_of)
        with sqlite3.connect(file, isolation_level=None) as connection:
            connection.execute(how)
        changed = change(other, rollup)
        assert before != catalog.generations(rollup.id, mark(catalog))
        assert (catalog.generations(rollup.id, mark(catalog)) or (0, 0))[1] == changed


@pytest.mark.usefixtures("file")
def test_what_is_looked_up_is_as_new_as_its_mark(catalog: Catalog, other: Catalog, rollup: Rollup) -> None:
    committed = [catalog.generation(rollup.id)]

    def commit() -> None:
        committed.extend(change(other, rollup) for _ in range(CHANGES))

    writing = threading.Thread(target=commit)
    writing.start()
    seen: set[int] = set()
    while writing.is_alive():
        least = committed[-1]
        found = catalog.generations(rollup.id, mark(catalog))
        assert found is not None
        assert found[1] >= least
        seen.add(found[1])
    writing.join()
    assert len(seen) > 1
    assert (catalog.generations(rollup.id, mark(catalog)) or (0, 0))[1] == committed[-1]


def test_a_server_has_none(catalog: Catalog) -> None:
    assert (catalog.mark() is None) == (catalog.url.get_backend_name() != "sqlite")
