"""A workspace: the one object that every surface holds; definitions, builds, questions and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import ibis.expr.types as ir

from aggflow import charts
from aggflow.backends.connect import absolute_url, session, source_of_table
from aggflow.backends.errors import without_password
from aggflow.backends.source_rows import SourceRows
from aggflow.catalog import Build, Catalog, Coverage, Definition
from aggflow.catalog import Rollup as StoredRollup
from aggflow.collection import Collection, Stored
from aggflow.engine.answer import Answer
from aggflow.engine.answerer import Answerer
from aggflow.engine.build import Builder, BuildReport, Target
from aggflow.engine.check import problems_at_source
from aggflow.engine.explanation import Explanation
from aggflow.engine.plan import Candidate, Need, miss, stored_rows
from aggflow.engine.progress import Report
from aggflow.engine.question import Question
from aggflow.engine.reader import Reader
from aggflow.engine.shape import Shape, checked_rows
from aggflow.engine.status import RollupStatus
from aggflow.engine.tail import Tails
from aggflow.engine.verify import VerifyReport, verify
from aggflow.engine.version import Version
from aggflow.errors import ConflictError, NotFoundError, Problem, SourceUnavailableError, SpecError
from aggflow.language import from_ibis, to_jpath
from aggflow.measures.vocabulary import GroupingValue
from aggflow.progress_bar import reporting
from aggflow.settings import Settings, read_settings
from aggflow.spec.changes import Effect, effects
from aggflow.spec.declaration import digest, plain, read
from aggflow.spec.definitions import Definitions, from_yaml
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.fit import problems_with
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.spec.source import Source
from aggflow.store import CompactionReport, GarbageReport, Resident, SegmentStore, collect_garbage, compact
from aggflow.timeline import WindowSet, format_instant, parse_instant

Instant = str | datetime | date | int | float
S = TypeVar("S")


@dataclass(frozen=True)
class _Serving:
    """What answering from one rollup needs, as of a generation."""

    generation: int
    versions: tuple[Version, ...]
    coverage: Coverage


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
        self._resident = Resident(store, settings.resident_bytes)
        self._tails = Tails(settings.live_ttl)
        self._tables: dict[str, ir.Table] = {}
        self._serving: dict[str, _Serving] = {}
        self._shapes: dict[str, tuple[tuple[int, int], Shape]] = {}

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
            session_table = table
            url, table, sql = source_of_table(session_table)
            options = {"sql": sql} | options if sql else options
        elif url:
            url = absolute_url(url, Path.cwd())
        spec = Source(name, url, time, table, **options)
        return self._put_source(spec, session_table)

    def _put_source(self, spec: Source, table: ir.Table | None = None) -> Stored[Source]:
        with session(spec, table) as opened:
            SourceRows(opened)
        old = self._find("source", spec.name)
        stored = self._put("source", spec.name, spec, spec.data())
        if table is not None and not spec.url:
            self._tables[spec.name] = table
        else:
            self._tables.pop(spec.name, None)
        moved = old is not None and read(Source, old.spec).data() != spec.data()
        return Stored(stored.id, spec, tuple(self._rebuild_all(spec)) if moved else ())

    def _rebuild_all(self, source: Source) -> Iterator[Effect]:
        """A source that gives other rows makes all states of it void."""
        for filter_ in self.filters.values():
            if filter_.source == source.name:
                rollup = rollup_of(filter_.spec)
                stored = self._rollup(filter_.id, filter_.name)
                self._catalog.reset_versions(
                    stored.id, rollup.to_plain(), rollup.data_hash(source), self._clock()
                )
                yield Effect(filter_.name, "its source has other rows now: it is to be built anew")

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
            with self._open(self._source(source)) as rows:
                where = to_jpath(from_ibis(where, rows.table))
        spec = Filter(name, source, interval, where, **options)
        return self._put_filter(spec, rebuild=rebuild, dry_run=dry_run)

    def _put_filter(self, spec: Filter, *, rebuild: bool = False, dry_run: bool = False) -> Stored[Filter]:
        source = self._source(spec.source)
        with self._open(source) as rows:
            problems = problems_at_source(spec, rows)
        if problems:
            raise SpecError(f"filter {spec.name!r}", problems)
        found = self._find("filter", spec.name)
        old = None if found is None else read(Filter, found.spec)
        happened = self._effects(old, spec)
        blocking = [str(effect) for effect in happened if effect.blocks]
        if blocking:
            raise ConflictError("; ".join(blocking), hint="change or remove the endpoint first")
        if dry_run:
            return Stored(found.id if found else "", spec, happened)
        rollup = rollup_of(spec)
        data_hash = rollup.data_hash(source)
        stored = self._put("filter", spec.name, spec, rollup.to_plain())
        self._put_rollup(stored, "filter", rollup, data_hash, rebuild=rebuild)
        return Stored(stored.id, spec, happened)

    def _effects(self, old: Filter | None, new: Filter) -> tuple[Effect, ...]:
        if old is None:
            return ()
        reading = [endpoint.spec for endpoint in self.endpoints.values() if endpoint.filter == new.name]
        return effects(old, new, reading)

    def _put_rollup(
        self, owner: Definition, kind: str, rollup: Rollup, data_hash: str, *, rebuild: bool
    ) -> None:
        catalog, now_us = self._catalog, self._clock()
        stored = catalog.rollup_of(owner.id)
        if stored is None:
            catalog.create_rollup(
                self._id, kind, owner.id, owner.name, rollup.source, rollup.to_plain(), data_hash
            )
            return
        versions = catalog.versions(stored.id)
        same = versions[-1].data_hash == data_hash
        if rebuild or not catalog.coverage(stored.id).rows or stored.source != rollup.source:
            if not same or rebuild:
                catalog.reset_versions(stored.id, rollup.to_plain(), data_hash, now_us, source=rollup.source)
        elif not same:
            before = Rollup.from_plain(dict(versions[-1].spec))
            catalog.add_version(
                stored.id, rollup.to_plain(), data_hash, _common_edge(before, rollup, now_us), now_us
            )

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
        return self._put_endpoint(Endpoint(name, filter, **options))

    def _put_endpoint(self, spec: Endpoint) -> Stored[Endpoint]:
        problems = problems_with(spec, self.filters[spec.filter].spec)
        if problems:
            raise SpecError(f"endpoint {spec.name!r}", problems)
        return Stored(self._put("endpoint", spec.name, spec, {}).id, spec)

    def remove(self, kind: Literal["source", "filter", "endpoint"], name: str) -> None:
        """Remove a definition, and what was built for it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        needing = {
            "source": [f"filter {f.name!r}" for f in self.filters.values() if f.source == name],
            "filter": [f"endpoint {e.name!r}" for e in self.endpoints.values() if e.filter == name],
            "endpoint": [],
        }[kind]
        if needing:
            raise ConflictError(f"{', '.join(needing)} needs {kind} {name!r}", hint="remove that first")
        self._catalog.remove_definition(self._id, kind, name, self._clock())
        self._tables.pop(name, None)

    def apply(self, path: str | Path) -> Definitions:
        """Add everything that a YAML file, or all of a folder, declares.

        Everything is read and checked before anything is added.

        Raises
        ------
        NotFoundError
            There is no such file.
        ParseError, SpecError
            It is no YAML, or a definition is wrong.
        """
        place = Path(path)
        files = sorted([*place.glob("**/*.yaml"), *place.glob("**/*.yml")]) if place.is_dir() else [place]
        if not files or not all(file.is_file() for file in files):
            raise NotFoundError("file of definitions", str(path))
        found = Definitions()
        for file in files:
            found += from_yaml(file.read_text(encoding="utf-8"), str(file))
        return self.apply_definitions(found, base=place if place.is_dir() else place.parent)

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``."""
        for source in found.sources:
            self._put_source(replace(source, url=absolute_url(source.url, base or Path.cwd())))
        for filter_ in found.filters:
            self._put_filter(filter_)
        for endpoint in found.endpoints:
            self._put_endpoint(endpoint)
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
            lambda: self._all("source", Source),
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
            lambda: self._all("filter", Filter),
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
            lambda: self._all("endpoint", Endpoint),
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
        return Collection(
            "build",
            lambda: {build.id: build for build in self._catalog.builds(self._id, limit=100)},
            {
                "started": lambda b: "" if b.started_us is None else format_instant(b.started_us),
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
        stored = self._rollup(filter_.id, name)
        target = Target(self._id, stored.id, f"filter {name}", source, lambda: self._open(source))
        builder = Builder(self._catalog, self._store, self.settings, self._clock)
        until_us = None if until is None else parse_instant(until)
        with reporting(progress) as report:
            done = builder.build(target, until_us=until_us, full=full, report=report)
        compact(
            self._catalog,
            self._store,
            stored.id,
            least=self.settings.compact_segments,
            now_us=self._clock(),
        )
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
        stored = self._rollup(filter_.id, name)
        serving = self._served(stored)
        with self._open(source) as rows:
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

    def status(self) -> list[RollupStatus]:
        """What is built of every filter."""
        return [self._status(filter_) for filter_ in self.filters.values()]

    def _status(self, filter_: Stored[Filter]) -> RollupStatus:
        stored = self._rollup(filter_.id, filter_.name)
        serving = self._served(stored)
        covered = WindowSet(row.window for row in serving.coverage.rows)
        data = WindowSet(row.window for row in serving.coverage.rows if row.file is not None)
        last = self._catalog.builds(self._id, rollup_id=stored.id, limit=1)
        return RollupStatus(
            name=filter_.name,
            source=filter_.source,
            interval=filter_.interval,
            covered=covered,
            data=data,
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
        started = time.perf_counter()
        shape, stored = self._shape(endpoint)
        question = shape.ask(
            self._clock() if end is None else parse_instant(end), grouping_filters, live=live
        )
        source = self._source(shape.filter.source)
        return self._answer(endpoint, question, shape, stored, source, started)

    def _answer(
        self,
        name: str,
        question: Question,
        shape: Shape,
        stored: StoredRollup,
        source: Source,
        started: float,
    ) -> Answer:
        serving = self._served(stored)
        reader = Reader(self._resident, self._tails, lambda: self._open(source))
        columns = Answerer(question, serving.versions, serving.coverage, reader).columns()
        checked_rows(shape, columns.count)
        vocabularies = reader.vocabularies(serving.versions[-1])
        trace = reader.trace
        explanation = Explanation(
            rollup=f"filter {shape.filter.name}",
            find_candidates=lambda: self._candidates(shape, question, source),
            stored=trace.stored,
            live=trace.live,
            segments=trace.segments,
            cells=trace.cells,
            rows=trace.rows,
            sql=tuple(trace.sql),
            tail_age=trace.tail_age,
            milliseconds=(time.perf_counter() - started) * 1000,
            source_milliseconds=trace.live_seconds * 1000,
        )
        return Answer(
            name=name,
            buckets=None if columns.buckets is None else tuple(columns.buckets.tolist()),
            groupings={
                grouping: tuple(vocabularies[path].decode(columns.codes[path]))
                for grouping, path in question.groupings.items()
            },
            fields=columns.fields,
            count=columns.count,
            explanation=explanation,
            draw=charts.draw,
        )

    def _candidates(self, shape: Shape, question: Question, source: Source) -> list[Candidate]:
        keys = tuple(dict.fromkeys(asked.key for asked in question.fields if asked.key is not None))
        need = Need(source.name, shape.filter.where, keys, question)
        found: list[Candidate] = []
        for filter_ in self.filters.values():
            if filter_.source == source.name:
                coverage = self._served(self._rollup(filter_.id, filter_.name)).coverage
                rows = stored_rows(coverage, question.windows)
                found.append(Candidate(f"filter {filter_.name}", miss(rollup_of(filter_.spec), need), rows))
        return sorted(found, key=lambda candidate: (bool(candidate.miss), candidate.rows))

    def _shape(self, endpoint: str) -> tuple[Shape, StoredRollup]:
        definition = self._find("endpoint", endpoint) or self._catalog.definition_by_id(endpoint)
        if definition is None or (definition.workspace_id, definition.kind) != (self._id, "endpoint"):
            raise NotFoundError("endpoint", endpoint, self.endpoints)
        filter_ = self._find("filter", definition.spec["filter"])
        assert filter_ is not None  # noqa: S101 - a filter with endpoints is not removed
        generations = (definition.generation, filter_.generation)
        known = self._shapes.get(definition.id)
        if known is None or known[0] != generations:
            known = (generations, Shape.of(read(Endpoint, definition.spec), read(Filter, filter_.spec)))
            self._shapes[definition.id] = known
        return known[1], self._rollup(filter_.id, filter_.name)

    def _served(self, stored: StoredRollup) -> _Serving:
        """Versions and coverage as of now: read anew only when the rollup's generation changed."""
        known = self._serving.get(stored.id)
        if known is None or known.generation != self._catalog.generation(stored.id):
            # Coverage first: a version that is added after it only adds to what is live.
            coverage = self._catalog.coverage(stored.id)
            versions = tuple(Version.of(version) for version in self._catalog.versions(stored.id))
            known = _Serving(coverage.generation, versions, coverage)
            if self._catalog.generation(stored.id) == coverage.generation:
                self._serving[stored.id] = known
            else:
                return self._served(stored)
        return known

    # -- the catalog ---------------------------------------------------------------------------------

    @contextmanager
    def _open(self, source: Source) -> Iterator[SourceRows]:
        table = self._tables.get(source.name)
        if table is None and not source.url:
            raise SourceUnavailableError(
                f"source {source.name!r} was a table of another Python session",
                hint="add it again from a table of this session",
            )
        with session(source, table) as opened:
            yield SourceRows(opened)

    def _source(self, name: str) -> Source:
        return self.sources[name].spec

    def _rollup(self, owner_id: str, name: str) -> StoredRollup:
        stored = self._catalog.rollup_of(owner_id)
        if stored is None:
            raise NotFoundError("rollup", name)
        return stored

    def _find(self, kind: str, name: str) -> Definition | None:
        return self._catalog.get_definition(self._id, kind, name)

    def _put(self, kind: str, name: str, spec: Any, data: Any) -> Definition:
        whole = plain(spec)
        return self._catalog.put_definition(
            self._id, kind, name, whole, digest(data), digest(whole), self._clock()
        )

    def _all(self, kind: str, cls: type[S]) -> dict[str, Stored[S]]:
        return {
            definition.name: Stored(definition.id, read(cls, definition.spec))
            for definition in self._catalog.list_definitions(self._id, kind)
        }

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


def _common_edge(before: Rollup, after: Rollup, now_us: int) -> int:
    """The last instant at which buckets of two rollups both begin: no event is in buckets of both."""
    us = now_us
    while True:
        edge = after.width.floor(before.width.floor(us, before.zone), after.zone)
        if edge == us:
            return edge
        us = edge
