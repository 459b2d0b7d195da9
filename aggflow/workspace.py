"""A workspace: the one object that every surface holds; definitions, builds, questions and answers."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import ibis.expr.types as ir

from aggflow import charts
from aggflow.backends.connect import absolute_url, source_of_table
from aggflow.backends.errors import without_password
from aggflow.catalog import Build, Catalog
from aggflow.collection import Collection
from aggflow.engine.answer import Answer
from aggflow.engine.build import Builder, BuildReport, Target
from aggflow.engine.damage import Damage, damages
from aggflow.engine.declarations import Declarations, KindName, Stored
from aggflow.engine.progress import Report
from aggflow.engine.reductions import Reductions
from aggflow.engine.serving import Serving
from aggflow.engine.status import RollupStatus, events_of
from aggflow.engine.tail import Tails
from aggflow.engine.verify import VerifyReport, verify
from aggflow.errors import Problem, SpecError, StoreError
from aggflow.language import from_ibis, to_jpath
from aggflow.measures.vocabulary import GroupingValue
from aggflow.progress_bar import reporting
from aggflow.settings import Settings, read_settings
from aggflow.spec.definitions import Definitions, from_yaml
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import CompactionReport, GarbageReport, Resident, SegmentStore, collect_garbage, compact
from aggflow.timeline import WindowSet, format_instant, parse_instant

Instant = str | datetime | date | int | float


def open_workspace(home: str | Path | None = None, workspace: str | None = None) -> Workspace:
    """Open a workspace, made on first use.

    Parameters
    ----------
    home
        A folder, or the URL of a catalog (``postgresql://...``; segments then go where
        ``AGGFLOW_STORE`` says).  By default ``$AGGFLOW_HOME``, else ``.aggflow``.
    workspace
        Its name in the home, lower-case letters and digits; by default ``$AGGFLOW_WORKSPACE``, else ``self``.

    Raises
    ------
    SettingsError, CatalogError, StoreError
        It cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> open_workspace(tempfile.mkdtemp())
    Workspace 'self': 0 sources, 0 filters, 0 endpoints
    """
    settings = read_settings()
    place = str(home if home is not None else settings.home)
    if "://" in place:
        url, store = place, settings.store
        if not store:
            raise SpecError("home", [Problem("", "a catalog's URL needs a store", "set AGGFLOW_STORE")])
    else:
        folder = Path(place).absolute()
        url, store = str(folder / "catalog.db"), settings.store or str(folder / "segments")
    catalog = Catalog.open(url)
    return Workspace(catalog, SegmentStore(store), settings, workspace or settings.workspace, place)


class Workspace:
    """Definitions, builds, questions and answers of one tenant.

    Made by :func:`aggflow.open`.  Safe for threads; several processes may open one home at once.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: SegmentStore,
        settings: Settings,
        name: str,
        place: str,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self._catalog = catalog
        self._store = store
        self._place = place
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._id = catalog.workspace(name).id
        self._declarations = Declarations(catalog, self._id, self._clock)
        self._resident = Resident(store, settings.resident_bytes)
        self._serving = Serving(
            catalog,
            self._id,
            self._declarations,
            self._resident,
            Tails(settings.live_ttl),
            Reductions(settings.reduced_bytes),
            charts.draw,
        )

    # -- definitions ---------------------------------------------------------------------------------

    def add_source(
        self,
        name: str,
        url: str = "",
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
            Any Ibis URL, or a Parquet or CSV file or glob; relative paths are made absolute.
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
        session_table = None
        if not isinstance(table, str):
            if not isinstance(table, ir.Table):  # pyright: ignore[reportUnnecessaryIsInstance]  # frames are given, too
                problem = Problem(
                    "table", f"a {type(table).__name__} is no table", "ibis.memtable(…) makes one of it"
                )
                raise SpecError(f"source {name!r}", [problem])
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

    def add_endpoint(self, name: str, *, filter: str, **options: Any) -> Stored[Endpoint]:  # noqa: A002
        """Add an endpoint, or replace the one of that name.

        Parameters
        ----------
        name, filter
            Its name, and the filter that it asks.
        options
            The other attributes of :class:`aggflow.Endpoint`.

        Raises
        ------
        SpecError
            The definition is wrong, or does not fit its filter.
        """
        return self._declarations.put_endpoint(Endpoint(name, filter, **options))

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
        """
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
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        """
        there = base or Path.cwd()
        sources = tuple(replace(source, url=absolute_url(source.url, there)) for source in found.sources)
        found = replace(found, sources=sources)
        problems = self._declarations.problems_of(found)
        if problems:
            raise SpecError("the definitions", problems)
        for source in found.sources:
            self._declarations.put_source(source)
        for filter_ in found.filters:
            self._declarations.put_filter(filter_)
        for endpoint in found.endpoints:
            self._declarations.put_endpoint(endpoint)
        return found

    def export(self, path: str | Path | None = None) -> str:
        """All definitions as YAML, written to a file if one is named."""
        found = Definitions(
            tuple(stored.spec for stored in self.sources.values()),
            tuple(stored.spec for stored in self.filters.values()),
            tuple(stored.spec for stored in self.endpoints.values()),
        )
        text = found.to_yaml()
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
                "filter": lambda e: e.filter,
                "kind": lambda e: e.timing.kind,
                "duration": lambda e: e.timing.duration,
                "fields": lambda e: e.fields,
            },
        )

    @property
    def builds(self) -> Collection[Build]:
        """The last hundred builds, by id, newest first."""
        names = {rollup.id: f"{rollup.kind} {rollup.name}" for rollup in self._catalog.rollups(self._id)}
        return Collection(
            "build",
            lambda: {build.id: build for build in self._catalog.builds(self._id, limit=100)},
            {
                "started": lambda b: "" if b.started_us is None else format_instant(b.started_us),
                "rollup": lambda b: names.get(b.rollup_id or "", ""),
                "kind": lambda b: b.kind,
                "status": lambda b: b.status,
                "windows": lambda b: b.windows_done,
                "rows": lambda b: f"{b.rows_read:,}",
                "states": lambda b: f"{b.states_written:,}",
                "error": lambda b: b.error["message"] if b.error else "",
            },
        )

    # -- building ------------------------------------------------------------------------------------

    def build(
        self,
        name: str,
        *,
        until: Instant | None = None,
        full: bool = False,
        progress: bool | Report = True,
    ) -> BuildReport:
        """Build what is missing of a filter's rollup.

        Parameters
        ----------
        name
            The filter.
        until
            Up to when; by default, and at most, now.
        full
            Build everything anew.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every batch.

        Raises
        ------
        NotFoundError
            There is no such filter.
        AggflowError
            The build stopped; what was committed stays, and the next build goes on from there.
        """
        filter_ = self.filters[name]
        source = self._source(filter_.source)
        stored = self._declarations.rollup(filter_)
        target = Target(
            self._id,
            stored.id,
            f"filter {name}",
            source,
            lambda: self._declarations.open(source),
            rollup_of(filter_.spec).data_hash(source),
        )
        builder = Builder(self._catalog, self._store, self.settings, self._clock)
        until_us = None if until is None else parse_instant(until)
        with reporting(progress) as report:
            done = builder.build(target, until_us=until_us, full=full, report=report)
        try:
            compact(
                self._catalog,
                self._store,
                stored.id,
                least=self.settings.compact_segments,
                now_us=self._clock(),
            )
        except StoreError as error:
            # What was built is committed: a segment that cannot be read is for doctor, not for this build.
            warnings.warn(f"segments of filter {name!r} were not compacted: {error}", stacklevel=2)
        return done

    def cancel(self, build_id: str) -> None:
        """Ask a build to stop after the batch that it is at."""
        self._catalog.finish_build(build_id, "cancelled", self._clock())

    def verify(self, name: str, *, sample: int = 20, seed: int = 0, fix: bool = False) -> VerifyReport:
        """Compare the states of a filter with its source, on a sample of what is built.

        Parameters
        ----------
        name
            The filter.
        sample
            How many buckets to compare.
        seed
            Chooses them.
        fix
            Make windows that differ missing, so that the next build makes them again.
        """
        filter_ = self.filters[name]
        source = self._source(filter_.source)
        stored = self._declarations.rollup(filter_)
        serving = self._serving.served(stored)
        with self._declarations.open(source) as rows:
            found = verify(serving.versions, serving.coverage, rows, self._resident, sample=sample, seed=seed)
        if fix:
            for difference in found.differences:
                self._catalog.drop_window(stored.id, difference.version, difference.window, self._clock())
        return found

    def maintain(self) -> tuple[list[CompactionReport], GarbageReport]:
        """Merge small segments, and delete files that nothing names any more."""
        reports = [
            compact(self._catalog, self._store, rollup.id, least=2, now_us=self._clock())
            for rollup in self._catalog.rollups(self._id)
        ]
        garbage = collect_garbage(
            self._catalog, self._store, grace=self.settings.garbage_grace, now_us=self._clock()
        )
        return reports, garbage

    def doctor(self, *, fix: bool = False) -> list[Damage]:
        """Read every segment that the catalog names; find those that are missing or damaged.

        Parameters
        ----------
        fix
            Make their windows missing, so that the next build makes them again.
        """
        found: list[Damage] = []
        for filter_ in self.filters.values():
            stored = self._declarations.rollup(filter_)
            coverage = self._catalog.coverage(stored.id)
            for damage in damages(f"filter {filter_.name}", coverage, self._store):
                found.append(damage)
                if fix:
                    self._catalog.drop_window(stored.id, damage.version, damage.window, self._clock())
        return found

    def status(self) -> list[RollupStatus]:
        """What is built of every filter."""
        return [self._status(filter_) for filter_ in self.filters.values()]

    def _status(self, filter_: Stored[Filter]) -> RollupStatus:
        stored = self._declarations.rollup(filter_)
        serving = self._serving.served(stored)
        covered = WindowSet(row.window for row in serving.coverage.rows)
        data = WindowSet(row.window for row in serving.coverage.rows if row.file is not None)
        last = self._catalog.builds(self._id, rollup_id=stored.id, limit=1)
        rollup = serving.versions[-1].rollup
        return RollupStatus(
            name=filter_.name,
            source=filter_.source,
            interval=filter_.interval,
            covered=covered,
            data=data,
            events=events_of(serving.coverage, self._store, rollup.width, rollup.zone),
            segments=len({row.file for row in serving.coverage.rows if row.file is not None}),
            cells=sum({row.file: row.rows for row in serving.coverage.rows}.values()),
            bytes=sum({row.file: row.bytes for row in serving.coverage.rows}.values()),
            versions=len(serving.versions),
            last_build=last[0] if last else None,
        )

    # -- asking --------------------------------------------------------------------------------------

    def query(
        self,
        endpoint: str,
        *,
        end: Instant | None = None,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a saved question.

        Parameters
        ----------
        endpoint
            Its name, or its id.
        end
            The end of the question; now by default.
        grouping_filters
            By grouping, the values of its Query Time groupings.
        live
            Whether what is not built may be read from the source; without it, a gap is an error.

        Raises
        ------
        NotFoundError
            There is no such endpoint.
        QueryError
            The question does not fit the endpoint, or cannot be answered.
        SourceError
            A live part was needed, and the source cannot be read.
        """
        end_us = self._clock() if end is None else parse_instant(end)
        return self._serving.answer(endpoint, end_us, grouping_filters, live=live)

    def _source(self, name: str) -> Source:
        return self._declarations.get("source", name).spec

    def close(self) -> None:
        """Close the catalog."""
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace {self.name!r}: {len(self.sources)} sources, {len(self.filters)} filters, {len(self.endpoints)} endpoints"

    def _repr_html_(self) -> str:
        parts = (("Sources", self.sources), ("Filters", self.filters), ("Endpoints", self.endpoints))
        return "".join(f"<h4>{title}</h4>{part._repr_html_()}" for title, part in parts)
