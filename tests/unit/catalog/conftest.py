"""A catalog, and a rollup in it: on SQLite, and on the server of ``TEST_POSTGRES_URL`` where that is set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from aggflow.catalog import Catalog, Rollup, Workspace

POSTGRES = os.environ.get("TEST_POSTGRES_URL")


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy, which is faster than making another."""
    path = tmp_path_factory.mktemp("catalog") / "empty.db"
    Catalog.open(path).close()
    return path


@pytest.fixture
def sqlite_url(empty_catalog: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(empty_catalog, tmp_path / 'catalog.db')}"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A schema of its own."""
    assert POSTGRES
    schema = f"t{uuid4().hex}"
    url = sa.make_url(POSTGRES).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    own = url.update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))


@pytest.fixture(params=["sqlite", "postgres"] if POSTGRES else ["sqlite"])
def catalog(request: pytest.FixtureRequest) -> Iterator[Catalog]:
    with Catalog.open(request.getfixturevalue(f"{request.param}_url")) as opened:
        yield opened


@pytest.fixture
def workspace(catalog: Catalog) -> Workspace:
    return catalog.workspace("shop")


@pytest.fixture
def rollup(catalog: Catalog, workspace: Workspace) -> Rollup:
    owner = catalog.put_definition(workspace.id, "filter", "delays", {"interval": "1h"}, "h1", "d1", 1)
    return catalog.create_rollup(workspace.id, "filter", owner.id, "delays", "flights", {"v": 1}, "h1")
