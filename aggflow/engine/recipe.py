"""A recipe: how a total is made of the bucket sums of one segment, so that it has to be found out once.

An endpoint is asked about one window after the other, and most lie in the same segment as the one before:
the same sums are cut, merged and finished.  The answerer finds out which; a recipe says it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from aggflow.engine.columns import Columns
from aggflow.engine.question import Asked, Question
from aggflow.engine.reader import run_of
from aggflow.engine.reductions import Merged, Reductions
from aggflow.measures.kind import Kind
from aggflow.measures.registry import MEASURES, StateKey
from aggflow.measures.state import Groups, State
from aggflow.timeline import Window


@dataclass(frozen=True)
class Recipe:
    """How a total is made.

    Attributes
    ----------
    sums
        By the name of bucket sums, the states that are taken from them.
    fields
        The values asked for, in the order of the answer.
    kinds
        The kind of each state's field.
    """

    sums: Mapping[Hashable, tuple[StateKey, ...]]
    fields: tuple[Asked, ...]
    kinds: Mapping[StateKey, Kind]

    @classmethod
    def of(
        cls,
        question: Question,
        forms: Mapping[StateKey, Sequence[Hashable | None]],
        kinds: Mapping[StateKey, Kind],
    ) -> Self | None:
        """The recipe of a question that was answered, for any other window; None where it takes more than that.

        Parameters
        ----------
        question
            What was asked.
        forms
            By state, the names of the bucket sums of all parts that it was made of; None of a part
            that was made of something else.
        kinds
            The kind of each state's field.
        """
        if not _is_plain(question):
            return None
        sums: dict[Hashable, tuple[StateKey, ...]] = {}
        for key in question.keys:
            names = forms.get(key, ())
            if len(names) != 1 or names[0] is None:
                return None
            sums[names[0]] = (*sums.get(names[0], ()), key)
        return cls(sums, question.fields, dict(kinds))

    def columns(self, kept: Reductions[Merged], window: Window) -> tuple[Columns, int] | None:
        """The total, and how many sums it was merged of; None where it takes more than the sums in memory.

        Parameters
        ----------
        kept
            The bucket sums in memory.
        window
            The buckets.
        """
        states: dict[StateKey, State] = {}
        read = 0
        for name, keys in self.sums.items():
            found = kept.find(name)
            if found is None:
                return None
            start, stop = run_of(found.cells, window)
            if start == stop or not found.cells.states.keys() >= set(keys):
                return None
            groups = Groups.single(stop - start)
            read += stop - start
            for key in keys:
                own = {part: column[start:stop] for part, column in found.cells.states[key].items()}
                states[key] = MEASURES[key.measure].merge(own, groups, self.kinds[key])
        return Columns(
            None, {}, {asked.name: asked.finished(states, self.kinds) for asked in self.fields}, 1
        ), read


def _is_plain(question: Question) -> bool:
    """Whether it asks for one row, of one window, of all events, as it is stored."""
    told_apart = question.groupings or question.series is not None
    selected = question.filters or question.conditions
    computed = question.outputs or any(asked.key is None or asked.zero for asked in question.fields)
    return not (told_apart or selected or computed) and len(question.windows) == 1
