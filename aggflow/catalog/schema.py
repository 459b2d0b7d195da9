"""Schema: bringing a database to the newest revision, once, however many processes ask for it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from aggflow.catalog import sqlite
from aggflow.catalog.tables import REVISION_TABLE, REVISIONS
from aggflow.errors import CatalogDamagedError, CatalogError, CatalogVersionError

FOLDER = Path(__file__).parent / "migrations"

# Keeps a second process waiting; SQLite's own write lock does it there.
_LOCKS = {
    "postgresql": "SELECT pg_advisory_xact_lock(6174016205)",
    "mysql": "SELECT GET_LOCK('aggflow', 60)",
    "mariadb": "SELECT GET_LOCK('aggflow', 60)",
}
_revisions = sa.Table(REVISION_TABLE, sa.MetaData(), sa.Column("version_num", sa.String(32)))


def revision_of(connection: sa.Connection, shown: str) -> str | None:
    """The revision of a database, None for an empty one.

    Parameters
    ----------
    connection
        An open connection.
    shown
        The catalog's URL without its password.

    Raises
    ------
    CatalogDamagedError
        The file holds something else.
    CatalogVersionError
        The revision is unknown: a newer aggflow wrote it.
    """
    inspector = sa.inspect(connection)
    if not inspector.has_table(REVISION_TABLE):
        if connection.dialect.name == "sqlite" and inspector.get_table_names():
            raise CatalogDamagedError(f"{shown} is a database, but no catalog", hint="name another file")
        return None
    revision = connection.execute(sa.select(_revisions.c.version_num)).scalar()
    if revision is not None and revision not in REVISIONS:
        raise CatalogVersionError(
            f"the catalog {shown} is of revision {revision}, and this aggflow knows {REVISIONS[-1]}",
            hint="a newer aggflow wrote it: upgrade this one",
        )
    return revision


def migrate(reader: sa.Connection, writer: sa.Engine, shown: str, *, create: bool) -> None:
    """Bring a database to the newest revision.

    Parameters
    ----------
    reader
        A connection in autocommit mode.
    writer
        The engine that writes; on SQLite its transactions begin with the write lock.
    shown
        The catalog's URL without its password.
    create
        Whether an empty database may become a catalog.

    Raises
    ------
    CatalogError
        There is no catalog, and none may be made.
    CatalogReadOnlyError
        The catalog is older, and cannot be written.
    """
    revision = revision_of(reader, shown)
    if revision == REVISIONS[-1]:
        return
    if revision is None and not create:
        raise CatalogError(f"there is no catalog at {shown}", hint="make one with `aggflow init`")
    if isinstance(driver := reader.connection.dbapi_connection, sqlite3.Connection):
        sqlite.use_log(driver)
    with writer.connect() as connection:
        # A lock of a session must not go back to the pool with its connection.
        connection.detach()
        with connection.begin():
            if lock := _LOCKS.get(connection.dialect.name):
                connection.exec_driver_sql(lock)
            # Another process may have done it while this one waited for the lock.
            if revision_of(connection, shown) != REVISIONS[-1]:
                _upgrade(connection)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = REVISION_TABLE
    command.upgrade(config, "head")
