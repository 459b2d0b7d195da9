"""Event readings: the event source of a workspace as widgets need it, kept while definitions stay the same."""

from __future__ import annotations

from collections.abc import Callable

from aggflow.engine.declarations import Declarations
from aggflow.engine.event_reading import EventReading
from aggflow.errors import ConflictError
from aggflow.spec.event_source import NAME


class EventReadings:
    """The event source of a workspace, as widgets need it.

    Parameters
    ----------
    declarations
        Where it is.
    generation
        Of the workspace's definitions, now.
    """

    def __init__(self, declarations: Declarations, generation: Callable[[], int]) -> None:
        self._declarations = declarations
        self._generation = generation
        self._known: tuple[int, EventReading] | None = None

    def get(self) -> EventReading:
        """The event source.

        Raises
        ------
        ConflictError
            The workspace has none.
        SourceError
            Its source cannot be opened.
        """
        generation, known = self._generation(), self._known
        if known is not None and known[0] == generation:
            return known[1]
        spec = self._declarations.find("event_source", NAME)
        if spec is None:
            raise ConflictError(
                "the workspace names no event source",
                hint="name one: ws.set_event_source(source, event_type=…, session_id=…), or PUT /api/v1/event-source",
            )
        source = self._declarations.get("source", spec.source).spec
        with self._declarations.open(source) as rows:
            found = EventReading.of(spec.spec, rows)
        self._known = generation, found
        return found
