"""A grouping question: which values of a filter's groupings have events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aggflow.engine.question import Asked, Question
from aggflow.engine.shape import QuestionError
from aggflow.errors import Problem, QueryError
from aggflow.language import canonical_subject
from aggflow.measures.registry import StateKey, measure_of, state_key
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.calculation import Calculation
from aggflow.spec.filter import Filter
from aggflow.spec.fit import grouping_problems
from aggflow.spec.rollup import rollup_of
from aggflow.timeline import Interval, Micros, Window, format_instant


@dataclass(frozen=True)
class GroupingQuestion:
    """What is asked.

    Attributes
    ----------
    grouping
        By name or path, the grouping whose values are wanted.
    start_us, end_us
        The buckets that start in between count.
    filters
        By name or path, the values to keep of any grouping.
    """

    grouping: str
    start_us: Micros
    end_us: Micros
    filters: Mapping[str, tuple[GroupingValue, ...]]

    def question(self, of: Filter, *, live: bool) -> Question:
        """The question to a filter's rollup; only the groups of its answer are of use, not the field.

        Raises
        ------
        QuestionError
            The filter has no such grouping, or keeps nothing by it.
        QueryError
            No bucket starts in the time that is asked for.
        """
        problems = [*grouping_problems([self.grouping], of), *grouping_problems(self.filters, of)]
        if problems:
            raise QuestionError(f"the question to filter {of.name!r}", problems)
        interval = Interval.of(of.interval)
        window = interval.starting(self.start_us, self.end_us, of.zone)
        if window is None:
            span = f"between {format_instant(self.start_us)} and {format_instant(self.end_us)}"
            raise QueryError(f"no bucket of {interval} starts {span}", hint="move the start or the end")
        grouping = of.grouping(self.grouping)
        question = Question(
            fields=(),
            groupings={grouping.name: canonical_subject(grouping.path)},
            filters={canonical_subject(of.grouping(n).path): values for n, values in self.filters.items()},
            zone=of.zone,
            live=live,
        )
        return replace(question, fields=(self._field(question, of, window),))

    def _field(self, question: Question, of: Filter, window: Window) -> Asked:
        rollup = rollup_of(of)
        keys = {state_key(kept, rollup): kept.calculation for kept in rollup.kept}
        if any(key.groupings == rollup.groupings for key in keys):
            # Its cells are there, whether or not they count rows; where they do not, the field is null.
            rows = StateKey(measure_of(Calculation.COUNT).name, "", "", rollup.groupings)
            return Asked("rows", rows, Calculation.COUNT, None, window)
        for key, calculation in keys.items():
            if question.paths <= set(key.groupings):
                return Asked("rows", key, calculation, "0.5", window)
        problem = Problem("grouping", f"the filter keeps nothing by {self.grouping!r}")
        raise QuestionError(f"the question to filter {of.name!r}", [problem])
