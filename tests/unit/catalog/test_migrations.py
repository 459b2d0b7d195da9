from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from aggflow.catalog import Catalog
from aggflow.catalog.schema import FOLDER
from aggflow.catalog.tables import REVISION_TABLE
from aggflow.errors import CatalogReadOnlyError
from aggflow.timeline import ALWAYS, Window

ROWS = """
INSERT INTO workspaces VALUES ('ws_shop', 'shop', 3);
INSERT INTO definitions VALUES ('d1', 'ws_shop', 'filter', 'delays', '{"v": 1}', 'h', 'd', 2, 5, 6);
INSERT INTO rollups VALUES ('r1', 'ws_shop', 'filter', 'd1', 'delays', 'flights', 4, 1, 7);
INSERT INTO rollup_versions VALUES ('r1', 1, '{}', 'h', NULL, -4611686018427387904, 4611686018427387904);
INSERT INTO coverage VALUES (9, 'r1', 1, 0, 3600, 'f.parquet', 12, 345, 'c', 8, 'b1');
INSERT INTO builds (
    id, workspace_id, rollup_id, kind, status, created_us, started_us, finished_us, start_us, end_us,
    windows_done, windows_total, rows_read, null_times, states_written, bytes_written, error, detail
) VALUES
    ('b1', 'ws_shop', 'r1', 'full', 'done', 5, 5, 6, 0, 3600, 1, 1, 99, 0, 12, 345, NULL, '{"by": "me"}'),
    ('b2', 'ws_shop', NULL, 'full', 'running', 5, 5, NULL, NULL, NULL, 0, NULL, 0, 0, 0, 0, NULL, '{}')
"""


@pytest.fixture(params=["sqlite", "postgres"] if "TEST_POSTGRES_URL" in os.environ else ["sqlite"])
def first_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A catalog of the first revision, with data."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'first.db'}" if is_file else request.getfixturevalue("postgres_url")
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=REVISION_TABLE)
        command.upgrade(config, "0001")
        for statement in ROWS.split(";\n"):
            connection.exec_driver_sql(statement)
    engine.dispose()
    return url


def test_one_of_the_first_revision_keeps_what_it_holds(first_url: str) -> None:
    with Catalog.open(first_url) as catalog:
        done, running = reversed(catalog.builds("ws_shop"))
        assert (done.id, done.rows_read, done.window, done.detail) == (
            "b1",
            99,
            Window(0, 3600),
            {"by": "me"},
        )
        assert (done.owner_id, done.batch_id, done.job_id, done.heartbeat_us) == (None, None, None, None)
        assert not running.is_batch, "it has no owner"
        assert catalog.close_dead_batches("ws_shop", 2**50, 1) == ()
        assert catalog.rollup("r1").generation == 4
        assert [version.validity for version in catalog.versions("r1")] == [ALWAYS]
        assert [row.file for row in catalog.coverage("r1").rows] == ["f.parquet"]
        definition = catalog.get_definition("ws_shop", "filter", "delays")
        assert definition
        assert (definition.spec, definition.generation) == ({"v": 1}, 2)


def test_one_of_the_first_revision_takes_what_the_second_has(first_url: str) -> None:
    with Catalog.open(first_url) as catalog:
        batch = catalog.request_batch("ws_shop", "d1", True, 9)
        assert batch.number == 3
        assert [d.key for d in catalog.pending_dispatches("ws_shop")] == [batch.id]
        assert catalog.claim_batch("ws_shop", "d1", False, 9, ttl_us=10)
        assert catalog.add_task("ws_shop", "t", {}, 9).definition_id is None
        assert catalog.put_schedule_state("d1", 9).paused is False
    with Catalog.open(first_url) as catalog:
        assert catalog.build(batch.id)


def test_one_of_the_first_revision_that_cannot_be_written_is_an_error(first_url: str) -> None:
    url = sa.make_url(first_url)
    if url.get_backend_name() == "sqlite":
        read_only = f"sqlite:///file:{url.database}?mode=ro&uri=true"
    else:
        options = f"{url.query['options']} -cdefault_transaction_read_only=on"
        read_only = url.update_query_dict({"options": options})
    with pytest.raises(CatalogReadOnlyError):
        Catalog.open(read_only)
