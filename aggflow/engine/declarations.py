"""Declarations: what is declared in a workspace, kept in the catalog, its rollups kept in step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from html import escape
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import ibis.expr.types as ir
import yaml

from aggflow.backends.connect import embedded_at, session
from aggflow.backends.event_folder import EventFolder
from aggflow.backends.source_rows import SourceRows
from aggflow.brief import brief, lines
from aggflow.catalog import Catalog, Definition, DispatchKind, RollupVersion
from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.check import check_reading, cube_problems_at_source, problems_at_source
from aggflow.engine.event_reading import EventReading
from aggflow.errors import (
    AggflowError,
    ConflictError,
    NotFoundError,
    ParseError,
    Problem,
    SourceUnavailableError,
    SpecError,
)
from aggflow.language import parse_linq
from aggflow.spec.asked import asked_of
from aggflow.spec.changes import Effect, carried, effects
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import digest, plain, read
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import SUBJECTS, Endpoint, Subject
from aggflow.spec.event_source import EventSource
from aggflow.spec.filter import Filter
from aggflow.spec.fit import AskedOf, problems_with
from aggflow.spec.lifecycle import LIVING
from aggflow.spec.project import DEFAULT_PROJECT, Project
from aggflow.spec.reading import reading_of
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.spec.rollups import OWNERS, rollups_of
from aggflow.spec.schedule import Schedule
from aggflow.spec.source import Source
from aggflow.spec.task import Task
from aggflow.timeline import BEGINNING

S = TypeVar("S")
_CENTURY_US = 36_525 * 86_400_000_000
KindName = Literal["source", "filter", "endpoint", "task", "cube", "schedule", "project", "event_source"]
KINDS: dict[str, type[Any]] = {
    "source": Source,
    "filter": Filter,
    "endpoint": Endpoint,
    "task": Task,
    "project": Project,
    "cube": Cube,
    "schedule": Schedule,
    "event_source": EventSource,
}
# What a catalog writes beside a definition, in the same transaction, for orchestration: kind and key.
Dispatch: TypeAlias = tuple[DispatchKind, str]


@dataclass(frozen=True)
class Stored(Generic[S]):
    """A definition as the workspace holds it; the attributes of its spec are its own.

    Attributes
    ----------
    id
        Its id in the catalog.
    spec
        What was declared.
    effects
        What adding it did to other definitions.
    generation
        Raised by every change of it.
    """

    id: str
    spec: S
    effects: tuple[Effect, ...] = field(default=(), compare=False)
    generation: int = field(default=1, compare=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "spec":
            raise AttributeError(name)
        return getattr(self.spec, name)

    @property
    def _shown(self) -> Mapping[str, Any]:
        """What was declared, without defaults and secrets."""
        return self.spec.shown() if isinstance(self.spec, Source) else plain(self.spec, defaults=False)

    @property
    def _state(self) -> str:
        """Where it stands, in a word; empty where there is nothing to say."""
        return ""

    def __repr__(self) -> str:
        facts = {"": self._state, **self._shown}
        kind = next((word for word, of in KINDS.items() if isinstance(self.spec, of)), "definition")
        name = facts.pop("name", None)
        what = kind.replace("_", " ") + (f" {name!r}" if name else "")
        return lines(brief(what, facts), self.effects)

    def _repr_html_(self) -> str:
        text = escape(yaml.safe_dump(self._shown, sort_keys=False, allow_unicode=True))
        notes = "".join(f"<li>{escape(str(effect))}</li>" for effect in self.effects)
        return f"<pre>{text}</pre>" + (f"<ul>{notes}</ul>" if notes else "")


class Declarations:
    """The sources, filters and endpoints of a workspace.

    Parameters
    ----------
    catalog, workspace_id
        Where they are kept.
    clock
        Microseconds since the epoch, now.
    events
        The folder of embedded sources; None where the home is none.
    memory
        Bytes that DuckDB may use for an open source; 0 leaves it to DuckDB.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        clock: Callable[[], int],
        events: Path | None = None,
        memory: int = 0,
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._clock = clock
        self._events = events
        self._memory = memory
        self._tables: dict[str, ir.Table] = {}

    # -- reading

    def all(self, kind: KindName) -> dict[str, Stored[Any]]:
        """All definitions of a kind, by name."""
        found = self._catalog.list_definitions(self._workspace_id, kind)
        return {definition.name: _stored(definition) for definition in found}

    def get(self, kind: KindName, name: str) -> Stored[Any]:
        """The definition of a name.

        Raises
        ------
        NotFoundError
            There is none.
        """
        found = self.find(kind, name)
        if found is None:
            raise NotFoundError(kind, name, self.all(kind))
        return found

    def find(self, kind: KindName, name: str) -> Stored[Any] | None:
        """The definition of a name, or None."""
        found = self._catalog.get_definition(self._workspace_id, kind, name)
        return None if found is None else _stored(found)

    def asked(self, endpoint: Endpoint) -> tuple[Stored[Any], AskedOf]:
        """What an endpoint asks: as it is declared, and as endpoints see it.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        kind, name = endpoint.subject
        found = (self._called(name) if kind == "task" else None) or self.get(kind, name)
        return found, asked_of(found.spec)

    def _called(self, task: str) -> Stored[Any] | None:
        """A task whose definition has another name until the next run, or None."""
        if self.find("task", task) is not None:
            return None
        living = self._catalog.tasks(self._workspace_id, LIVING)
        ids = (record.definition_id for record in living if record.name == task)
        return next((self.by_id("task", one) for one in ids if one is not None), None)

    def asking(self, kind: KindName, name: str) -> list[Endpoint]:
        """The endpoints that ask a filter, task or cube."""
        return [one.spec for one in self.all("endpoint").values() if one.spec.subject == (kind, name)]

    def by_id(self, kind: KindName, definition_id: str) -> Stored[Any] | None:
        """The definition of an id, if it is this workspace's and of that kind."""
        found = self._catalog.definition_by_id(definition_id)
        if found is None or (found.workspace_id, found.kind) != (self._workspace_id, kind):
            return None
        return _stored(found)

    def rollup(self, owner: Stored[Any], name: str | None = None) -> StoredRollup:
        """A rollup of a definition, by its name; by default the one that is named as it is."""
        wanted = owner.name if name is None else name
        for stored in self._catalog.rollups_of(owner.id):
            if stored.name == wanted:
                return stored
        raise NotFoundError("rollup", str(wanted))

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

    def problems_of(self, found: Definitions) -> list[Problem]:
        """What keeps declarations from being added together; nothing is written."""
        sources = {source.name: source for source in found.sources}
        askable = {(kind, one.name): one for kind in SUBJECTS for one in getattr(found, f"{kind}s")}
        checks: list[tuple[str, Callable[[], list[Problem]]]] = []
        checks += [(f"source {s.name!r}", lambda s=s: self._problems_at(s)) for s in found.sources]
        for spec in found.filters:
            source = sources.get(spec.source)
            checks.append((f"filter {spec.name!r}", lambda f=spec, s=source: self._problems_at(s, f)))
        for endpoint in found.endpoints:
            of = askable.get(endpoint.subject)
            checks.append(
                (
                    f"endpoint {endpoint.name!r}",
                    lambda e=endpoint, f=of: problems_with(e, asked_of(f) if f else self.asked(e)[1]),
                )
            )
        for task in found.tasks:
            source = sources.get(task.source)
            checks.append((f"task {task.name!r}", lambda t=task, s=source: self._problems_of_task(s, t)))
        cubes = {cube.name for cube in found.cubes}
        projects = {DEFAULT_PROJECT, *(project.name for project in found.projects)}
        for cube in found.cubes:
            source = sources.get(cube.source)
            what = f"cube {cube.name!r}"
            checks.append((what, lambda c=cube, s=source: self.problems_of_cube(c, s)))
            if cube.project not in projects:
                checks.append((what, lambda c=cube: self._lacking("project", c.project)))
        for schedule in found.schedules:
            if schedule.cube not in cubes:
                what = f"schedule {schedule.time_expression!r}"
                checks.append((what, lambda s=schedule: self._lacking("cube", s.cube)))
        for events in found.event_sources:
            source = sources.get(events.source)
            checks.append(("the event source", lambda e=events, s=source: self.problems_of_events(e, s)))
        return [problem for what, check in checks for problem in _told(what, check)]

    def _lacking(self, kind: KindName, name: str) -> list[Problem]:
        self.get(kind, name)
        return []

    def problems_of_cube(self, cube: Cube, source: Source | None = None) -> list[Problem]:
        """What of a cube its source, by default the one of that name, cannot serve."""
        with self.open(source or self.get("source", cube.source).spec) as rows:
            return cube_problems_at_source(cube, rows)

    def problems_of_events(self, events: EventSource, source: Source | None = None) -> list[Problem]:
        """What of an event source its source, by default the one of that name, cannot serve."""
        with self.open(source or self.get("source", events.source).spec) as rows:
            return list(EventReading.of(events, rows).problems.values())

    def _problems_at(self, source: Source | None, spec: Filter | None = None) -> list[Problem]:
        if source is None and spec is not None:
            source = self.get("source", spec.source).spec
        assert source is not None  # noqa: S101 - one of the two is given
        with self.open(source) as rows:
            return [] if spec is None else problems_at_source(spec, rows)

    def _problems_of_task(self, source: Source | None, task: Task) -> list[Problem]:
        with self.open(source or self.get("source", task.source).spec) as rows:
            query = parse_linq(task.linq, columns=rows.columns)
            check_reading(reading_of(query), rows, task.linq)
        return []

    # -- writing

    def put_source(self, spec: Source, table: ir.Table | None = None) -> Stored[Source]:
        """Add a source, or replace the one of its name; states of other rows are void.

        Parameters
        ----------
        spec
            The source.
        table
            A table of this Python session that stands for it, where it has no URL.
        """
        old = self.find("source", spec.name)
        if old is not None:
            self._check_events(old.spec, spec)
        with session(self._located(spec), None if spec.url else table, self._memory) as opened:
            SourceRows(opened)
        stored = self._put("source", spec, spec.data())
        if table is not None and not spec.url:
            self._tables[spec.name] = table
        else:
            self._tables.pop(spec.name, None)
        # A table of this session may be another one under the same name.
        return Stored(stored.id, spec, tuple(self._void(spec, always=old is not None and not spec.url)))

    def _check_events(self, old: Source, new: Source) -> None:
        """Refuse to change what events that were sent were read by, or to lose them from sight."""
        same = (old.url, old.time) == (new.url, new.time)
        if old.is_embedded and not same and not self.event_folder(old).is_empty:
            what = "time" if new.is_embedded else "url"
            raise ConflictError(
                f"source {old.name!r} has events, so its {what} cannot be changed",
                hint="remove it first, with its events, or add another one",
            )

    def _void(self, source: Source, *, always: bool) -> Iterator[Effect]:
        """Void the states of other rows: seen by the hash, so that what was cut off is made up for."""
        for kind, owner, rollups in self._owners():
            made = [(name, rollup) for name, rollup in rollups.items() if rollup.source == source.name]
            void = [self._void_rollup(owner, name, rollup, source, always=always) for name, rollup in made]
            if any(void):
                what = "its source has other rows now: it is to be built anew"
                yield Effect(owner.name, what, kind=kind)

    def _void_rollup(
        self, owner: Stored[Any], name: str, rollup: Rollup, source: Source, *, always: bool
    ) -> bool:
        stored = self.rollup(owner, name)
        data_hash = rollup.data_hash(source)
        if not always and self._catalog.versions(stored.id)[-1].data_hash == data_hash:
            return False
        self._catalog.reset_versions(stored.id, rollup.to_plain(), data_hash, self._clock())
        return True

    def _owners(self) -> Iterator[tuple[KindName, Stored[Any], dict[str, Rollup]]]:
        """Every definition that has rollups, with its kind and them."""
        kinds: tuple[KindName, ...] = OWNERS
        for kind in kinds:
            for owner in self.all(kind).values():
                yield kind, owner, rollups_of(owner.spec)

    def put_filter(self, spec: Filter, *, rebuild: bool = False, dry_run: bool = False) -> Stored[Filter]:
        """Add a filter, or change the one of its name.

        Parameters
        ----------
        spec
            The filter.
        rebuild
            Compute history anew from the source, instead of keeping it as it was.
        dry_run
            Change nothing; the effects say what would happen.

        Raises
        ------
        SpecError
            It does not fit its source.
        ConflictError
            The change would take an endpoint's last valid field.
        """
        source = self.get("source", spec.source).spec
        with self.open(source) as rows:
            problems = problems_at_source(spec, rows)
        if problems:
            raise SpecError(f"filter {spec.name!r}", problems)
        old = self.find("filter", spec.name)
        if dry_run:
            happened = () if old is None else self.effects(old.spec, spec)
            return Stored(old.id if old else "", spec, happened)
        happened = () if old is None else self.check_change(old.spec, spec)
        if old is not None:
            self.carry(old.spec, spec)
        rollup = rollup_of(spec)
        stored = self._put("filter", spec, rollup.to_plain())
        self._put_rollup(stored, rollup, rollup.data_hash(source), rebuild=rebuild)
        return Stored(stored.id, spec, happened)

    def effects(self, old: Filter | Task | Cube, new: Filter | Task | Cube) -> tuple[Effect, ...]:
        """What a change of a filter, a task or a cube does to the endpoints that ask it."""
        asking = self.asking(*_subject(old))
        return effects(asked_of(old), asked_of(new), asking) if asking else ()

    def check_change(self, old: Filter | Task | Cube, new: Filter | Task | Cube) -> tuple[Effect, ...]:
        """What a change does to endpoints.

        Raises
        ------
        ConflictError
            It would take from one what it cannot do without.
        """
        happened = self.effects(old, new)
        blocking = [str(effect) for effect in happened if effect.blocks]
        if blocking:
            raise ConflictError("; ".join(blocking), hint="change or remove the endpoint first")
        return happened

    def carry(self, old: Filter | Task | Cube, new: Filter | Task | Cube) -> None:
        """Let endpoints mean what they meant: saved before what they ask is, they fit both forms of it."""
        kind, name = _subject(old)
        for endpoint in self.asking(kind, name):
            same = carried(endpoint, asked_of(old), asked_of(new))
            same = dataclass_replace(same, **{kind: new.name})
            if same != endpoint:
                self._put("endpoint", same, {})

    def _put_rollup(self, owner: Definition, rollup: Rollup, data_hash: str, *, rebuild: bool) -> None:
        catalog, now_us = self._catalog, self._clock()
        plain_spec = rollup.to_plain()
        stored = catalog.rollup_of(owner.id)
        if stored is None:
            catalog.create_rollup(
                self._workspace_id, owner.kind, owner.id, owner.name, rollup.source, plain_spec, data_hash
            )
            return
        last = catalog.versions(stored.id)[-1]
        # With nothing built there is no history to keep; of another source there is none.
        nothing_kept = stored.source != rollup.source or not catalog.coverage(stored.id).rows
        if rebuild or (nothing_kept and last.data_hash != data_hash):
            catalog.reset_versions(stored.id, plain_spec, data_hash, now_us, source=rollup.source)
        elif last.data_hash != data_hash:
            edge = _edge_of_change(catalog.versions(stored.id), rollup, now_us)
            catalog.add_version(stored.id, plain_spec, data_hash, edge, now_us)

    def put_owner(
        self,
        kind: KindName,
        spec: Any,
        *,
        rebuild: bool = False,
        dispatch: Dispatch | None = None,
    ) -> Stored[Any]:
        """Add a definition with rollups, or replace the one of its name.

        A rollup whose data would change is to be built anew; one that is no more is dropped.

        Parameters
        ----------
        kind
            ``task`` or ``cube``: what they had before is not kept when they change.
        spec
            The definition, known to fit its source.
        rebuild
            Build all of it anew.
        dispatch
            What orchestration is told of it.
        """
        rollups = rollups_of(spec)
        data = {name: rollup.to_plain() for name, rollup in rollups.items()}
        stored = self._put(kind, spec, data, dispatch)
        there = {rollup.name: rollup for rollup in self._catalog.rollups_of(stored.id)}
        for name in there.keys() - rollups.keys():
            self._catalog.drop_rollup(there[name].id, self._clock())
        for name, rollup in rollups.items():
            source = self.get("source", rollup.source).spec
            self._put_owned(stored, name, rollup, rollup.data_hash(source), there.get(name), rebuild=rebuild)
        return Stored(stored.id, spec)

    def _put_owned(
        self,
        owner: Definition,
        name: str,
        rollup: Rollup,
        data_hash: str,
        stored: StoredRollup | None,
        *,
        rebuild: bool,
    ) -> None:
        plain_spec = rollup.to_plain()
        if stored is None:
            self._catalog.create_rollup(
                self._workspace_id, owner.kind, owner.id, name, rollup.source, plain_spec, data_hash
            )
        elif rebuild or self._catalog.versions(stored.id)[-1].data_hash != data_hash:
            self._catalog.reset_versions(
                stored.id, plain_spec, data_hash, self._clock(), source=rollup.source
            )

    def put(self, kind: KindName, spec: Any, dispatch: Dispatch | None = None) -> Stored[Any]:
        """Add a definition that has no rollups, known to be right, or replace the one of its name."""
        return Stored(self._put(kind, spec, {}, dispatch).id, spec)

    def put_endpoint(self, spec: Endpoint) -> Stored[Endpoint]:
        """Add an endpoint, or replace the one of its name.

        Raises
        ------
        SpecError
            It does not fit what it asks.
        """
        problems = problems_with(spec, self.asked(spec)[1])
        if problems:
            raise SpecError(f"endpoint {spec.name!r}", problems)
        return Stored(self._put("endpoint", spec, {}).id, spec)

    def remove(self, kind: KindName, name: str, dispatch: Dispatch | None = None) -> None:
        """Remove a definition, and what was built for it.

        Parameters
        ----------
        kind, name
            Which.
        dispatch
            What orchestration is told of it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind not in KINDS:
            raise NotFoundError("kind of definition", kind, KINDS)
        there = self.get(kind, name)
        self.check_removal(kind, name)
        self._catalog.remove_definition(self._workspace_id, kind, name, self._clock(), dispatch=dispatch)
        if kind == "source":
            self._tables.pop(name, None)
            if there.spec.is_embedded:
                self.event_folder(there.spec).remove()

    def check_removal(self, kind: KindName, name: str) -> None:
        """Refuse to remove what others need.

        Raises
        ------
        ConflictError
            Another definition needs it.
        """
        needing = self._needing(kind, name)
        if needing:
            raise ConflictError(f"{', '.join(needing)} needs {kind} {name!r}", hint="remove that first")

    def _needing(self, kind: KindName, name: str) -> list[str]:
        """The definitions that read this one."""
        if kind in SUBJECTS:
            return [f"endpoint {endpoint.name!r}" for endpoint in self.asking(kind, name)]
        if kind != "source":
            return []
        asked = [events for events in self.all("event_source").values() if events.source == name]
        return [
            *("the event source" for _ in asked),
            *(
                f"{owner_kind} {owner.name!r}"
                for owner_kind, owner, rollups in self._owners()
                if name in {owner.source, *(rollup.source for rollup in rollups.values())}
            ),
        ]

    def _put(self, kind: KindName, spec: Any, data: Any, dispatch: Dispatch | None = None) -> Definition:
        whole = plain(spec)
        return self._catalog.put_definition(
            self._workspace_id,
            kind,
            spec.name,
            whole,
            digest(data),
            digest(whole),
            self._clock(),
            dispatch=dispatch,
        )


def _subject(spec: Filter | Task | Cube) -> tuple[Subject, str]:
    kinds: dict[type[Any], Subject] = {Filter: "filter", Task: "task", Cube: "cube"}
    return kinds[type(spec)], spec.name


def _told(what: str, check: Callable[[], list[Problem]]) -> list[Problem]:
    """Problems of a check, each with what it is of; an error is one of them."""
    try:
        found = check()
    except ParseError as error:
        found = [Problem("", str(error))]
    except AggflowError as error:
        found = [Problem("", error.message, error.hint)]
    return [
        dataclass_replace(problem, path=f"{what}{'.' if problem.path else ''}{problem.path}")
        for problem in found
    ]


def _stored(definition: Definition) -> Stored[Any]:
    spec = read(KINDS[definition.kind], definition.spec)
    return Stored(definition.id, spec, (), definition.generation)


def _edge_of_change(versions: Sequence[RollupVersion], after: Rollup, now_us: int) -> int:
    """From when on a new form holds: where its buckets and those of the form before it both begin.

    A form whose time would begin later still is dropped, and the one before it looked at.
    """
    edge = now_us
    for version in reversed(versions):
        edge = _common_edge(Rollup.from_plain(dict(version.spec)), after, edge)
        if edge > version.validity.start:
            break
    return edge


def _common_edge(before: Rollup, after: Rollup, now_us: int) -> int:
    """The last instant at which buckets of two rollups both begin: no event is in buckets of both.

    The beginning of time where there is none within a century, as between the days of two zones:
    then all is computed anew.
    """
    us = now_us
    while us > now_us - _CENTURY_US:
        edge = after.width.floor(before.width.floor(us, before.zone), after.zone)
        if edge == us:
            return edge
        us = edge
    return BEGINNING
