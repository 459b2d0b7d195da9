"""An inquiry: an ad hoc question to a source, answered from whichever rollup covers it, or from the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from aggflow.backends.rollup_sql import layout_of
from aggflow.backends.source_rows import SourceRows
from aggflow.engine.plan import Candidate, Need, Piece, exact_pieces, miss, stored_rows
from aggflow.engine.question import Question
from aggflow.engine.residual import residual_of
from aggflow.engine.served import Served, ServedRollups
from aggflow.engine.status import events_of
from aggflow.engine.target import Target
from aggflow.engine.version import Version
from aggflow.errors import NotFoundError
from aggflow.language import Predicate
from aggflow.measures.cells import Layout
from aggflow.measures.registry import state_keys
from aggflow.spec.rollup import Rollup
from aggflow.spec.source import Source
from aggflow.store import SegmentStore
from aggflow.timeline import ALWAYS, Window, WindowSet

_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Inquiry:
    """An ad hoc question.

    Attributes
    ----------
    name
        What the answer is called.
    source
        Whose events are asked of.
    rollup
        What would answer it and nothing else: which events, groupings, states, buckets.
    question
        What is asked; the edges of its windows cut buckets.
    plain
        The columns and paths whose values are texts, numbers or truth values.
    """

    name: str
    source: Source
    rollup: Rollup
    question: Question
    plain: frozenset[str] = frozenset()

    @property
    def need(self) -> Need:
        """What a rollup must have to answer it."""
        rollup = self.rollup
        return Need(rollup.source, rollup.where, state_keys(rollup), self.question, self.plain, cuts=True)

    def with_conditions(self, conditions: Mapping[str, Predicate]) -> Inquiry:
        """The same, some conditions being tested on the values of groupings."""
        groupings = tuple(dict.fromkeys([*self.rollup.groupings, *conditions]))
        return replace(
            self,
            rollup=replace(self.rollup, groupings=groupings),
            question=replace(self.question, conditions=conditions),
        )

    def version(self, rollup_id: str) -> Version:
        """The form in which events are read from the source; its values are numbered as the rollup's."""
        return Version(rollup_id, 0, self.rollup, None, ALWAYS, self.rollup.data_hash(self.source))


@dataclass(frozen=True)
class Route:
    """Where an inquiry is answered from.

    Attributes
    ----------
    name
        The rollup, for people; empty for the source alone.
    inquiry
        What is asked of it.
    version
        In which form the rest is read from the source.
    versions, served
        The versions of the rollup that can answer, and what is built of it; none for the source alone.
    """

    name: str
    inquiry: Inquiry
    version: Version
    versions: tuple[Version, ...] = ()
    served: Served | None = None
    _pieces: dict[Window, tuple[Piece, ...]] = field(
        default_factory=dict[Window, tuple[Piece, ...]], init=False, repr=False, compare=False
    )

    def pieces(self, window: Window) -> tuple[Piece, ...]:
        """Where a window is read from; found once, as many ask for it while one question is answered."""
        if self.served is None:
            return (Piece(self.version, window, None),)
        found = self._pieces.get(window)
        if found is None:
            found = exact_pieces(self.versions, self.served.coverage, window, self.version)
            self._pieces[window] = found
        return found

    @property
    def cost(self) -> tuple[int, int]:
        """How much has to be read: hours from the source, then stored rows."""
        assert self.served is not None  # noqa: S101 - routes by rollups have it
        windows = self.inquiry.question.windows
        live = WindowSet(piece.window for window in windows for piece in self.pieces(window) if piece.is_live)
        # Hours, so that a build of a moment ago does not outweigh rows.
        return -(-live.microseconds // _HOUR_US), stored_rows(self.served.coverage, windows)


class Router:
    """Finds where inquiries are answered from.

    Parameters
    ----------
    served
        What is built.
    store
        Where it is.
    """

    def __init__(self, served: ServedRollups, store: SegmentStore) -> None:
        self._served = served
        self._store = store

    def route(
        self,
        inquiry: Inquiry,
        targets: Iterable[Target],
        open_rows: Callable[[], AbstractContextManager[SourceRows]],
    ) -> Route:
        """The best way: the least to be read from the source, then the fewest stored rows.

        Parameters
        ----------
        inquiry
            What is asked.
        targets
            The rollups of its source.
        open_rows
            Opens the source, where states and its rows are to be merged.
        """
        routes = [route for target in targets if (route := self._by(target, inquiry)) is not None]
        for route in sorted(routes, key=lambda route: route.cost):
            pieces = [piece for window in inquiry.question.windows for piece in route.pieces(window)]
            if all(piece.is_live for piece in pieces):
                break
            if not any(piece.is_live for piece in pieces) or self._fits_source(route, open_rows):
                return route
        return Route("", inquiry, inquiry.version(""))

    def candidates(self, need: Need, targets: Iterable[Target]) -> list[Candidate]:
        """Every rollup of the source, with why it could not answer, those that could first."""
        found: list[Candidate] = []
        for target in targets:
            served = self._served.get(target.rollup_id)
            rows = stored_rows(served.coverage, need.question.windows)
            found.append(Candidate(target.name, miss(target.rollup, need), rows))
        return sorted(found, key=lambda candidate: (bool(candidate.miss), candidate.rows))

    def events(self, need: Need, targets: Iterable[Target]) -> dict[str, Window]:
        """When there were events, by the name of each rollup that can answer and holds any."""
        able = [target for target in targets if not miss(target.rollup, need)]
        found = {target.name: self._events_of(target) for target in able}
        return {name: events for name, events in found.items() if events is not None}

    def _events_of(self, target: Target) -> Window | None:
        coverage, rollup = self._served.get(target.rollup_id).coverage, target.rollup
        return events_of(coverage, self._store, rollup.width, rollup.zone)

    def _by(self, target: Target, inquiry: Inquiry) -> Route | None:
        if miss(target.rollup, inquiry.need):
            return None
        served = self._served.get(target.rollup_id)
        # A definition that is being changed: its rollup follows in a moment.
        if served.versions[-1].data_hash != target.data_hash:
            return None
        versions = tuple(
            v for v in served.versions if v.layout is not None and not miss(v.rollup, inquiry.need)
        )
        conditions = residual_of(inquiry.rollup.where, target.rollup, inquiry.plain) or {}
        # Older forms may have kept other events: what they leave to be tested must be the same.
        versions = tuple(
            v for v in versions if residual_of(inquiry.rollup.where, v.rollup, inquiry.plain) == conditions
        )
        asked = inquiry.with_conditions(conditions)
        return Route(target.name, asked, asked.version(target.rollup_id), versions, served)

    def _fits_source(self, route: Route, open_rows: Callable[[], AbstractContextManager[SourceRows]]) -> bool:
        """Whether stored states and those that the source gives today may be merged."""
        inquiry = route.inquiry
        with open_rows() as rows:
            try:
                today = layout_of(inquiry.rollup, rows)
            except NotFoundError:
                return False
        return all(_alike(version, today, inquiry) for version in route.versions)


def _alike(version: Version, today: Layout, inquiry: Inquiry) -> bool:
    layout = version.layout
    if layout is None or (today.hash and layout.hash != today.hash):
        return False
    pairs = ((key, version.find(key, inquiry.question.paths)) for key in today.kinds)
    return all(own is not None and layout.kinds[own] == today.kinds[key] for key, own in pairs)
