"""A snapshot: all rows of a catalog as of one moment, and the way of them into another catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.errors import mapped
from aggflow.catalog.tables import (
    builds,
    coverage,
    definitions,
    dispatches,
    garbage,
    leases,
    metadata,
    rollups,
    tasks,
    tokens,
    workspaces,
)
from aggflow.errors import ConflictError

_ROWS: Final = 1000
# Who builds just now, and which files wait to be deleted, is the affair of one home alone.
_LEFT: Final = (leases, garbage)
# What rises with every change that matters.
_CHANGES: Final = sa.select(
    sa.union_all(
        *(
            sa.select(
                sa.literal(name).label("name"),
                sa.func.count().label("count"),
                sa.func.coalesce(figure, 0).label("figure"),
            ).select_from(table)
            for name, table, figure in (
                ("workspaces", workspaces, sa.func.sum(workspaces.c.generation)),
                ("definitions", definitions, sa.func.sum(definitions.c.generation)),
                ("rollups", rollups, sa.func.sum(rollups.c.generation)),
                ("coverage", coverage, sa.func.max(coverage.c.id)),
                ("builds", builds, sa.func.max(builds.c.number)),
                ("dispatches", dispatches, sa.func.max(dispatches.c.number)),
                ("tasks", tasks, sa.func.max(tasks.c.updated_us)),
                ("tokens", tokens, sa.func.count(tokens.c.revoked_us)),
            )
        )
    ).subquery()
)

Figures = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Snapshot:
    """A catalog as of one moment, open for reading.

    Attributes
    ----------
    connection
        In one transaction that reads.
    """

    connection: sa.Connection

    def files(self) -> Mapping[str, int]:
        """The live files, each with its bytes."""
        named = sa.select(coverage.c.file, coverage.c.bytes).where(coverage.c.file.is_not(None)).distinct()
        return {row.file: row.bytes for row in self.connection.execute(named)}

    def figures(self) -> Figures:
        """Figures that any change would change."""
        return _figures(self.connection)

    def rows(self, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
        """The rows of a table, some at a time."""
        found = self.connection.execute(sa.select(table)).mappings()
        for some in found.partitions(_ROWS):
            yield [dict(row) for row in some]


class Snapshots(Database):
    """The part of a catalog that can be copied into another."""

    def is_empty(self) -> bool:
        """Whether nothing was ever written to it."""
        return not any(self._read(sa.select(sa.literal(1)).select_from(t).limit(1)) for t in _tables())

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """All rows as of now, for the time of a ``with``; who writes meanwhile is not kept waiting."""
        with mapped(self.shown), self._engines().reader.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield Snapshot(connection)
            finally:
                connection.rollback()

    def changed_since(self, figures: Figures) -> tuple[str, ...]:
        """The tables that were changed since a snapshot with these figures."""
        now = {name: (count, figure) for name, count, figure in self._read(_CHANGES)}
        return tuple(name for name in figures if now[name] != figures[name])

    def take(self, snapshot: Snapshot, check: Callable[[], None]) -> int:
        """Write all rows of another catalog into this one, which is empty, in one transaction.

        Parameters
        ----------
        snapshot
            Of the other.
        check
            Called before the end of the transaction: nothing is written if it raises.

        Returns
        -------
        int
            How many rows.

        Raises
        ------
        ConflictError
            This catalog is not empty.
        """
        if not self.is_empty():
            raise ConflictError(f"the catalog {self.shown} is not empty")
        count = 0
        with self._write() as connection:
            for table in _tables():
                for rows in snapshot.rows(table):
                    connection.execute(table.insert(), rows)
                    count += len(rows)
                _count_on(connection, table)
            check()
        return count


def _tables() -> list[sa.Table]:
    """The tables that are copied, those that others refer to first."""
    return [table for table in metadata.sorted_tables if table not in _LEFT]


def _figures(connection: sa.Connection) -> Figures:
    return {name: (count, figure) for name, count, figure in connection.execute(_CHANGES)}


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Let the numbers that a table gives out go on after those that were written."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return  # other databases look at what is there
    last = connection.execute(sa.select(sa.func.max(column))).scalar()
    if last is not None:
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(sa.select(sa.func.setval(sequence, last)))
