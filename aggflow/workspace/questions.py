"""Questions to a workspace: what is asked, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aggflow.catalog import Mark
from aggflow.engine.answer import Answer
from aggflow.engine.definition_kind import KindName
from aggflow.engine.explanation import Explanation
from aggflow.engine.filter_question import FilterQuestion
from aggflow.engine.grouping_question import GroupingQuestion
from aggflow.engine.posed import Posed
from aggflow.engine.shape import QuestionError
from aggflow.errors import NotFoundError, QueryError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.choice import AnyChoice
from aggflow.spec.endpoint import SERIES_ROWS, Sort
from aggflow.spec.field import Field
from aggflow.timeline import BEGINNING, Window, Zone, parse_instant
from aggflow.workspace.foundation import Foundation, Instant

# How what is no endpoint is asked.
_ASKED: Final[dict[KindName, str]] = {
    "filter": "an endpoint asks it, add_endpoint(…, filter={!r}, …)",
    "task": "ask_task({!r})",
    "cube": "ask_cube({!r})",
}


class QuestionsPart(Foundation):
    """The part of a workspace that answers."""

    def query(
        self,
        endpoint: str,
        *,
        end: Instant | None = None,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a saved question.

        Parameters
        ----------
        endpoint
            Its name, or its id.
        end
            The end of the question; now by default.
        grouping_filters
            By grouping, the values of its Query Time groupings.
        live
            Whether what is not built may be read from the source; without it, a gap is an error.

        Raises
        ------
        NotFoundError
            There is no such endpoint.
        QueryError
            The question does not fit the endpoint, or cannot be answered.
        SourceError
            A live part was needed, and the source cannot be read.
        """
        try:
            posed = self.pose(endpoint, end=end, grouping_filters=grouping_filters, live=live)
        except QuestionError as error:
            raise error.named({"groupingFilters": "grouping_filters"}) from None
        except NotFoundError as error:
            if error.kind == "endpoint":
                error.hint = self._hint_of(endpoint) or error.hint
            raise
        return self._serving.answer(posed)

    def _hint_of(self, name: str) -> str:
        """How what has a name and is no endpoint is asked; empty where nothing has it."""
        for kind, how in _ASKED.items():
            if self._declarations.find(kind, name) is not None:
                return f"{name!r} is a {kind}: {how.format(name)}"
        return ""

    def pose(
        self,
        endpoint: str,
        *,
        end: Instant | None = None,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        live: bool = True,
        wait: bool = True,
        as_of: Mark | None = None,
    ) -> Posed:
        """Pose a saved question without answering it yet: its fingerprint tells whether the answer changed.

        Parameters
        ----------
        endpoint, end, grouping_filters, live
            As :meth:`query` takes them.
        wait
            Whether the catalog may be read for it, but for generations.
        as_of
            What :meth:`Home.mark` gave when it came in; None to look for changes now.

        Raises
        ------
        NotFoundError
            There is no such endpoint.
        QueryError
            The question does not fit the endpoint.
        NotAtHandError
            It would have to wait.
        """
        end_us = self._clock() if end is None else parse_instant(end)
        return self._posing.pose(endpoint, end_us, grouping_filters, live=live, wait=wait, as_of=as_of)

    def answer(self, posed: Posed, *, wait: bool = True) -> Answer:
        """Answer a question that was posed.

        Parameters
        ----------
        posed
            The question.
        wait
            Whether it may read segments and the source, and merge any number of cells; without that, an
            answer takes a few milliseconds at most.

        Raises
        ------
        QueryError
            It cannot be answered.
        SourceError
            A live part was needed, and the source cannot be read.
        NotAtHandError
            It would have to wait.
        """
        return self._serving.answer(posed, wait=wait)

    def note(self, posed: Posed, explanation: Explanation) -> None:
        """Note that a question was answered by what is kept of its answer outside of the workspace.

        Parameters
        ----------
        posed
            The question.
        explanation
            Of the answer when it was computed.
        """
        self._serving.note(posed, explanation)

    def ask_filter(
        self,
        filter: str,  # noqa: A002 - the field's word
        fields: Sequence[Field],
        *,
        start: Instant,
        end: Instant | None = None,
        groupings: Mapping[str, AnyChoice] | None = None,
        interval: str | None = None,
        include_incomplete: bool = True,
        sort: Sequence[Sort] = (),
        limit: int | None = None,
        per_bucket: int | None = None,
        exclude_empty: bool = False,
        live: bool = True,
    ) -> Answer:
        """Ask a filter directly, without an endpoint.

        Parameters
        ----------
        filter
            Its name, or its id.
        fields
            What is returned.
        start, end
            The buckets that start in between count, each with all of its events; the end is now by default.
        groupings
            A choice a grouping, as an endpoint's; those not named are aggregated.
        interval
            Of a series; None for one total.
        include_incomplete
            Whether the bucket counts that the end, or the present where that is earlier, lies in.
        sort
            The order, as an endpoint's.
        limit, per_bucket
            How many rows at most, None for 1000 of a total and all of a series; how many of each bucket.
        exclude_empty
            Whether rows are left out in which a returned grouping has no value, or an empty text.
        live
            Whether what is not built may be read from the source; without it, a gap is an error.

        Raises
        ------
        NotFoundError
            There is no such filter.
        SpecError
            The question does not fit the filter.
        QueryError
            It cannot be answered.
        SourceError
            A live part was needed, and the source cannot be read.
        """
        now_us = self._clock()
        asked = FilterQuestion(
            parse_instant(start),
            now_us if end is None else parse_instant(end),
            fields,
            groupings or {},
            interval,
            include_incomplete,
            sort,
            limit,
            per_bucket,
            exclude_empty,
        )
        posed = self._posing.pose_to_filter(filter, lambda of: asked.question(of, now_us, live=live))
        return self._serving.answer(posed)

    def grouping_values(
        self,
        filter: str,  # noqa: A002 - the word of what it is
        grouping: str,
        *,
        start: Instant,
        end: Instant | None = None,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        live: bool = True,
    ) -> list[GroupingValue]:
        """The values of a filter's grouping that have events.

        Parameters
        ----------
        filter, grouping
            Names or paths.
        start, end
            The buckets that start in between count; the end is now by default.
        grouping_filters
            By grouping, the values to keep.
        live
            Whether what is not built may be read from the source.

        Returns
        -------
        list
            In ascending order, a missing value last.

        Raises
        ------
        NotFoundError
            There is no such filter.
        QueryError
            The filter has no such grouping, or the question cannot be answered.
        SourceError
            A live part was needed, and the source cannot be read.
        """
        end_us = self._clock() if end is None else parse_instant(end)
        filters = {name: tuple(values) for name, values in (grouping_filters or {}).items()}
        asked = GroupingQuestion(grouping, parse_instant(start), end_us, filters)
        answer = self._serving.answer(
            self._posing.pose_to_filter(filter, lambda of: asked.question(of, live=live))
        )
        (values,) = answer.groupings.values()
        if len(values) > SERIES_ROWS:
            raise QueryError(
                f"the grouping has {len(values):,} values; at most {SERIES_ROWS:,} are answered",
                hint="shorten the time, or filter another grouping",
            )
        return list(values)

    def linq(
        self,
        text: str,
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        time_zone: str = "UTC",
        live: bool = True,
    ) -> Answer:
        """Ask a question in LINQ, answered from a rollup that covers it, or from the source.

        Parameters
        ----------
        text
            Such as ``from flights where origin = "LGA" group every 1h by carrier select avg(delay)``;
            the table is a source.
        start, end
            Events count from the start on and before the end, whether or not a bucket begins there; by
            default from the first event on, until now.
        time_zone
            The zone whose calendar buckets of a day and longer follow.
        live
            Whether what no rollup covers may be read from the source; without it, a gap is an error.

        Returns
        -------
        Answer
            A row a key and bucket that has events; one row without either.

        Raises
        ------
        ParseError
            The text is no such query; with the place.
        QueryError
            The end is not after the start, or a part is not built and ``live`` is false.
        SourceError
            The source cannot be read.
        """
        start_us = BEGINNING if start is None else parse_instant(start)
        end_us = self._clock() if end is None else parse_instant(end)
        window = Window.between(start_us, end_us)
        return self._serving.inquire(self._readings.inquiry(text, window, Zone.of(time_zone), live=live))
