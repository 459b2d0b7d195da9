"""Posing: sees questions against what is declared and built at a moment, so that they can be answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from aggflow.catalog import Catalog, Mark
from aggflow.engine.at_hand import NotAtHandError
from aggflow.engine.declarations import Declarations
from aggflow.engine.inquiry import Inquiry, Route, Router
from aggflow.engine.posed import Posed, PosedInquiry
from aggflow.engine.question import Question
from aggflow.engine.resolved import Resolved
from aggflow.engine.saved_inquiry import SavedInquiry, saved_inquiry
from aggflow.engine.served import Served, ServedRollups
from aggflow.engine.shape import Shape
from aggflow.engine.targets import Targets
from aggflow.errors import ConflictError, NotFoundError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import rollup_of
from aggflow.store import SegmentStore
from aggflow.timeline import Micros

_Askable: TypeAlias = Literal["endpoint", "filter"]
# How often, and after how many seconds, a change that is under way is looked at again.
_TRIES, _PAUSE = 40, 0.05


class Posing:
    """Poses the questions of a workspace; what they refer to is read anew only when it changed.

    Parameters
    ----------
    catalog, workspace_id, declarations, targets
        What is declared and built.
    store
        Where segments are.
    clock
        Now, in microseconds.

    Attributes
    ----------
    router
        Finds the rollup that answers best.
    rollups
        What is known of rollups: read anew when their generation changed.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        declarations: Declarations,
        targets: Targets,
        store: SegmentStore,
        clock: Callable[[], Micros],
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._declarations = declarations
        self._targets = targets
        self._clock = clock
        self.rollups = ServedRollups(catalog)
        self.router = Router(self.rollups, store)
        self._known: dict[tuple[_Askable, str], Resolved | SavedInquiry] = {}

    def pose(
        self,
        name: str,
        end_us: int,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None,
        *,
        live: bool,
        wait: bool = True,
        as_of: Mark | None = None,
    ) -> Posed:
        """The question of an endpoint, by its id or name.

        Parameters
        ----------
        name, end_us, grouping_filters
            What is asked.
        live
            Whether what is not built may be read from the source.
        wait
            Whether definitions and coverage may be read that are not in memory.
        as_of
            What the catalog's mark was when it came in; None to look for changes now.

        Raises
        ------
        NotFoundError
            There is no such endpoint.
        QueryError
            The question does not fit the endpoint.
        NotAtHandError
            Something had to be read.
        """
        found = self._in_step("endpoint", name, wait=wait, as_of=as_of)
        if isinstance(found, SavedInquiry):
            if not wait:
                raise NotAtHandError
            inquiry = found.inquiry(end_us, self._clock(), grouping_filters, live=live)
            return self.pose_inquiry(found, inquiry)
        asked, served = found
        assert asked.shape is not None  # noqa: S101 - endpoints of filters have one
        bound = asked.shape.bound(end_us, grouping_filters, live=live)
        return asked.posed(bound.windows, bound.filters, bound.make, served)

    def pose_to_filter(
        self, name: str, question_of: Callable[[Filter], Question], *, wait: bool = True
    ) -> Posed:
        """A question to a filter, by its id or name, as `pose` gives those of endpoints."""
        found = self._in_step("filter", name, wait=wait)
        assert not isinstance(found, SavedInquiry)  # noqa: S101 - it is asked of no filter
        asked, served = found
        question = question_of(asked.filter)
        return asked.posed(question.windows, question.filters, lambda: question, served)

    def pose_inquiry(self, saved: SavedInquiry, inquiry: Inquiry) -> Posed:
        """A question of an endpoint of a task or a cube, declared or not, as `pose` gives those of filters."""
        route = self.route(inquiry)
        question = route.inquiry.question
        return PosedInquiry(
            saved.name,
            saved.id,
            saved.source,
            tuple(asked.window for asked in question.fields),
            question.filters,
            lambda: question,
            saved.made_of,
            route=route,
        )

    def route(self, inquiry: Inquiry) -> Route:
        """What answers a question that any rollup of its source may answer."""
        targets = self._targets.of_source(inquiry.source.name)
        return self.router.route(inquiry, targets, lambda: self._declarations.open(inquiry.source))

    def _in_step(
        self, kind: _Askable, name: str, *, wait: bool, as_of: Mark | None = None
    ) -> tuple[Resolved, Served] | SavedInquiry:
        """What is asked and its rollup, both of the same declaration; of a task or a cube, any may answer.

        Raises
        ------
        ConflictError
            A change of the filter or its source was cut off before its rollup followed.
        """
        known = self._known.get((kind, name))
        if isinstance(known, Resolved) and (served := self._as_known(known, as_of)) is not None:
            return known, served
        for _ in range(_TRIES):
            asked = self._resolved(kind, name, wait=wait)
            if isinstance(asked, SavedInquiry):
                return asked
            served = self.rollups.get(asked.rollup.id, wait=wait)
            if served.versions[-1].data_hash == asked.data_hash:
                return asked, served
            # A change that is under way: the definition is there, its rollup follows.
            self._known.pop((kind, name), None)
            if not wait:
                raise NotAtHandError
            time.sleep(_PAUSE)
        raise ConflictError(
            f"{kind} {name!r}: its filter and the filter's rollup are out of step: a change was cut off",
            hint="add the source and the filter again",
        )

    def _as_known(self, asked: Resolved, as_of: Mark | None) -> Served | None:
        """The rollup of what is asked, where nothing changed since both were read: one look into the catalog."""
        generations = self._catalog.generations(asked.rollup.id, as_of)
        if generations is None or generations[0] != asked.generation:
            return None
        served = self.rollups.at(asked.rollup.id, generations[1])
        return served if served is not None and served.versions[-1].data_hash == asked.data_hash else None

    def _resolved(self, kind: _Askable, name: str, *, wait: bool) -> Resolved | SavedInquiry:
        """What is asked with all that it refers to: read anew only when a definition changed."""
        generation = self._catalog.definitions_generation(self._workspace_id)
        known = self._known.get((kind, name))
        if known is not None and known.generation == generation:
            return known
        if not wait:
            raise NotAtHandError
        # Names that do not exist are not kept, so what is kept is no more than what is declared twice.
        resolved = self._known[kind, name] = self._read(kind, name, generation)
        return resolved

    def _read(self, kind: _Askable, name: str, generation: int) -> Resolved | SavedInquiry:
        declared = self._declarations
        asked = declared.by_id(kind, name) or declared.find(kind, name)
        if asked is None:
            raise NotFoundError(kind, name, declared.all(kind))
        if kind == "endpoint" and asked.filter is None:
            return saved_inquiry(asked, declared, generation)
        filter_ = asked if kind == "filter" else declared.get("filter", asked.filter)
        source = declared.get("source", filter_.source)
        return Resolved(
            generation,
            asked.name,
            asked.id,
            filter_.spec,
            declared.rollup(filter_),
            source.spec,
            rollup_of(filter_.spec).data_hash(source.spec),
            tuple((one.id, one.generation) for one in (asked, filter_, source)),
            None if kind == "filter" else Shape.of(asked.spec, filter_.spec),
        )
