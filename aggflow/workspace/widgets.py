"""Widgets of a workspace: its event source, and ad hoc questions to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from aggflow.engine.stored import Stored
from aggflow.engine.widget_answer import WidgetAnswer
from aggflow.engine.widgets import WidgetCall
from aggflow.errors import SpecError
from aggflow.spec.definitions import Definitions
from aggflow.spec.event_source import NAME, EventSource
from aggflow.spec.widget import WidgetQuery
from aggflow.timeline import parse_instant
from aggflow.workspace.definitions import DefinitionsPart
from aggflow.workspace.foundation import Instant


class WidgetsPart(DefinitionsPart):
    """The part of a workspace that answers widgets."""

    # -- the event source

    def set_event_source(self, source: str | EventSource, **roles: Any) -> Stored[EventSource]:
        """Name the source that widgets ask, in place of the one before it.

        Parameters
        ----------
        source
            Name of a source, or a whole :class:`aggflow.EventSource`.
        roles
            Its other attributes: which columns are ``event_type``, ``session_id``, ``product_id``,
            ``agent_id``, ``customer_id``, ``brand``, ``catalog``, ``metadata`` and ``values``.

        Raises
        ------
        NotFoundError
            There is no such source.
        SpecError
            The source's columns cannot play these parts: every problem.
        """
        spec = replace(source, **roles) if isinstance(source, EventSource) else EventSource(source, **roles)
        problems = self._declarations.problems_of_events(spec)
        if problems:
            raise SpecError("the event source", problems)
        return self._declarations.put("event_source", spec)

    @property
    def event_source(self) -> Stored[EventSource] | None:
        """The source that widgets ask; None where none was named."""
        return self._declarations.find("event_source", NAME)

    def remove_event_source(self) -> None:
        """Let widgets ask nothing any more.

        Raises
        ------
        NotFoundError
            No event source was named.
        """
        self._declarations.remove("event_source", NAME)

    # -- questions

    def aggregate(
        self,
        query: WidgetQuery,
        *,
        brand: str | None = None,
        catalog: str | None = None,
        now: Instant | None = None,
    ) -> WidgetAnswer:
        """Ask the event source: from a rollup that covers the question as far as there is one, the rest live.

        An answer is kept for a while (``AGGFLOW_WIDGET_TTL``), unless a build changes a rollup that
        could answer.

        Parameters
        ----------
        query
            What is asked.
        brand, catalog
            Only of the events of these.
        now
            Where the window of the question ends; the present by default.

        Raises
        ------
        ConflictError
            There is no event source, or it cannot tell brands or catalogs.
        QueryError
            It lacks what is asked for, or the question cannot be answered.
        SourceError
            The source was needed, and cannot be read.
        """
        now_us = None if now is None else parse_instant(now)
        return self._widgets.answer(WidgetCall(query, brand, catalog), now_us)

    def find_aggregate(
        self, query: WidgetQuery, *, brand: str | None = None, catalog: str | None = None
    ) -> WidgetAnswer | None:
        """The answer of :meth:`aggregate`, if one is kept; takes microseconds.

        Parameters
        ----------
        query
            What is asked.
        brand, catalog
            Only of the events of these.
        """
        return self._widgets.find(WidgetCall(query, brand, catalog))

    # -- definitions

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        """
        applied = super().apply_definitions(found, base)
        for spec in applied.event_sources:
            self._declarations.put("event_source", spec)
        return applied

    def declared(self) -> Definitions:
        """All definitions."""
        stored = self.event_source
        return replace(super().declared(), event_sources=() if stored is None else (stored.spec,))
