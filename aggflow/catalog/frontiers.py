"""Frontier: how far one version of a rollup is built, at a glance; of a whole workspace in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import coverage, rollup_versions, rollups
from aggflow.timeline.instant import Micros
from aggflow.timeline.window import Window


@dataclass(frozen=True, slots=True)
class Frontier:
    """How far a version of a rollup is built.

    Attributes
    ----------
    rollup_id, kind, name, owner_id
        Of the rollup.
    version, validity, spec
        Of the version.
    span
        From where to where it is built; None where nothing is.
    covered_us
        How much of the span is built: less than its length where it has gaps.
    """

    rollup_id: str
    kind: str
    name: str
    owner_id: str
    version: int
    validity: Window
    spec: Mapping[str, Any]
    span: Window | None
    covered_us: Micros

    @property
    def has_gaps(self) -> bool:
        """Whether something between its first and its last window is not built."""
        return self.span is not None and self.covered_us < self.span.microseconds


_BUILT = (
    sa.select(
        coverage.c.rollup_id,
        coverage.c.version,
        sa.func.min(coverage.c.start_us).label("start_us"),
        sa.func.max(coverage.c.end_us).label("end_us"),
        # Windows of a version never overlap: their lengths add up to what is built.
        sa.func.sum(coverage.c.end_us - coverage.c.start_us).label("covered_us"),
    )
    .join(rollups, rollups.c.id == coverage.c.rollup_id)
    .where(
        rollups.c.workspace_id == sa.bindparam("workspace_id"),
        rollups.c.kind.in_(sa.bindparam("kinds", expanding=True)),
    )
    .group_by(coverage.c.rollup_id, coverage.c.version)
    .subquery()
)
_FRONTIERS = (
    sa.select(
        rollups.c.id,
        rollups.c.kind,
        rollups.c.name,
        rollups.c.owner_id,
        rollup_versions.c.number,
        rollup_versions.c.valid_from_us,
        rollup_versions.c.valid_to_us,
        rollup_versions.c.spec,
        _BUILT.c.start_us,
        _BUILT.c.end_us,
        _BUILT.c.covered_us,
    )
    .select_from(rollups)
    .join(rollup_versions, rollup_versions.c.rollup_id == rollups.c.id)
    .outerjoin(
        _BUILT,
        sa.and_(_BUILT.c.rollup_id == rollups.c.id, _BUILT.c.version == rollup_versions.c.number),
    )
    .where(
        rollups.c.workspace_id == sa.bindparam("workspace_id"),
        rollups.c.kind.in_(sa.bindparam("kinds", expanding=True)),
    )
    .order_by(rollups.c.kind, rollups.c.name, rollup_versions.c.valid_from_us)
)


class Frontiers(Database):
    """The part of a catalog that tells what is due without looking at every window."""

    def frontiers(self, workspace_id: str, kinds: Collection[str]) -> tuple[Frontier, ...]:
        """How far every rollup of some kinds is built: by kind, name and validity.

        Parameters
        ----------
        workspace_id
            Whose rollups.
        kinds
            Of which kinds of definitions.
        """
        rows = self._read(_FRONTIERS, workspace_id=workspace_id, kinds=list(kinds))
        return tuple(_frontier(row) for row in rows)


def _frontier(row: sa.Row[Any]) -> Frontier:
    rollup_id, kind, name, owner_id, version, valid_from, valid_to, spec, start, end, covered = row
    return Frontier(
        rollup_id,
        kind,
        name,
        owner_id,
        version,
        Window(valid_from, valid_to),
        spec,
        None if start is None else Window(start, end),
        int(covered or 0),
    )
