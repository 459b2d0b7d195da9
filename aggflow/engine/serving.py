"""Serving: answers posed questions, keeping what they share between one request and the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from aggflow.engine.answer import Answer
from aggflow.engine.answerer import Answerer
from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.bucket_sums import BucketSums
from aggflow.engine.columns import Columns
from aggflow.engine.declarations import Declarations
from aggflow.engine.explanation import Explanation
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.kept_answer import KeptAnswer
from aggflow.engine.open_bucket import open_from
from aggflow.engine.plan import Need, Piece
from aggflow.engine.posed import Posed, need_of
from aggflow.engine.posing import Posing
from aggflow.engine.question import Question
from aggflow.engine.question_log import QuestionLog
from aggflow.engine.reader import OpenRows, Reader, Trace
from aggflow.engine.recipe import Recipe
from aggflow.engine.recipes import Recipes
from aggflow.engine.reductions import Merged, Reductions
from aggflow.engine.shape import checked_rows
from aggflow.engine.tail import Tails
from aggflow.engine.target import Target
from aggflow.engine.targets import Targets
from aggflow.engine.version import Version
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import Resident
from aggflow.timeline import ALWAYS, Micros, WindowSet


class Serving:
    """Answers questions of a workspace.

    Parameters
    ----------
    posing
        Finds what answers those that are not posed.
    declarations, targets
        What is declared and built.
    resident, tails, reductions
        States in memory.
    answer_bytes
        Bytes of answers to keep at most.
    log
        Notes what is asked.
    draw
        Makes charts of answers.
    clock
        Now, in microseconds.
    """

    def __init__(
        self,
        posing: Posing,
        declarations: Declarations,
        targets: Targets,
        resident: Resident,
        tails: Tails,
        reductions: Reductions[Merged],
        answer_bytes: int,
        log: QuestionLog,
        draw: Callable[..., Any],
        clock: Callable[[], Micros],
    ) -> None:
        self._posing = posing
        self._declarations = declarations
        self._targets = targets
        self._resident = resident
        self._tails = tails
        self._sums = BucketSums(reductions)
        self._answers: Reductions[KeptAnswer] = Reductions(answer_bytes)
        self._log = log
        self._draw = draw
        self._clock = clock
        self._recipes = Recipes(reductions)

    def answer(self, posed: Posed, *, wait: bool = True) -> Answer:
        """The answer to a question.

        Parameters
        ----------
        posed
            The question.
        wait
            Whether it may take its time: read segments and the source, and merge any number of cells.

        Raises
        ------
        QueryError
            It cannot be answered.
        SourceError
            The source was needed, and cannot be read.
        NotAtHandError
            It would take its time.
        """
        started = time.perf_counter()
        kept = self._answers.get(self._key(posed), lambda: self._answered(posed, started, wait=wait))
        answer = kept.answer
        if kept.started != started:
            milliseconds = (time.perf_counter() - started) * 1000
            answer = replace(answer, explanation=replace(answer.explanation, milliseconds=milliseconds))
        self._note(posed, answer.explanation, answer.explanation.milliseconds)
        return answer

    def _key(self, posed: Posed) -> Hashable | None:
        # Where nothing is kept, nothing has to be named.
        return posed.key if self._answers.budget else None

    def note(self, posed: Posed, explanation: Explanation) -> None:
        """Note that a question was asked whose answer was there, in the form in which it is given out.

        Parameters
        ----------
        posed
            The question.
        explanation
            Of the answer when it was computed.
        """
        self._note(posed, explanation, 0.0)

    def _note(self, posed: Posed, explanation: Explanation, milliseconds: float) -> None:
        shape = posed.asked or AskedShape.of(posed.name, posed.need)
        self._log.note_shape(shape, posed.distinct_windows, explanation, milliseconds)

    def glance(self, posed: Posed) -> Answer:
        """The answer to a question that nobody asked: it is not noted, so that nothing is advised by it."""
        started = time.perf_counter()
        return self._answers.get(self._key(posed), lambda: self._answered(posed, started, wait=True)).answer

    def _answered(self, posed: Posed, started: float, *, wait: bool) -> KeptAnswer:
        answer = self._by_recipe(posed, started) or self._found_out(posed, started, wait=wait)
        for values in answer.fields.values():
            # Whoever asks the same gets the same arrays.
            values.data.flags.writeable = False
        return KeptAnswer(answer, started)

    def _by_recipe(self, posed: Posed, started: float) -> Answer | None:
        """The answer, where it is known how it is made."""
        made = self._recipes.made(posed)
        if made is None:
            return None
        columns, trace = made
        explanation = self._explanation(posed.rollup, trace, columns.cut, posed.find_need, started)
        return Answer(posed.name, None, {}, columns.fields, columns.count, explanation, self._draw, None)

    def _found_out(self, posed: Posed, started: float, *, wait: bool) -> Answer:
        """The answer, however it has to be made; how it was is kept, where the next can be made alike."""
        question, version = posed.question, posed.version
        reader = self._reader(posed.source, wait=wait)
        answerer = Answerer(question, posed.pieces, reader.vocabularies(version), reader, self._sums)
        columns = answerer.columns()
        checked_rows(question, columns.count)
        self._recipes.keep(posed, Recipe.of(question, answerer.forms, answerer.kinds))
        # Windows may cut the last bucket.
        until = min(self._clock(), question.windows[-1].end)
        return self._answer(
            posed.name, posed.rollup, question, columns, reader, version, posed.find_need, until, started
        )

    def inquire(self, inquiry: Inquiry) -> Answer:
        """The answer to an ad hoc question, from the best rollup of the source, or the source itself.

        Raises
        ------
        QueryError
            It cannot be answered.
        SourceError
            The source was needed, and cannot be read.
        """
        started = time.perf_counter()
        route = self._posing.route(inquiry)
        reader = self._reader(inquiry.source)
        question = route.inquiry.question
        columns = Answerer(
            question, route.pieces, reader.vocabularies(route.version), reader, self._sums
        ).columns()
        rollup = route.name or f"source {inquiry.source.name}"
        # Its windows cut buckets.
        until = min(self._clock(), question.windows[-1].end)
        answer = self._answer(
            inquiry.name,
            rollup,
            question,
            columns,
            reader,
            route.version,
            lambda: inquiry.need,
            until,
            started,
        )
        self._log.note(inquiry.name, inquiry.need, answer.explanation)
        return answer

    def attempt(self, name: str, of: Filter, question: Question, open_rows: OpenRows) -> Answer:
        """The answer that events give to a question to a filter, stored or not; it is not noted or kept.

        Parameters
        ----------
        name
            What the answer is called.
        of, question
            The filter, and what is asked of it.
        open_rows
            Opens the events.

        Raises
        ------
        QueryError
            It cannot be answered.
        SourceError
            The events cannot be read.
        """
        version = Version("", 0, rollup_of(of), None, ALWAYS)
        return self._attempted(name, f"filter {of.name}", question, version, need_of(of, question), open_rows)

    def attempt_inquiry(self, inquiry: Inquiry, open_rows: OpenRows) -> Answer:
        """The answer that events alone give to an ad hoc question; it is not noted or kept.

        Raises
        ------
        QueryError
            It cannot be answered.
        SourceError
            The events cannot be read.
        """
        version, rollup = inquiry.version(""), f"source {inquiry.source.name}"
        return self._attempted(inquiry.name, rollup, inquiry.question, version, inquiry.need, open_rows)

    def _attempted(
        self,
        name: str,
        rollup: str,
        question: Question,
        version: Version,
        need: Need,
        open_rows: OpenRows,
    ) -> Answer:
        started = time.perf_counter()
        reader = Reader(self._resident, Tails(0), open_rows)
        columns = Answerer(
            question,
            lambda window: (Piece(version, window, None),),
            reader.vocabularies(version),
            reader,
            self._sums,
        ).columns()
        checked_rows(question, columns.count)
        until = self._clock()
        return self._answer(name, rollup, question, columns, reader, version, lambda: need, until, started)

    def _reader(self, source: Source, *, wait: bool = True) -> Reader:
        return Reader(self._resident, self._tails, lambda: self._declarations.open(source), wait=wait)

    def _answer(
        self,
        name: str,
        rollup: str,
        question: Question,
        columns: Columns,
        reader: Reader,
        version: Version,
        find_need: Callable[[], Need],
        until: Micros,
        started: float,
    ) -> Answer:
        """The answer of columns, with the reason for it."""
        vocabularies = reader.vocabularies(version)
        return Answer(
            name=name,
            buckets=None if columns.buckets is None else tuple(columns.buckets.tolist()),
            groupings={
                grouping: tuple(vocabularies[path].decode(columns.codes[path]))
                for grouping, path in question.groupings.items()
            },
            fields=columns.fields,
            count=columns.count,
            explanation=self._explanation(rollup, reader.trace, columns.cut, find_need, started),
            draw=self._draw,
            open_from=None
            if columns.buckets is None or question.series is None
            else open_from(columns.buckets, question.series, question.zone, until),
        )

    def _explanation(
        self, rollup: str, trace: Trace, cut: int, find_need: Callable[[], Need], started: float
    ) -> Explanation:
        def targets() -> list[Target]:
            return self._targets.of_source(find_need().source)

        return Explanation(
            rollup=rollup,
            find_candidates=lambda: self._posing.router.candidates(find_need(), targets()),
            find_events=lambda: self._posing.router.events(find_need(), targets()),
            stored=WindowSet(trace.stored),
            live=WindowSet(trace.live),
            segments=len(trace.files),
            cells=sum(trace.cells.values()),
            rows=trace.rows,
            statements=tuple(trace.sql),
            tail_age=trace.tail_age,
            milliseconds=(time.perf_counter() - started) * 1000,
            source_milliseconds=trace.live_seconds * 1000,
            cut=cut,
        )

    def close(self) -> None:
        """Wait for what is computed ahead."""
        self._tails.close()
