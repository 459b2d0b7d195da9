"""Questions to a workspace: what is asked, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggflow.engine.answer import Answer
from aggflow.measures.vocabulary import GroupingValue
from aggflow.timeline import parse_instant
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
