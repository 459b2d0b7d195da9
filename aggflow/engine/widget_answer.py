"""A widget answer: the rows of a widget query, with when they were computed and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from aggflow.engine.answer import Answer
from aggflow.engine.explanation import Explanation
from aggflow.engine.widget_question import KEY, SECONDARY, VALUE
from aggflow.measures.vocabulary import canonical
from aggflow.spec.widget import WidgetQuery
from aggflow.timeline import Micros, format_instant

if TYPE_CHECKING:
    import pandas as pd

_ALL: Final = "all"
_DATE: Final = len("2026-11-22")


@dataclass(frozen=True, eq=False)
class WidgetAnswer:
    """The rows of a widget query.

    Attributes
    ----------
    query
        What was asked.
    answer
        The rows, with the reason for them.
    generated_us
        When they were computed.
    cache_hit
        Whether that was for an equal question before.
    """

    query: WidgetQuery
    answer: Answer
    generated_us: Micros
    cache_hit: bool = False

    @classmethod
    def of(cls, query: WidgetQuery, answer: Answer, generated_us: Micros) -> WidgetAnswer:
        """The rows that the answer to a widget question gives: those of nothing are left out."""
        valid = answer.fields[VALUE].valid
        kept = np.arange(len(answer)) if valid is None else np.flatnonzero(valid)
        return cls(query, _taken(answer, kept[: query.limit]), generated_us)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as the widget API has them: ``key``, ``value``, and but for counts ``secondary``."""
        return [dict(record) for record in self._records]

    @property
    def generated_at(self) -> str:
        """When they were computed, in RFC 3339."""
        return format_instant(self.generated_us)

    @property
    def plan(self) -> str:
        """``rollup``, ``source`` or ``mixed``: where the numbers come from."""
        return self.answer.explanation.plan

    def to_plain(self) -> dict[str, Any]:
        """The body of the widget API's answer; to be written down, not to be changed."""
        return {"rows": self._records, "generated_at": self.generated_at, "cache_hit": self.cache_hit}

    def to_pandas(self) -> pd.DataFrame:
        """As a pandas frame."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def chart(self, **options: Any) -> Any:
        """An Altair chart, its mark chosen by the shape of the answer; needs ``aggflow[demo]``."""
        return self.answer.chart(**options)

    def explain(self) -> Explanation:
        """Which rollup answered and why not the others, what was read where, how long it took."""
        return self.answer.explanation

    def __len__(self) -> int:
        return len(self.answer)

    def __repr__(self) -> str:
        return repr(self.answer)

    def _repr_html_(self) -> str:
        return self.answer._repr_html_()

    @cached_property
    def _records(self) -> list[dict[str, Any]]:
        # Once for all who ask the same.
        columns: dict[str, list[Any]] = {
            KEY: self._keys(),
            VALUE: [_number(value) for value in self.answer.fields[VALUE].to_list()],
        }
        if SECONDARY in self.answer.fields:
            columns[SECONDARY] = self.answer.fields[SECONDARY].to_list()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _keys(self) -> list[str]:
        answer = self.answer
        if answer.buckets is not None:
            times = [format_instant(seconds * 1_000_000) for seconds in answer.buckets]
            return [time[:_DATE] for time in times] if self.query.group_by == "day" else times
        if KEY in answer.groupings:
            return [cast("str", canonical(value)) for value in answer.groupings[KEY]]
        return [_ALL] * len(answer)


def _taken(answer: Answer, rows: NDArray[np.intp]) -> Answer:
    """An answer's rows of some numbers."""
    if len(rows) == len(answer):
        return answer
    places = rows.tolist()
    return replace(
        answer,
        buckets=None if answer.buckets is None else tuple(answer.buckets[i] for i in places),
        groupings={name: tuple(values[i] for i in places) for name, values in answer.groupings.items()},
        fields={name: values.take(rows) for name, values in answer.fields.items()},
        count=len(rows),
    )


def _number(value: Any) -> int | float:
    """A number as JSON has it; of nothing it is 0, whatever type the field has."""
    plain = float(value) if isinstance(value, Decimal) else value
    return plain or 0
