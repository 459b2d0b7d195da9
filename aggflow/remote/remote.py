"""A remote: a workspace behind a service, asked as one of this process is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, Self

from aggflow import charts
from aggflow.collection import Collection
from aggflow.engine.answer import Answer
from aggflow.engine.answer_data import answer_of
from aggflow.engine.build_report import BuildReport
from aggflow.engine.definition_kind import KINDS
from aggflow.engine.progress import Report
from aggflow.engine.stored import Stored
from aggflow.engine.stored_cube import StoredCube
from aggflow.engine.widget_answer import WidgetAnswer
from aggflow.errors import NotFoundError, Problem, SpecError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.progress_bar import reporting
from aggflow.remote.build import RemoteBuild
from aggflow.remote.connection import Connection
from aggflow.spec.changes import Effect
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import plain, read
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.project import DEFAULT_PROJECT, Project
from aggflow.spec.source import Source
from aggflow.spec.widget import WidgetQuery
from aggflow.timeline import format_instant, parse_instant

Instant = str | datetime | date | int | float
_PLURALS: Final = {"source": "sources", "filter": "filters", "endpoint": "endpoints", "project": "projects"}
_BESIDE: Final = ("id", "generation", "project_id", "effects")
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0


def connect(url: str, token: str, *, timeout: float = 60.0, transport: Any = None) -> Remote:
    """Connect to a workspace behind a service.

    Parameters
    ----------
    url
        Of the service: ``http://127.0.0.1:8787``.
    token
        A token of the workspace; questions to endpoints take the permission ``data:read``, all else ``admin``.
    timeout
        Seconds to wait for an answer.
    transport
        Of httpx, where requests take another way than the network.

    Raises
    ------
    ServiceError
        The service cannot be reached, or the token is not valid.

    Examples
    --------
    >>> connect("http://127.0.0.1:9", "a token")
    Traceback (most recent call last):
    ...
    aggflow.errors.ServiceUnavailableError: the service at http://127.0.0.1:9 cannot be reached: ...
    """
    return Remote(Connection(url, token, timeout, transport))


class Remote:
    """A workspace behind a service; made by :func:`aggflow.connect`.

    Parameters
    ----------
    connection
        To the service.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        about = connection.get("workspace")
        self.name: str = about["name"]
        self.permissions: tuple[str, ...] = tuple(about["permissions"])

    # -- questions

    def query(
        self,
        endpoint: str,
        *,
        end: Instant | None = None,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a saved question; as :meth:`aggflow.Workspace.query`."""
        filters = None if grouping_filters is None else {k: list(v) for k, v in grouping_filters.items()}
        return self._ask("endpoint", endpoint=endpoint, end=end, grouping_filters=filters, live=live)

    def linq(
        self,
        text: str,
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        time_zone: str = "UTC",
        live: bool = True,
    ) -> Answer:
        """Ask a question in LINQ; as :meth:`aggflow.Workspace.linq`."""
        return self._ask("linq", linq=text, start=start, end=end, time_zone=time_zone, live=live)

    def ask_cube(
        self,
        cube: str,
        fields: Sequence[str | Field] | Mapping[str, str] | None = None,
        dimensions: str | Sequence[str] = (),
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        where: str = "",
        filters: Mapping[str, Any] | None = None,
        sort: Any = (),
        limit: int | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a cube by the names of its dimensions and measures; as :meth:`aggflow.Workspace.ask_cube`."""
        return self._ask(
            "cube",
            cube=cube,
            fields=_fields(fields),
            dimensions=[dimensions] if isinstance(dimensions, str) else list(dimensions),
            start=start,
            end=end,
            where=where,
            filters=filters,
            sort=_terms(sort),
            limit=limit,
            live=live,
        )

    def ask_task(
        self, task: str, *, start: Instant | None = None, end: Instant | None = None, live: bool = True
    ) -> Answer:
        """What a task's query gives; as :meth:`aggflow.Workspace.ask_task`."""
        return self._ask("task", task=task, start=start, end=end, live=live)

    def _ask(self, kind: str, **question: Any) -> Answer:
        body = {
            name: _time(value) if name in ("start", "end") else value
            for name, value in question.items()
            if value is not None
        }
        return answer_of(self._connection.post("questions", kind, body=body | {"explain": True}), charts.draw)

    def aggregate(
        self,
        query: WidgetQuery,
        *,
        brand: str | None = None,
        catalog: str | None = None,
        now: Instant | None = None,
    ) -> WidgetAnswer:
        """Ask the event source; as :meth:`aggflow.Workspace.aggregate`."""
        given = {"brand": brand, "catalog": catalog, "now": _time(now)}
        body = {"query": _widget(query)} | {k: v for k, v in given.items() if v is not None}
        found = self._connection.post("questions", "widget", body=body)
        return WidgetAnswer(
            read(WidgetQuery, found["query"]),
            answer_of(found["answer"], charts.draw),
            parse_instant(found["generated_at"]),
            found["cache_hit"],
        )

    # -- definitions

    @property
    def sources(self) -> Collection[Stored[Source]]:
        """The sources, by name; the passwords of their URLs are hidden."""
        return self._listed("source", ("name", "url", "table", "time"))

    @property
    def filters(self) -> Collection[Stored[Filter]]:
        """The filters, by name."""
        return self._listed("filter", ("name", "source", "interval", "where", "groupings", "aggregations"))

    @property
    def endpoints(self) -> Collection[Stored[Endpoint]]:
        """The endpoints, by name."""
        columns = _columns(("name", "fields"))
        asks = {"asks": lambda one: " ".join(one.spec.subject)}
        return Collection(
            "endpoint", lambda: self._all("endpoint"), {"name": columns["name"], **asks, **columns}
        )

    @property
    def projects(self) -> Collection[Stored[Project]]:
        """The projects, by name."""
        return self._listed("project", ("name", "description"))

    @property
    def cubes(self) -> Collection[StoredCube]:
        """The cubes of all projects, by name."""
        return Collection(
            "cube", self._cubes, _columns(("name", "source", "project", "dimensions", "measures"))
        )

    def _listed(self, kind: str, columns: Sequence[str]) -> Collection[Any]:
        return Collection(kind, lambda: self._all(kind), _columns(columns))

    def _all(self, kind: str) -> dict[str, Stored[Any]]:
        found = self._connection.get(_PLURALS[kind])
        return {one["name"]: _stored(KINDS[kind], one) for one in found}

    def _cubes(self) -> dict[str, StoredCube]:
        projects = self._connection.get("projects")
        found = [
            one for project in projects for one in self._connection.get("projects", project["id"], "cubes")
        ]
        return {
            one["name"]: StoredCube(
                one["id"], _spec(Cube, one), generation=one["generation"], project_id=one["project_id"]
            )
            for one in sorted(found, key=lambda one: one["name"])
        }

    def add_source(self, name: str, url: str, *, time: str, **options: Any) -> Stored[Source]:
        """Add a source that the service can reach, or replace the one of that name.

        Parameters
        ----------
        name, url, time, options
            As :meth:`aggflow.Workspace.add_source` takes them; paths are of the service's machine.
        """
        return self._put("source", Source(name, url, time, **options))

    def add_filter(
        self, name: str, *, rebuild: bool = False, dry_run: bool = False, **options: Any
    ) -> Stored[Filter]:
        """Add a filter, or change the one of that name.

        Parameters
        ----------
        name, rebuild, dry_run, options
            As :meth:`aggflow.Workspace.add_filter` takes them; ``where`` is text.
        """
        change = {key: True for key, on in (("rebuild", rebuild), ("dry_run", dry_run)) if on}
        return self._put("filter", Filter(name, **options), **change)

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
        name, filter, task, cube, options
            As :meth:`aggflow.Workspace.add_endpoint` takes them.
        """
        return self._put("endpoint", Endpoint(name, filter, task=task, cube=cube, **options))

    def add_project(self, name: str, *, description: str = "") -> Stored[Project]:
        """Add a project, or change the one of that name."""
        return self._put("project", Project(name, description))

    def add_cube(self, name: str, *, source: str, rebuild: bool = False, **options: Any) -> StoredCube:
        """Add a cube, or change the one of that name.

        Parameters
        ----------
        name, source, rebuild, options
            As :meth:`aggflow.Workspace.add_cube` takes them; ``where`` is text.
        """
        spec = Cube(name, source, **options)
        known = self.cubes.get(name)
        if known is None:
            self._connection.post("projects", spec.project or DEFAULT_PROJECT, "cubes", body=plain(spec))
        else:
            change = {"rebuild": True} if rebuild else {}
            found = self._connection.put(
                "projects", known.project_id, "cubes", known.id, body=plain(spec), **change
            )
            return replace(self.cubes[name], effects=_effects(found))
        return self.cubes[name]

    def remove(self, kind: str, name: str) -> None:
        """Remove a source, filter, endpoint, project or cube, and what was built for it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind == "cube":
            cube = self.cubes[name]
            self._connection.delete("projects", cube.project_id, "cubes", cube.id)
        elif kind in _PLURALS:
            self._connection.delete(_PLURALS[kind], name)
        else:
            raise NotFoundError("kind of definition", kind, [*_PLURALS, "cube"])

    def _put(self, kind: str, spec: Any, **change: bool) -> Stored[Any]:
        plural, body = _PLURALS[kind], plain(spec)
        if spec.name in self._listed(kind, ()):
            found = self._connection.put(plural, spec.name, body=body, **change)
        elif "dry_run" in change:
            return Stored("", spec)
        else:
            found = self._connection.post(plural, body=body)
        return _stored(type(spec), found)

    # -- builds

    @property
    def builds(self) -> Collection[RemoteBuild]:
        """The last hundred builds, by id, newest first."""
        return Collection(
            "build",
            lambda: {one["id"]: RemoteBuild.of(one) for one in self._connection.get("builds", limit=100)},
            _columns(("started", "name", "kind", "status", "rows_read", "states_written", "error")),
        )

    def build(
        self,
        name: str,
        *,
        since: Instant | None = None,
        until: Instant | None = None,
        full: bool = False,
        progress: bool | Report = True,
    ) -> BuildReport:
        """Have the service build what is missing of a rollup, and wait for it.

        Whoever stops waiting does not stop the build; :meth:`cancel` does.

        Parameters
        ----------
        name
            A filter, or the reference of any rollup: ``filter delays``, ``task by client``,
            ``cube flights/hourly``.
        since, until
            From when on, and up to when; by default all that is wanted, until now.
        full
            Build everything anew.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of how far it is.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        AggflowError
            The build stopped; what was committed stays, and the next build goes on from there.
        """
        if name.startswith("cube ") and "/" not in name:
            problem = Problem("name", "a whole cube is built by the next run", "request_build() asks for it")
            raise SpecError("the build", [problem])
        times = {"since": _time(since), "until": _time(until)}
        body = {"name": name, "full": full} | {k: v for k, v in times.items() if v is not None}
        asked = RemoteBuild.of(self._connection.post("builds", body=body))
        with reporting(progress) as report:
            return self._ended(asked, report).report()

    def _ended(self, build: RemoteBuild, report: Report) -> RemoteBuild:
        started, wait = time.monotonic(), _FIRST_WAIT
        while not build.has_ended:
            time.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.5)
            build = RemoteBuild.of(self._connection.get("builds", build.id))
            if build.windows_total:
                report(build.so_far(time.monotonic() - started))
        return build

    def request_build(self, cube: str, *, full: bool = False) -> RemoteBuild:
        """Ask for a batch of a cube, which the next run begins; it joins one that waits already.

        Parameters
        ----------
        cube
            Its name, or its id.
        full
            Build everything anew.
        """
        return RemoteBuild.of(self._connection.post("builds", body={"name": f"cube {cube}", "full": full}))

    def cancel(self, build_id: str) -> None:
        """Ask a build to stop after the window that it is at.

        Raises
        ------
        ConflictError
            It has ended already.
        """
        self._connection.delete("builds", build_id)

    # -- itself

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Remote workspace {self.name!r} at {self._connection.url}"


