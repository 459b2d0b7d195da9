"""Previews of a workspace: what its endpoints answer of what is built, without asking a source."""

from __future__ import annotations

from aggflow.engine.answer import Answer
from aggflow.engine.grouping_question import GroupingQuestion
from aggflow.engine.posed import Posed
from aggflow.engine.preview import Preview
from aggflow.engine.status import RollupStatus
from aggflow.errors import NotCoveredError, NotFoundError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.choice import QueryTime
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.fit import choices
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
            What is built of its filter, where that is known already.

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
        of: Filter = declared.get("filter", spec.filter).spec
        end_us, values = self._asked_for(spec, of, status)
        posed = self._serving.pose(endpoint, end_us, values, live=False)
        return Preview(end_us, values, self._seen(posed), posed.fingerprint or "")

    def _asked_for(
        self, spec: Endpoint, of: Filter, status: RollupStatus | None = None
    ) -> tuple[Micros, dict[str, tuple[GroupingValue, ...]]]:
        """The end and the values of Query Time groupings with which an endpoint is shown."""
        built = status or self._status(self._targets.get(f"filter {of.name}"))
        end_us = _end(spec, of, built)
        values = {
            name: self._values(of, name, _start(spec, of, end_us), end_us)
            for name, choice in choices(spec, of).items()
            if isinstance(choice, QueryTime)
        }
        return end_us, values

    def _seen(self, posed: Posed) -> Answer:
        if posed.is_live:
            raise NotCoveredError(f"{posed.name!r} is about a time that is not built yet")
        return self._serving.glance(posed)

    def _values(
        self, of: Filter, grouping: str, start_us: Micros, end_us: Micros
    ) -> tuple[GroupingValue, ...]:
        """The first values of a grouping; none at all are a missing one."""
        asked = GroupingQuestion(grouping, start_us, end_us, {})
        posed = self._serving.pose_to_filter(of.name, lambda of: asked.question(of, live=False))
        (values,) = self._seen(posed).groupings.values()
        return tuple(values[:_MOST_VALUES]) or (None,)


def _end(spec: Endpoint, of: Filter, built: RollupStatus) -> Micros:
    """The end of the newest whole bucket that is built; of the last events, where these are of long ago."""
    if not built.covered:
        raise NotCoveredError(f"nothing of filter {of.name!r} is built yet")
    zone = of.zone
    newest = Interval.of(of.interval).floor(list(built.covered)[-1].end, zone)
    if built.events is not None and built.events.start >= newest:
        raise NotCoveredError(f"all events of filter {of.name!r} are in the bucket that is still filling")
    if built.events is None or built.events.end > _start(spec, of, newest):
        return newest
    # Moved on by the offset, which moves it back.
    offset_us = newest - Duration.of(spec.timing.offset).before(newest, zone)
    return built.events.end + offset_us


def _start(spec: Endpoint, of: Filter, end_us: Micros) -> Micros:
    until_us = Duration.of(spec.timing.offset).before(end_us, of.zone)
    return Duration.of(spec.timing.duration).before(until_us, of.zone)
