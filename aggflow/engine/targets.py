"""Targets: every rollup of a workspace, each with all that building it and answering from it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aggflow.catalog import Catalog
from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.declarations import Declarations
from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored import Stored
from aggflow.engine.target import Target
from aggflow.errors import NotFoundError
from aggflow.spec.rollups import OWNERS, owner_of, rollups_of


@dataclass(frozen=True)
class _Known:
    """All targets, as of a generation of the workspace's definitions."""

    generation: int
    targets: Mapping[str, Target]


class Targets:
    """The rollups of a workspace: read anew only when a definition changed.

    Parameters
    ----------
    catalog, workspace_id, declarations
        What is declared.
    """

    def __init__(self, catalog: Catalog, workspace_id: str, declarations: Declarations) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._declarations = declarations
        self._known: _Known | None = None

    def all(self) -> Mapping[str, Target]:
        """Every target, by its reference."""
        generation = self._generation
        known = self._known
        if known is None or known.generation != generation:
            known = self._known = _Known(generation, dict(self._found()))
        return known.targets

    @property
    def _generation(self) -> int:
        return self._catalog.definitions_generation(self._workspace_id)

    @property
    def _is_known(self) -> bool:
        """Whether all targets are at hand, as of now."""
        return self._known is not None and self._known.generation == self._generation

    def _one(self, kind: str, name: str) -> Target | None:
        """A target by itself: a process that builds a few of many tasks reads no others."""
        if kind not in OWNERS:
            return None
        own, _, of_cube = name.partition("/") if kind == "cube" else (name, "", name)
        owner = self._declarations.find(kind, own)
        rollup = None if owner is None else rollups_of(owner.spec).get(of_cube)
        source = None if rollup is None else self._declarations.find("source", rollup.source)
        if owner is None or rollup is None or source is None:
            return None
        for stored in self._catalog.rollups_of(owner.id):
            if stored.name == of_cube:
                return self._target(kind, owner, of_cube, stored, rollup, {rollup.source: source})
        return None

    def get(self, reference: str) -> Target:
        """The target of a reference; a bare name is a filter's.

        Raises
        ------
        NotFoundError
            There is none.
        """
        kind, _, name = reference.partition(" ")
        if not self._is_known and (target := self._one(kind, name) or self._one("filter", reference)):
            return target
        found = self.all()
        named = reference if kind in OWNERS and reference in found else f"filter {reference}"
        if named in found:
            return found[named]
        if kind in OWNERS:
            raise NotFoundError("rollup", reference, found)
        raise NotFoundError("filter", reference, self._declarations.all("filter"))

    def of_source(self, source: str) -> list[Target]:
        """The targets that are made of a source."""
        return [target for target in self.all().values() if target.source.name == source]

    def of_owner(self, owner_id: str) -> dict[str, Target]:
        """The targets of a definition, by the name of the rollup in it."""
        return {target.own_name: target for target in self.all().values() if target.owner_id == owner_id}

    def _found(self) -> Iterator[tuple[str, Target]]:
        stored: dict[tuple[str, str], StoredRollup] = {
            (rollup.owner_id, rollup.name): rollup for rollup in self._catalog.rollups(self._workspace_id)
        }
        sources = self._declarations.all("source")
        kinds: tuple[KindName, ...] = OWNERS
        for kind in kinds:
            for owner in self._declarations.all(kind).values():
                for name, rollup in rollups_of(owner.spec).items():
                    # A definition whose rollups are being made at this moment has none yet.
                    if (owner.id, name) in stored and rollup.source in sources:
                        target = self._target(kind, owner, name, stored[owner.id, name], rollup, sources)
                        yield target.name, target

    def _target(
        self,
        kind: str,
        owner: Stored[Any],
        name: str,
        stored: StoredRollup,
        rollup: Any,
        sources: Mapping[str, Stored[Any]],
    ) -> Target:
        source = sources[rollup.source].spec
        kept = owner_of(owner.spec)
        whole = f"{owner.name}/{name}" if kind == "cube" else owner.name
        return Target(
            self._workspace_id,
            stored.id,
            f"{kind} {whole}",
            source,
            partial(self._declarations.open, source),
            rollup,
            owner.id,
            name,
            kept.begins_at(owner.spec),
            kept.delay(owner.spec),
        )
