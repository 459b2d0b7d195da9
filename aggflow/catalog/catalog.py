"""Catalog: what is declared, what is built and who builds, in any database that SQLAlchemy knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
import sqlalchemy.exc

from aggflow.catalog import sqlite
from aggflow.catalog.batches import Batches
from aggflow.catalog.dispatches import Dispatches
from aggflow.catalog.errors import mapped
from aggflow.catalog.frontiers import Frontiers
from aggflow.catalog.home import Home
from aggflow.catalog.question_log import QuestionLog
from aggflow.catalog.rollups import Rollups
from aggflow.catalog.schedule_states import ScheduleStates
from aggflow.catalog.schema import migrate
from aggflow.catalog.snapshot import Snapshots
from aggflow.catalog.task_records import TaskRecords
from aggflow.catalog.tokens import Tokens
from aggflow.errors import CatalogError


class Catalog(
    Rollups, Frontiers, Batches, Dispatches, ScheduleStates, TaskRecords, QuestionLog, Tokens, Snapshots, Home
):
    """An open catalog; made by `Catalog.open`.

    Safe for threads and for both sides of a fork.  Pickled as its URL: whoever unpickles
    it opens it anew.
    """

    @classmethod
    def open(cls, url: str | Path | sa.URL, *, create: bool = True) -> Self:
        """Open a catalog, brought to the newest revision.

        Parameters
        ----------
        url
            Any SQLAlchemy URL, or the path of a SQLite file.
        create
            Whether to make it where there is none.

        Returns
        -------
        Catalog
            To be closed with `close`, or by a ``with``.

        Raises
        ------
        CatalogError
            It cannot be reached, or there is none and none may be made.
        CatalogVersionError
            A newer aggflow wrote it.
        CatalogDamagedError
            The file is not a catalog, or is damaged.
        CatalogReadOnlyError
            It is older, and cannot be written.
        CatalogBusyError
            Another process keeps it locked.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Catalog.open(f"sqlite:///{folder}/catalog.db") as catalog:
        ...         print(catalog.workspace("shop"))
        Workspace(id='ws_shop', name='shop')
        """
        parsed = _parse(url)
        if (path := sqlite.file_of(parsed)) is not None:
            _prepare_file(path, create=create)
        catalog = cls(parsed)
        try:
            with mapped(catalog.shown):
                engines = catalog._engines()
                migrate(engines.reading().connection, engines.writer, catalog.shown, create=create)
        except BaseException:
            catalog.close()
            raise
        return catalog

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (type(self), self.url.render_as_string(hide_password=False)))


def _reopen(cls: type[Catalog], url: str) -> Catalog:
    return cls.open(url, create=False)


def _parse(url: str | Path | sa.URL) -> sa.URL:
    if isinstance(url, Path) or (isinstance(url, str) and "://" not in url):
        parsed = sa.URL.create("sqlite", database=str(url))
    else:
        try:
            parsed = sa.make_url(url)
        except (sqlalchemy.exc.ArgumentError, ValueError):
            # The text may hold a password: it is not repeated.
            raise CatalogError(
                "the catalog's URL cannot be read", hint="sqlite:///…, postgresql://…"
            ) from None
    if parsed.get_backend_name() != "sqlite":
        return parsed
    if not parsed.database or parsed.database == ":memory:":
        raise CatalogError(
            "a catalog in memory cannot be shared by threads and processes", hint="name a file"
        )
    if parsed.database.startswith("file:"):
        return parsed
    return parsed.set(database=str(Path(parsed.database).absolute()))


def _prepare_file(path: Path, *, create: bool) -> None:
    if path.exists():
        return
    if not create:
        raise CatalogError(f"there is no catalog at {path}", hint="make one with `aggflow init`")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(f"the folder {path.parent} cannot be made: {error.strerror}") from error
