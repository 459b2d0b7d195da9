"""Questions to a workspace: what is asked, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggflow.engine.answer import Answer
from aggflow.errors import QueryError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.timeline import BEGINNING, Window, Zone, parse_instant
from aggflow.workspace.foundation import Foundation, Instant


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
        end_us = self._clock() if end is None else parse_instant(end)
        return self._serving.answer(endpoint, end_us, grouping_filters, live=live)

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
        if start_us >= end_us:
            raise QueryError("the question ends before it begins", hint="start is before end")
        window = Window(start_us, end_us)
        return self._serving.inquire(self._readings.inquiry(text, window, Zone.of(time_zone), live=live))
