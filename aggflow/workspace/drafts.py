"""Drafts of a workspace: what is not declared yet, checked while it is written; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from aggflow.engine.check import problems_at_source
from aggflow.engine.source_shape import SourceShapes
from aggflow.errors import Problem
from aggflow.spec.changes import Effect
from aggflow.spec.filter import Filter
from aggflow.workspace.definitions import DefinitionsPart


class DraftsPart(DefinitionsPart):
    """The part of a workspace that checks drafts."""

    @cached_property
    def _shapes(self) -> SourceShapes:
        return SourceShapes(self._declarations, lambda: self._catalog.definitions_generation(self._id))

    def columns(self, source: str) -> Mapping[str, Any]:
        """The columns of a source, each with its Ibis type; kept for a moment.

        Raises
        ------
        NotFoundError
            There is no such source.
        SourceError
            It cannot be opened, or its columns cannot play their part.
        """
        return self._shapes.rows(source).columns

    def misfits(self, draft: Filter) -> list[Problem]:
        """What of a filter its source cannot serve; nothing is read from the source but its columns.

        Raises
        ------
        NotFoundError
            There is no such source.
        SourceError
            It cannot be opened, or its columns cannot play their part.
        """
        return problems_at_source(draft, self._shapes.rows(draft.source))

    def effects_of(self, draft: Filter) -> tuple[Effect, ...]:
        """What changing a filter would do to the endpoints that read it; nothing for a new one."""
        before = self.filters.get(draft.name)
        return () if before is None else self._declarations.effects(before.spec, draft)
