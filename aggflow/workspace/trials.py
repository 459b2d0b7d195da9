"""Trials of a workspace: what drafts of filters and endpoints would answer; nothing is kept or noted."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property

from aggflow.engine.shape import Shape
from aggflow.engine.trial import Trial, Trials
from aggflow.engine.wish import Wish
from aggflow.errors import NotCoveredError
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.workspace.previews import PreviewsPart


class TrialsPart(PreviewsPart):
    """The part of a workspace that tries drafts."""

    @cached_property
    def _trials(self) -> Trials:
        return Trials(self._declarations, self._serving)

    def try_endpoint(self, draft: Endpoint, of: Filter | None = None, wish: Wish | None = None) -> Trial:
        """What an endpoint would answer of the newest events, before it is saved.

        From what is built, where that is enough; else from a sample of the source's events, or from all
        of them where the wish is for that.

        Parameters
        ----------
        draft
            The endpoint.
        of
            Its filter, where that is a draft, too; by default the one that is stored.
        wish
            Whether all events are to be read; may be withdrawn.

        Raises
        ------
        NotFoundError
            There is no such filter or source.
        QueryError
            It cannot be answered; NotCoveredError where the source has no events.
        SourceError
            The source cannot be read.
        CancelledError
            The wish was withdrawn.
        """
        wish = wish or Wish()
        if of is not None:
            return self._trials.answer(draft, of, wish)
        stored = self.filters[draft.filter].spec
        return self._of_states(draft, stored) or self._trials.answer(draft, stored, wish)

    def _of_states(self, draft: Endpoint, of: Filter) -> Trial | None:
        """What it answers of what is built; None where that is not enough."""
        started = time.perf_counter()
        try:
            end_us, values = self._asked_for(draft, of)
            posed = self._serving.pose_to_filter(
                of.name, lambda stored: Shape.of(draft, stored).ask(end_us, values, live=False)
            )
            answer = self._seen(posed)
        except NotCoveredError:
            return None
        milliseconds = (time.perf_counter() - started) * 1000
        explanation = replace(answer.explanation, milliseconds=milliseconds)
        return Trial(replace(answer, name=draft.name, explanation=explanation), 0)
