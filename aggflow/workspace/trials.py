"""Trials of a workspace: what drafts of filters and endpoints would answer; nothing is kept or noted."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property

from aggflow.engine.shape import Shape
from aggflow.engine.trial import Trial, Trials
from aggflow.engine.wish import Wish
from aggflow.errors import NotCoveredError
from aggflow.spec.askable import Askable
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.fit import AskedOf
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
            Its filter, where that is a draft, too; by default what it asks as it is stored.
        wish
            Whether all events are to be read; may be withdrawn.

        Raises
        ------
        NotFoundError
            What it asks is not there, or its source.
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
        _, asked = self._declarations.asked(draft)
        tried = self._of_states(draft, asked)
        if tried is not None:
            return tried
        if isinstance(asked, Askable):
            return self._trials.answer_of_inquiry(draft, asked, self._clock(), wish)
        return self._trials.answer(draft, asked, wish)

    def _of_states(self, draft: Endpoint, of: AskedOf) -> Trial | None:
        """What it answers of what is built; None where that is not enough."""
        started = time.perf_counter()
        try:
            end_us, values = self._asked_for(draft, of)
            if isinstance(of, Askable):
                saved = self._saved(draft, of)
                inquiry = saved.inquiry(end_us, self._clock(), values, live=False)
                posed = self._posing.pose_inquiry(saved, inquiry)
            else:
                posed = self._posing.pose_to_filter(
                    of.name, lambda stored: Shape.of(draft, stored).ask(end_us, values, live=False)
                )
            answer = self._seen(posed)
        except NotCoveredError:
            return None
        milliseconds = (time.perf_counter() - started) * 1000
        explanation = replace(answer.explanation, milliseconds=milliseconds)
        return Trial(replace(answer, name=draft.name, explanation=explanation), 0)
