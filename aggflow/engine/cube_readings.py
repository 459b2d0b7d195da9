"""Cube readings: cubes as questions to them need them, kept while definitions stay the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aggflow.engine.declarations import Declarations
from aggflow.engine.plain_paths import plain_paths
from aggflow.errors import NotFoundError
from aggflow.language import check_predicate, read_predicate
from aggflow.spec.cube import Cube
from aggflow.spec.source import Source

_MOST_KEPT = 512


@dataclass(frozen=True)
class CubeReading:
    """A cube with its source.

    Attributes
    ----------
    generation
        Of the workspace's definitions.
    cube, source
        As they are declared.
    """

    generation: int
    cube: Cube
    source: Source


class CubeReadings:
    """The cubes of a workspace, as questions need them.

    Parameters
    ----------
    declarations
        Where they are.
    generation
        Of the workspace's definitions, now.
    """

    def __init__(self, declarations: Declarations, generation: Callable[[], int]) -> None:
        self._declarations = declarations
        self._generation = generation
        self._cubes: dict[str, CubeReading] = {}
        self._plain: dict[tuple[int, str, str], frozenset[str]] = {}

    def get(self, name: str) -> CubeReading:
        """The cube of a name or an id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        generation = self._generation()
        known = self._cubes.get(name)
        if known is not None and known.generation == generation:
            return known
        declared = self._declarations
        cube = declared.find("cube", name) or declared.by_id("cube", name)
        if cube is None:
            raise NotFoundError("cube", name, declared.all("cube"))
        source = declared.get("source", cube.source).spec
        found = self._cubes[name] = CubeReading(generation, cube.spec, source)
        return found

    def plain(self, reading: CubeReading, where: str) -> frozenset[str]:
        """The paths of a predicate whose values are texts, numbers or truth values.

        On them, conditions are tested on values of groupings instead of on rows.

        Raises
        ------
        ParseError
            The predicate cannot be read.
        NotFoundError
            It names a column that is not there.
        """
        if not where:
            return frozenset()
        key = (reading.generation, reading.cube.name, where)
        if key not in self._plain:
            if len(self._plain) >= _MOST_KEPT:
                self._plain.clear()
            with self._declarations.open(reading.source) as rows:
                rows.predicate(where)
                check_predicate(where, rows.columns)
                self._plain[key] = plain_paths(read_predicate(where), rows)
        return self._plain[key]
