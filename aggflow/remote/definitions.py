"""Definitions of a remote workspace: what is declared there, read, added, changed and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aggflow.collection import Collection
from aggflow.engine.definition_kind import KINDS
from aggflow.engine.stored import Stored
from aggflow.engine.stored_cube import StoredCube
from aggflow.errors import NotFoundError
from aggflow.remote.column import columns_of
from aggflow.remote.link import Link
from aggflow.spec.changes import Effect
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import plain, read
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.project import DEFAULT_PROJECT, Project
from aggflow.spec.source import Source

_PLURALS: Final = {"source": "sources", "filter": "filters", "endpoint": "endpoints", "project": "projects"}
_BESIDE: Final = ("id", "generation", "project_id", "effects")


class DefinitionsPart(Link):
    """The part of a remote workspace that holds what is declared."""

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
        columns = columns_of(("name", "fields"))
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
            "cube", self._cubes, columns_of(("name", "source", "project", "dimensions", "measures"))
        )

    def _listed(self, kind: str, columns: Sequence[str]) -> Collection[Any]:
        return Collection(kind, lambda: self._all(kind), columns_of(columns))

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


def _spec(cls: type[Any], data: Mapping[str, Any]) -> Any:
    return read(cls, {key: value for key, value in data.items() if key not in _BESIDE})


def _stored(cls: type[Any], data: Mapping[str, Any]) -> Stored[Any]:
    return Stored(data["id"], _spec(cls, data), _effects(data), data["generation"])


def _effects(data: Mapping[str, Any]) -> tuple[Effect, ...]:
    return tuple(Effect(**one) for one in data.get("effects", ()))
