"""A filter: a named rollup that endpoints read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from aggflow.errors import NotFoundError, Problem, did_you_mean
from aggflow.language import canonical_subject
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.declaration import Declared, Many, declaration
from aggflow.spec.grouping import Grouping, GroupingText
from aggflow.spec.text import IntervalText, Name, PredicateText, ZoneText
from aggflow.timeline import Interval, Zone

SMALLEST_SECONDS = 30
MOST_GROUPINGS = 10
MOST_AGGREGATIONS = 10


@declaration
class Filter(Declared):
    """A named rollup: which events, at which grain, and what is computed of them.

    Attributes
    ----------
    name
        Its name in the workspace.
    source
        Name of the source.
    interval
        Width of a bucket, 30 seconds to 100 years (``1h``, ``13m``, ``1d``, ``1mo``).
    where
        A predicate in JPath; empty for all events.
    groupings
        At most ten, each a path or ``{path, alias}``.
    aggregations
        One to ten.
    time_zone
        The zone whose calendar buckets of a day and longer follow.
    description
        For people.
    """

    name: Name
    source: Name
    interval: IntervalText
    where: PredicateText = ""
    groupings: Many[GroupingText] = ()
    aggregations: Many[Aggregation] = (Aggregation("events"),)
    time_zone: ZoneText = "UTC"
    description: str = ""

    def problems(self) -> Iterator[Problem]:
        """Width, counts, duplicates, and sketch groupings that the filter lacks."""
        if Interval.of(self.interval).seconds_at_most < SMALLEST_SECONDS:
            yield Problem("interval", f"the interval is shorter than {SMALLEST_SECONDS} seconds")
        if len(self.groupings) > MOST_GROUPINGS:
            yield Problem(
                "groupings", f"{len(self.groupings)} groupings; at most {MOST_GROUPINGS} are allowed"
            )
        if not 1 <= len(self.aggregations) <= MOST_AGGREGATIONS:
            yield Problem(
                "aggregations",
                f"{len(self.aggregations)} aggregations; 1 to {MOST_AGGREGATIONS} are allowed",
            )
        yield from _duplicates("groupings", [grouping.name for grouping in self.groupings])
        named = {grouping.name: canonical_subject(grouping.path) for grouping in self.groupings}
        yield from _duplicates("groupings", named.values())
        yield from _duplicates("aggregations", [aggregation.name for aggregation in self.aggregations])
        known = {text for grouping in self.groupings for text in (grouping.path, grouping.name)}
        for i, aggregation in enumerate(self.aggregations):
            for name in aggregation.sketch_groupings or ():
                if name not in known:
                    path = f"aggregations[{i}].sketch_groupings"
                    yield Problem(path, f"the filter has no grouping {name!r}", did_you_mean(name, known))

    @property
    def zone(self) -> Zone:
        """The zone whose calendar its buckets follow."""
        return Zone.of(self.time_zone)

    def grouping(self, name: str) -> Grouping:
        """The grouping of a name or path.

        Raises
        ------
        NotFoundError
            There is none.
        """
        for grouping in self.groupings:
            if name in (grouping.name, grouping.path):
                return grouping
        raise NotFoundError("grouping", name, [grouping.name for grouping in self.groupings])

    def aggregation(self, name: str) -> Aggregation:
        """The aggregation of a name.

        Raises
        ------
        NotFoundError
            There is none.
        """
        for aggregation in self.aggregations:
            if aggregation.name == name:
                return aggregation
        raise NotFoundError("aggregation", name, [aggregation.name for aggregation in self.aggregations])


def _duplicates(path: str, names: Iterable[str]) -> Iterator[Problem]:
    for name, times in Counter(names).items():
        if times > 1:
            yield Problem(path, f"{name!r} stands here {times} times; names are unique")
