"""A catalog, and a rollup in it: on SQLite, and on the server of ``TEST_POSTGRES_URL`` where that is set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import sqlalchemy.event

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


@pytest.fixture
def plans(catalog: Catalog) -> Callable[[Callable[[], object]], list[list[str]]]:
    """The steps of SQLite's plan for each statement that is read with while something is done."""
    if catalog.url.get_backend_name() != "sqlite":
        pytest.skip("the words of the plan are SQLite's")
    reader = catalog._engines().reader

    def plans_of(do: Callable[[], object]) -> list[list[str]]:
        asked: list[tuple[str, Any]] = []

        def note(_: object, __: object, statement: str, values: object, *___: object) -> None:
            asked.append((statement, values))

        sqlalchemy.event.listen(reader, "before_cursor_execute", note)
        do()
        sqlalchemy.event.remove(reader, "before_cursor_execute", note)
        with reader.connect() as connection:
            found = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in asked]
            return [[step.detail for step in steps] for steps in found]

    return plans_of
