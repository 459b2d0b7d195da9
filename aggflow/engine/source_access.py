"""Access to sources: their rows, opened for a piece of work, and where events that are sent are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis.expr.types as ir

from aggflow.backends.connect import embedded_at, session
from aggflow.backends.event_folder import EventFolder
from aggflow.backends.source_rows import SourceRows
from aggflow.catalog import Catalog
from aggflow.engine.stored_definitions import StoredDefinitions
from aggflow.errors import Problem, SourceUnavailableError, SpecError
from aggflow.spec.declaration import digest
from aggflow.spec.source import Source


class SourceAccess(StoredDefinitions):
    """The sources of a workspace, which can be opened.

    Parameters
    ----------
    catalog, workspace_id
        Where definitions are kept.
    events
        The folder of embedded sources; None where the home is none.
    memory
        Bytes that DuckDB may use for an open source; 0 leaves it to DuckDB.
    """

    def __init__(self, catalog: Catalog, workspace_id: str, events: Path | None, memory: int) -> None:
        super().__init__(catalog, workspace_id)
        self._events = events
        self._memory = memory
        self._tables: dict[str, ir.Table] = {}

    @contextmanager
    def open(self, source: Source) -> Iterator[SourceRows]:
        """The rows of a source, for one piece of work.

        Raises
        ------
        SourceError
            It cannot be opened, or its columns cannot play their part.
        """
        table = self._tables.get(source.name)
        if table is None and not source.url:
            raise SourceUnavailableError(
                f"source {source.name!r} was a table of another Python session",
                hint="add it again from a table of this session",
            )
        with session(self._located(source), table, self._memory) as opened:
            yield SourceRows(opened)

    def _located(self, source: Source) -> Source:
        """A source as it is opened: where it is embedded, with where its events are."""
        return embedded_at(source, self.event_folder(source).path) if source.is_embedded else source

    def event_folder(self, source: Source) -> EventFolder:
        """Where the events of an embedded source are.

        Raises
        ------
        SpecError
            The home is no folder; or the source is read where it is.
        """
        if not source.is_embedded:
            problem = Problem("url", "only an embedded source takes events", "add it with embedded://")
            raise SpecError(f"source {source.name!r}", [problem])
        if self._events is None:
            problem = Problem(
                "url", "events are kept in a folder, and this home is a database", "set AGGFLOW_EVENTS"
            )
            raise SpecError(f"source {source.name!r}", [problem])
        # The name for people, the digest for what no name of a file may hold.
        readable = re.sub("[^A-Za-z0-9_-]", "_", source.name)[:64]
        return EventFolder(self._events / f"{readable}-{digest(source.name)[:8]}")