def _spec(cls: type[Any], data: Mapping[str, Any]) -> Any:
    return read(cls, {key: value for key, value in data.items() if key not in _BESIDE})


def _stored(cls: type[Any], data: Mapping[str, Any]) -> Stored[Any]:
    return Stored(data["id"], _spec(cls, data), _effects(data), data["generation"])


def _effects(data: Mapping[str, Any]) -> tuple[Effect, ...]:
    return tuple(Effect(**one) for one in data.get("effects", ()))


def _columns(names: Sequence[str]) -> dict[str, Callable[[Any], object]]:
    return {name: lambda one, name=name: getattr(one, name) for name in names}


def _widget(query: WidgetQuery) -> dict[str, Any]:
    # The widget API takes no null for what is left out, but for the types of event.
    return {name: value for name, value in plain(query).items() if value is not None}


def _time(value: Instant | None) -> str | None:
    return None if value is None else format_instant(parse_instant(value))


def _fields(fields: Sequence[str | Field] | Mapping[str, str] | None) -> Any:
    if fields is None or isinstance(fields, Mapping):
        return fields
    return [one if isinstance(one, str) else plain(one) for one in fields]


def _terms(sort: Any) -> list[Any]:
    if isinstance(sort, str):
        return [sort]
    if isinstance(sort, tuple) and len(sort) == 2 and sort[1] in ("asc", "desc"):
        return [list(sort)]
    return [
        term
        if isinstance(term, str)
        else list(term)
        if isinstance(term, tuple)
        else [term.by, term.direction]
        for term in sort
    ]
