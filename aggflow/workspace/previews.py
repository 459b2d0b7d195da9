"""Previews of a workspace: what its endpoints answer of what is built, without asking a source."""

from __future__ import annotations

from aggflow.engine.answer import Answer
from aggflow.engine.grouping_question import GroupingQuestion
from aggflow.engine.plan import miss
from aggflow.engine.posed import Posed
from aggflow.engine.preview import Preview
from aggflow.engine.saved_inquiry import SavedInquiry
from aggflow.engine.status import RollupStatus
from aggflow.errors import NotCoveredError, NotFoundError
from aggflow.figure import instant
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.askable import Askable
from aggflow.spec.choice import QueryTime
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.fit import AskedOf, choices, title_of
from aggflow.timeline import Duration, Interval, Micros
from aggflow.workspace.builds import BuildsPart

_MOST_VALUES = 3


class PreviewsPart(BuildsPart):
    """The part of a workspace that shows what its endpoints would answer."""

    def preview(self, endpoint: str, status: RollupStatus | None = None) -> Preview:
        """What an endpoint answers of the newest events that are built.

        Nothing is read from a source, and nothing is noted: it may be looked at as often as one likes.

        Parameters
        ----------
        endpoint
            Its name, or its id.
        status
            What is built of the filter that it asks, where that is known already.

        Raises
        ------
        NotFoundError
            There is no such endpoint.
        NotCoveredError
            What it is about is not built.
        """
        declared = self._declarations
        found = declared.find("endpoint", endpoint) or declared.by_id("endpoint", endpoint)
        if found is None:
            raise NotFoundError("endpoint", endpoint, declared.all("endpoint"))
        spec: Endpoint = found.spec
        _, of = declared.asked(spec)
        end_us, values = self._asked_for(spec, of, status)
        posed = self._posing.pose(endpoint, end_us, values, live=False)
        return Preview(end_us, values, self._seen(posed), posed.fingerprint or "")

    def _asked_for(
        self, spec: Endpoint, of: AskedOf, status: RollupStatus | None = None
    ) -> tuple[Micros, dict[str, tuple[GroupingValue, ...]]]:
        """The end and the values of Query Time groupings with which an endpoint is shown."""
        built = status or self._status_for(spec, of)
        end_us = _end(spec, of, built, self._clock())
        values = {
            name: self._values(spec, of, name, _start(spec, of, end_us), end_us)
            for name, choice in choices(spec, of).items()
            if isinstance(choice, QueryTime)
        }
        return end_us, values

    def _status_for(self, spec: Endpoint, of: AskedOf) -> RollupStatus:
        """What is built for an endpoint: of a task or a cube, of the rollup that can answer and reaches furthest."""
        if not isinstance(of, Askable):
            return self._status(self._targets.get(f"filter {of.name}"))
        need = self._saved(spec, of).need
        owner, _ = self._declarations.asked(spec)
        able = [t for t in self._targets.of_owner(owner.id).values() if not miss(t.rollup, need)]
        found = [status for status in map(self._status, able) if status.covered]
        if not found:
            raise NotCoveredError(f"nothing of {title_of(of)} is built yet that answers it")
        return max(found, key=lambda status: list(status.covered)[-1].end)

    def _saved(self, spec: Endpoint, of: Askable) -> SavedInquiry:
        return SavedInquiry.of_draft(spec, of, self._source(of.source))

    def _seen(self, posed: Posed) -> Answer:
        if posed.is_live:
            raise NotCoveredError(f"{posed.name!r} is about a time that is not built yet")
        return self._serving.glance(posed)

    def _values(
        self, spec: Endpoint, of: AskedOf, grouping: str, start_us: Micros, end_us: Micros
    ) -> tuple[GroupingValue, ...]:
        """The first values of a grouping; none at all are a missing one."""
        if isinstance(of, Askable):
            saved = SavedInquiry.of_values(spec, of, self._source(of.source), grouping)
            window = Interval.of(of.interval).starting(start_us, end_us, of.zone)
            assert window is not None  # noqa: S101 - a duration has a bucket
            posed = self._posing.pose_inquiry(saved, saved.within(window, live=False))
        else:
            asked = GroupingQuestion(grouping, start_us, end_us, {})
            posed = self._posing.pose_to_filter(of.name, lambda of: asked.question(of, live=False))
        values = dict.fromkeys(self._seen(posed).groupings[grouping])
        return tuple(values)[:_MOST_VALUES] or (None,)


def _end(spec: Endpoint, of: AskedOf, built: RollupStatus, now_us: Micros) -> Micros:
    """The end of the newest whole bucket that is built; of the last events, where these are of long ago."""
    if not built.covered:
        raise NotCoveredError(f"nothing of {title_of(of)} is built yet")
    zone, width, until_us = of.zone, Interval.of(of.interval), list(built.covered)[-1].end
    newest = width.floor(until_us, zone)
    if built.events is not None and built.events.start >= newest:
        raise NotCoveredError(
            f"all events of {title_of(of)} are in the bucket that is still filling"
            if now_us < width.next(newest, zone)
            else f"{title_of(of)} is not built since {instant(until_us)} UTC, within the first bucket with events"
        )
    if built.events is None or built.events.end > _start(spec, of, newest):
        return newest
    # Moved on by the offset, which moves it back.
    offset_us = newest - Duration.of(spec.timing.offset).before(newest, zone)
    return built.events.end + offset_us


def _start(spec: Endpoint, of: AskedOf, end_us: Micros) -> Micros:
    until_us = Duration.of(spec.timing.offset).before(end_us, of.zone)
    return Duration.of(spec.timing.duration).before(until_us, of.zone)
