"""Cubes of a workspace: dimensions and measures over a source, and the aggregates that speed them up."""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aggflow.collection import Collection
from aggflow.engine.stored import Stored
from aggflow.engine.stored_cube import StoredCube
from aggflow.errors import NotFoundError, SpecError
from aggflow.language import from_ibis, to_jpath
from aggflow.spec.cube import Cube
from aggflow.spec.definitions import Definitions
from aggflow.spec.project import Project
from aggflow.workspace.projects import ProjectsPart


class CubesPart(ProjectsPart):
    """The part of a workspace that holds cubes."""

    def add_cube(
        self,
        name: str,
        *,
        source: str,
        dimensions: Sequence[Any] = (),
        where: Any = "",
        rebuild: bool = False,
        **options: Any,
    ) -> StoredCube:
        """Add a cube, or change the one of that name: aggregates whose data would change are built anew.

        Parameters
        ----------
        name, source
            Its name, and its source.
        dimensions
            Columns by name, and :class:`aggflow.Dimension`.
        where
            JPath text, LINQ behind ``=``, or an Ibis deferred predicate.
        rebuild
            Build all aggregates anew.
        options
            The other attributes of :class:`aggflow.Cube`: ``measures``, ``aggregates`` ...

        Raises
        ------
        SpecError
            The definition is wrong, or does not fit its source: every problem of it.
        NotFoundError
            There is no such source, or project.
        ConflictError
            An endpoint needs what the cube would lose.
        """
        if not isinstance(where, str):
            with self._declarations.open(self._source(source)) as rows:
                where = to_jpath(from_ibis(where, rows.table))
        return self._put_cube(Cube(name, source, dimensions, where=where, **options), rebuild=rebuild)

    def _put_cube(self, spec: Cube, *, rebuild: bool = False, replaced: Some[str] = ()) -> StoredCube:
        project = self.projects[spec.project]
        problems = self._declarations.problems_of_cube(spec)
        if problems:
            raise SpecError(f"cube {spec.name!r}", problems)
        old = self._declarations.find("cube", spec.name)
        happened = () if old is None else self._declarations.check_change(old.spec, spec, replaced)
        if old is not None:
            self._declarations.carry(old.spec, spec)
        stored = self._declarations.put_owner("cube", spec, rebuild=rebuild)
        return StoredCube(stored.id, spec, happened, stored.generation, project_id=project.id)

    @property
    def cubes(self) -> Collection[StoredCube]:
        """The cubes, by name."""
        return Collection(
            "cube",
            self._cubes,
            {
                "name": lambda c: c.name,
                "source": lambda c: c.source,
                "project": lambda c: c.project,
                "dimensions": lambda c: c.dimensions,
                "measures": lambda c: c.measures,
                "aggregates": lambda c: c.spec.materialised,
            },
        )

    def cube(self, cube: str) -> StoredCube:
        """The cube of a name or an id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        declared = self._declarations
        found = declared.find("cube", cube) or declared.by_id("cube", cube)
        if found is None:
            raise NotFoundError("cube", cube, declared.all("cube"))
        return self._in_project(found, self._projects())

    def _cubes(self) -> dict[str, StoredCube]:
        projects = self._projects()
        return {
            name: self._in_project(cube, projects) for name, cube in self._declarations.all("cube").items()
        }

    def _in_project(self, cube: Stored[Cube], projects: dict[str, Stored[Project]]) -> StoredCube:
        project = projects.get(cube.project)
        return StoredCube(
            cube.id,
            cube.spec,
            generation=cube.generation,
            project_id="" if project is None else project.id,
        )

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        ConflictError
            An endpoint that is not among them needs what a cube would lose; nothing is added then.
        """
        applied = super().apply_definitions(found, base)
        for cube in applied.cubes:
            self._put_cube(cube, replaced=applied.endpoint_names)
        return applied

    def declared(self) -> Definitions:
        """All definitions."""
        cubes = tuple(stored.spec for stored in self._declarations.all("cube").values())
        return replace(super().declared(), cubes=cubes)
