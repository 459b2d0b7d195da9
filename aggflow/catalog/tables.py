"""Tables: what the catalog's database holds, as SQLAlchemy Core tables.

The tables are those of the newest revision; ``migrations/`` leads older catalogs to it
(a test compares the two).  Instants are microseconds since the epoch, windows half-open.
"""

from __future__ import annotations

import sqlalchemy as sa

REVISIONS = ("0001", "0002", "0003", "0004")  # oldest first; the last one is what this program writes
REVISION_TABLE = "aggflow_revision"  # its own name: a server may hold other programs' tables

# SQLite counts rows up only in a column that is exactly INTEGER.
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ID = sa.String(36)
_NAME = sa.String(255)
_FILE = sa.String(512)

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _to(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")


workspaces = sa.Table(
    "workspaces",
    metadata,
    sa.Column("id", _NAME, primary_key=True),
    sa.Column("name", _NAME, nullable=False, unique=True),
    sa.Column("generation", sa.BigInteger, nullable=False),
)

definitions = sa.Table(
    "definitions",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("data_hash", sa.String(128), nullable=False),
    sa.Column("description_hash", sa.String(128), nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("workspace_id", "kind", "name"),
)

rollups = sa.Table(
    "rollups",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("owner_id", _ID, _to("definitions.id"), nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("source", _NAME, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    # Numbers that were given out are never given out again: readers remember by them.
    sa.Column("last_version", sa.Integer, nullable=False),
    sa.Column("last_token", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("owner_id", "name"),
    sa.Index(None, "workspace_id"),
)

rollup_versions = sa.Table(
    "rollup_versions",
    metadata,
    sa.Column("rollup_id", _ID, _to("rollups.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("data_hash", sa.String(128), nullable=False),
    sa.Column("layout", sa.Text),
    sa.Column("valid_from_us", sa.BigInteger, nullable=False),
    sa.Column("valid_to_us", sa.BigInteger, nullable=False),
)

coverage = sa.Table(
    "coverage",
    metadata,
    sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("rollup_id", _ID, _to("rollups.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("start_us", sa.BigInteger, nullable=False),
    sa.Column("end_us", sa.BigInteger, nullable=False),
    sa.Column("file", _FILE),  # null: the window is built, and empty
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.String(128), nullable=False),
    sa.Column("built_us", sa.BigInteger, nullable=False),
    sa.Column("build_id", _ID),
    sa.Index(None, "rollup_id", "version", "start_us"),
    sa.Index(None, "file"),
    sqlite_autoincrement=True,  # compaction names rows by id: an id must not come back
)

garbage = sa.Table(
    "garbage",
    metadata,
    sa.Column("file", _FILE, primary_key=True),
    sa.Column("since_us", sa.BigInteger, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("rollup_id", _ID, _to("rollups.id"), nullable=False, index=True),
    sa.Column("start_us", sa.BigInteger, nullable=False),
    sa.Column("end_us", sa.BigInteger, nullable=False),
    sa.Column("holder", _NAME, nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("pid_started", sa.Double, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("heartbeat_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
)

builds = sa.Table(
    "builds",
    metadata,
    sa.Column("number", _COUNTER, primary_key=True, autoincrement=True),  # the order they were asked for
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), nullable=False),
    sa.Column("rollup_id", _ID),  # no key: the record outlives its rollup
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("started_us", sa.BigInteger),
    sa.Column("finished_us", sa.BigInteger),
    sa.Column("start_us", sa.BigInteger),
    sa.Column("end_us", sa.BigInteger),
    sa.Column("windows_done", sa.BigInteger, nullable=False),
    sa.Column("windows_total", sa.BigInteger),
    sa.Column("rows_read", sa.BigInteger, nullable=False),
    sa.Column("null_times", sa.BigInteger, nullable=False),
    sa.Column("states_written", sa.BigInteger, nullable=False),
    sa.Column("bytes_written", sa.BigInteger, nullable=False),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("owner_id", _ID),  # as rollup_id: the record outlives its definition
    sa.Column("batch_id", _ID, index=True),
    sa.Column("job_id", _ID, index=True),
    sa.Column("host", _NAME),
    sa.Column("pid", sa.BigInteger),
    sa.Column("pid_started", sa.Double),
    sa.Column("heartbeat_us", sa.BigInteger),
    sa.Index(None, "workspace_id", "number"),
    sa.Index(None, "owner_id", "number"),
    sa.Index(None, "rollup_id", "number"),
    # Few of them are open, however many there were.
    sa.Index(None, "workspace_id", "status"),
    sa.Index(None, "rollup_id", "status"),
    sqlite_autoincrement=True,
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), nullable=False, index=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("owner_email", _NAME, nullable=False),
    sa.Column("permissions", sa.JSON, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger),
    sa.Column("revoked_us", sa.BigInteger),
    sa.Column("last_used_us", sa.BigInteger),
    sa.Column("brands", sa.JSON(none_as_null=True)),  # null: of all
)

home = sa.Table(
    "home",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # always 1: there is one row
    sa.Column("id", _ID, nullable=False),
)

dispatches = sa.Table(
    "dispatches",
    metadata,
    sa.Column("number", _COUNTER, primary_key=True, autoincrement=True),  # the order they are carried out in
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("key", _NAME, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("finished_us", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Index(None, "workspace_id", "finished_us", "number"),
    sqlite_autoincrement=True,
)

schedule_states = sa.Table(
    "schedule_states",
    metadata,
    sa.Column("definition_id", _ID, _to("definitions.id"), primary_key=True),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("prefect_id", _NAME),
    sa.Column("seen_us", sa.BigInteger, nullable=False),
    sa.Column("fired_us", sa.BigInteger),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", _NAME, primary_key=True),
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), nullable=False),
    # The task outlives its definition: it is listed for a while after it was deleted.
    sa.Column("definition_id", _ID, sa.ForeignKey("definitions.id", ondelete="SET NULL"), index=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("status", sa.String(40), nullable=False),
    sa.Column("status_data", sa.JSON(none_as_null=True)),
    sa.Column("settled_status", sa.String(40)),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("changed_us", sa.BigInteger, nullable=False),
    sa.Column("deleted_us", sa.BigInteger),
    sa.Index(None, "workspace_id", "status"),
    sa.Index(None, "workspace_id", "name"),
)

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("workspace_id", _NAME, _to("workspaces.id"), primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # since the epoch, in UTC
    sa.Column("shape_hash", sa.String(64), primary_key=True),
    sa.Column("shape", sa.JSON, nullable=False),
    sa.Column("source", _NAME, nullable=False),
    sa.Column("windows", sa.JSON, nullable=False),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("rows_read", sa.BigInteger, nullable=False),
    sa.Column("source_rows", sa.BigInteger, nullable=False),
    sa.Column("microseconds", sa.BigInteger, nullable=False),
    sa.Column("last_us", sa.BigInteger, nullable=False),
)
