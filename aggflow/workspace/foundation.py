"""A foundation: what every part of a workspace stands on: its catalog, its store, its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeAlias

from aggflow import charts
from aggflow.catalog import Catalog
from aggflow.engine.build import Builder
from aggflow.engine.declarations import Declarations
from aggflow.engine.posing import Posing
from aggflow.engine.question_log import QuestionLog
from aggflow.engine.readings import Readings
from aggflow.engine.reductions import Reductions
from aggflow.engine.serving import Serving
from aggflow.engine.tail import Tails
from aggflow.engine.targets import Targets
from aggflow.engine.widgets import Widgets
from aggflow.settings import Settings
from aggflow.spec.source import Source
from aggflow.store import Resident, SegmentStore
from aggflow.workspace.site import events_of

Instant: TypeAlias = str | datetime | date | int | float


class Foundation:
    """What every part of a workspace stands on.

    Parameters
    ----------
    catalog, store
        What is declared and built, and its states.
    settings
        Of this process, as they were when the workspace was opened.
    name
        Of the workspace in its home.
    place
        The home: a folder, or the URL of a catalog.
    clock
        Microseconds since the epoch, now.
    resident
        The states in memory, where several workspaces share them; by default its own.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: SegmentStore,
        settings: Settings,
        name: str,
        place: str,
        clock: Callable[[], int] | None = None,
        resident: Resident | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self._catalog = catalog
        self._store = store
        self._place = place
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._id = catalog.workspace(name).id
        events = events_of(place, settings.events)
        self._declarations = Declarations(
            catalog, self._id, self._clock, events and events / name, settings.source_memory
        )
        self._resident = resident or Resident(store, settings.resident_bytes)
        self._targets = Targets(catalog, self._id, self._declarations)
        self._readings = Readings(self._declarations, lambda: catalog.definitions_generation(self._id))
        self._questions = QuestionLog(catalog, self._id, self._clock)
        self._posing = Posing(
            catalog, self._id, self._declarations, self._targets, self._resident.store, self._clock
        )
        self._serving = Serving(
            self._posing,
            self._declarations,
            self._targets,
            self._resident,
            Tails(settings.live_ttl),
            Reductions(settings.reduced_bytes),
            settings.answer_bytes,
            self._questions,
            charts.draw,
            self._clock,
        )
        self._widgets = Widgets(
            catalog,
            self._id,
            self._declarations,
            self._targets,
            self._serving,
            self._clock,
            settings.widget_ttl,
        )

    @property
    def _builder(self) -> Builder:
        """Builds by the settings as they are now."""
        return Builder(self._catalog, self._store, self.settings, self._clock)

    def _source(self, name: str) -> Source:
        return self._declarations.get("source", name).spec
