"""Projects of a workspace: names under which cubes stand together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aggflow.collection import Collection
from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored import Stored
from aggflow.errors import ConflictError
from aggflow.spec.definitions import Definitions
from aggflow.spec.project import DEFAULT_PROJECT, Project
from aggflow.workspace.builds import BuildsPart


class ProjectsPart(BuildsPart):
    """The part of a workspace that holds projects."""

    @property
    def projects(self) -> Collection[Stored[Project]]:
        """The projects, by name; ``default`` is there by itself."""
        return Collection(
            "project", self._projects, {"name": lambda p: p.name, "description": lambda p: p.description}
        )

    def add_project(self, name: str, *, description: str = "") -> Stored[Project]:
        """Add a project, or change the one of that name."""
        return self._declarations.put("project", Project(name, description))

    def _projects(self) -> dict[str, Stored[Project]]:
        found = self._declarations.all("project")
        if DEFAULT_PROJECT not in found:
            made = self._declarations.put("project", Project(DEFAULT_PROJECT))
            found = {DEFAULT_PROJECT: made, **found}
        return found

    def remove(self, kind: KindName, name: str) -> None:
        """Remove a definition, and what was built for it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind == "project":
            self._check_project(name)
        super().remove(kind, name)

    def _check_project(self, name: str) -> None:
        """Refuse to remove a project that is needed."""
        if name == DEFAULT_PROJECT:
            raise ConflictError("the project 'default' is always there")
        needing = [
            f"cube {cube.name!r}" for cube in self._declarations.all("cube").values() if cube.project == name
        ]
        if needing:
            raise ConflictError(f"{', '.join(needing)} needs project {name!r}", hint="remove that first")

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        """
        self._projects()
        applied = super().apply_definitions(found, base)
        for project in applied.projects:
            self._declarations.put("project", project)
        return applied

    def declared(self) -> Definitions:
        """All definitions."""
        own = Project(DEFAULT_PROJECT)
        projects = tuple(stored.spec for stored in self._declarations.all("project").values())
        return replace(super().declared(), projects=tuple(project for project in projects if project != own))
