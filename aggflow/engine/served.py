"""Served: a rollup's versions and coverage, which belong together, as of a generation of it."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.catalog import Catalog, Coverage
from aggflow.engine.version import Version


@dataclass(frozen=True)
class Served:
    """What answering from one rollup needs, as of a generation.

    Attributes
    ----------
    generation
        Of the rollup.
    versions
        By validity.
    coverage
        What is built of them.
    """

    generation: int
    versions: tuple[Version, ...]
    coverage: Coverage


class ServedRollups:
    """The rollups that a process answers from: read anew only when their generation changed.

    Parameters
    ----------
    catalog
        Where they are kept.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._served: dict[str, Served] = {}

    def get(self, rollup_id: str) -> Served:
        """Versions and coverage of a rollup, as of now."""
        known = self._served.get(rollup_id)
        if known is not None and known.generation == self._catalog.generation(rollup_id):
            return known
        # Versions and coverage are two statements: they belong together if nothing changed between.
        while True:
            coverage = self._catalog.coverage(rollup_id)
            versions = tuple(Version.of(version) for version in self._catalog.versions(rollup_id))
            if self._catalog.generation(rollup_id) == coverage.generation:
                served = self._served[rollup_id] = Served(coverage.generation, versions, coverage)
                return served
