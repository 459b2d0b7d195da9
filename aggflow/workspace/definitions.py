"""Definitions of a workspace: its sources, filters and endpoints, added, removed, applied, exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from aggflow.backends.connect import absolute_url, source_of_table
from aggflow.backends.errors import without_password
from aggflow.collection import Collection
from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored import Stored
from aggflow.errors import Problem, SpecError
from aggflow.language import from_ibis, to_jpath
from aggflow.spec.definitions import Definitions, from_yaml
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.workspace.foundation import Foundation
from aggflow.workspace.frame import refusal_of


class DefinitionsPart(Foundation):
    """The part of a workspace that holds definitions."""

    def add_source(
        self,
        name: str,
        url: str | Path = "",
        *,
        time: str,
        table: str | ir.Table = "",
        **options: Any,
    ) -> Stored[Source]:
        """Add a source, or replace the one of that name.

        Parameters
        ----------
        name
            Its name.
        url
            Any Ibis URL, or the path of a Parquet or CSV file or a glob of them; relative paths are made absolute.
        time
            The column with the time of the event.
        table
            Name of a table, or an Ibis table; one whose connection has no URL is for this session only.
        options
            The other attributes of :class:`aggflow.Source`.

        Raises
        ------
        SpecError
            The definition is wrong.
        SourceError
            The source cannot be opened, or its columns cannot play their part.
        """
        if not isinstance(url, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]  # frames are given, too
            raise refusal_of(url, name, time, option="url")
        url, session_table = str(url or ""), None
        if not isinstance(table, str):
            if not isinstance(table, ir.Table):  # pyright: ignore[reportUnnecessaryIsInstance]  # as above
                raise refusal_of(table, name, time, option="table")
            session_table = table
            url, table, sql = source_of_table(session_table)
            options = {"sql": sql} | options if sql else options
        elif url:
            url = absolute_url(url, Path.cwd())
        spec = Source(name, url, time, table, **options)
        return self._declarations.put_source(spec, session_table)

    def add_filter(
        self,
        name: str,
        *,
        source: str,
        interval: str,
        where: Any = "",
        rebuild: bool = False,
        dry_run: bool = False,
        **options: Any,
    ) -> Stored[Filter]:
        """Add a filter, or change the one of that name.

        A change keeps what is built: history stays as it was, the new form holds from the bucket of
        the change on.

        Parameters
        ----------
        name, source, interval
            Its name, its source, the width of its buckets.
        where
            JPath text, or an Ibis deferred predicate.
        rebuild
            Compute history anew from the source.
        dry_run
            Change nothing; the effects say what would happen.
        options
            The other attributes of :class:`aggflow.Filter`.

        Raises
        ------
        SpecError
            The definition is wrong, or does not fit its source.
        ConflictError
            The change would take an endpoint's last valid field.
        """
        if not isinstance(where, str):
            with self._declarations.open(self._source(source)) as rows:
                where = to_jpath(from_ibis(where, rows.table))
        spec = Filter(name, source, interval, where, **options)
        return self._declarations.put_filter(spec, rebuild=rebuild, dry_run=dry_run)

    def add_endpoint(
        self,
        name: str,
        *,
        filter: str | None = None,  # noqa: A002 - the field's word
        task: str | None = None,
        cube: str | None = None,
        **options: Any,
    ) -> Stored[Endpoint]:
        """Add an endpoint, or replace the one of that name.

        Parameters
        ----------
        name
            Its name.
        filter, task, cube
            Name of what it asks, one of the three: a filter; a task, whose fields are what its query selects;
            a cube, whose fields are its measures.
        options
            The other attributes of :class:`aggflow.Endpoint`.

        Raises
        ------
        SpecError
            The definition is wrong, or does not fit what it asks.
        NotFoundError
            That is not there.
        ConflictError
            The task is about to be deleted.
        """
        return self._put_endpoint(Endpoint(name, filter, task=task, cube=cube, **options))

    def _put_endpoint(self, spec: Endpoint) -> Stored[Endpoint]:
        return self._declarations.put_endpoint(spec)

    def remove(self, kind: KindName, name: str) -> None:
        """Remove a definition, and what was built for it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        self._declarations.remove(kind, name)

    def apply(self, path: str | Path) -> Definitions:
        """Add everything that a YAML file, or all of a folder, declares.

        Everything is read and checked before anything is added.

        Raises
        ------
        ParseError, SpecError
            There is no such file, it is no YAML, or a definition is wrong.
        ConflictError
            A source or a task takes no change now, or an endpoint that is not declared there needs what it would lose.
        """
        if "\n" in str(path):
            problem = Problem("", "this is YAML itself, not the name of a file", "write it to a file first")
            raise SpecError("definitions", [problem])
        place = Path(path)
        files = sorted([*place.glob("**/*.yaml"), *place.glob("**/*.yml")]) if place.is_dir() else [place]
        if not files or not all(file.is_file() for file in files):
            raise SpecError(
                "definitions",
                [Problem("", f"there is no YAML file at {path}", "name a file, or a folder of them")],
            )
        found = Definitions()
        for file in files:
            found += from_yaml(file.read_text(encoding="utf-8"), str(file))
        return self.apply_definitions(found, base=place if place.is_dir() else place.parent)

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first, endpoints last; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        ConflictError
            A source takes no change, or an endpoint that is not among them needs what it would lose; nothing is
            added then.
        """
        there = base or Path.cwd()
        sources = tuple(replace(source, url=absolute_url(source.url, there)) for source in found.sources)
        found = replace(found, sources=sources)
        problems = [*found.doubled(), *self._declarations.problems_of(found)]
        if problems:
            raise SpecError("what is declared", problems)
        self._check_together(found)
        for source in found.sources:
            self._declarations.put_source(source)
        for filter_ in found.filters:
            self._declarations.put_filter(filter_, replaced=found.endpoint_names)
        return found

    def _check_together(self, found: Definitions) -> None:
        """Refuse, before anything is written, what could not be written now."""
        self._declarations.check_together(found)

    def declared(self) -> Definitions:
        """All definitions."""
        return Definitions(
            tuple(stored.spec for stored in self.sources.values()),
            tuple(stored.spec for stored in self.filters.values()),
            tuple(stored.spec for stored in self.endpoints.values()),
        )

    def export(self, path: str | Path | None = None) -> str:
        """All definitions as YAML, written to a file if one is named."""
        text = self.declared().to_yaml()
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @property
    def sources(self) -> Collection[Stored[Source]]:
        """The sources, by name."""
        return Collection(
            "source",
            lambda: self._declarations.all("source"),
            {
                "name": lambda s: s.name,
                "url": lambda s: without_password(s.url),
                "table": lambda s: s.table or s.sql,
                "time": lambda s: s.time,
            },
        )

    @property
    def filters(self) -> Collection[Stored[Filter]]:
        """The filters, by name."""
        return Collection(
            "filter",
            lambda: self._declarations.all("filter"),
            {
                "name": lambda f: f.name,
                "source": lambda f: f.source,
                "interval": lambda f: f.interval,
                "where": lambda f: f.where,
                "groupings": lambda f: f.groupings,
                "aggregations": lambda f: f.aggregations,
            },
        )

    @property
    def endpoints(self) -> Collection[Stored[Endpoint]]:
        """The endpoints, by name."""
        return Collection(
            "endpoint",
            lambda: self._declarations.all("endpoint"),
            {
                "name": lambda e: e.name,
                "asks": lambda e: " ".join(e.spec.subject),
                "kind": lambda e: e.timing.kind,
                "duration": lambda e: e.timing.duration,
                "fields": lambda e: e.fields,
            },
        )
