"""An aggregator: an aggregate function of LINQ, one row each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Aggregator:
    """An aggregate function of LINQ.

    Attributes
    ----------
    name
        As LINQ writes it.
    takes
        What its argument must be: ``number``, ``any``, or ``nothing`` where it may be left out.
    sentence
        What it gives, for people.
    """

    name: str
    takes: Literal["nothing", "number", "any"]
    sentence: str


_ROWS = (
    Aggregator("count", "nothing", "how many rows, or rows with a value, there are"),
    Aggregator("sum", "number", "the total"),
    Aggregator("avg", "number", "the average"),
    Aggregator("min", "any", "the least value"),
    Aggregator("max", "any", "the greatest value"),
    Aggregator("first", "any", "the value of the first event"),
    Aggregator("last", "any", "the value of the last event"),
    Aggregator("nnfirst", "any", "the first value that is there"),
    Aggregator("nnlast", "any", "the last value that is there"),
    Aggregator("stddev", "number", "the standard deviation of a sample"),
    Aggregator("var", "number", "the variance of a sample"),
    Aggregator("median", "number", "the value in the middle"),
    Aggregator("percentile", "number", "the value below which so many percent are"),
    Aggregator("hllpp", "any", "about how many different values, as a whole number"),
    Aggregator("hllppcount", "any", "about how many different values, as a float"),
)

AGGREGATORS: dict[str, Aggregator] = {row.name: row for row in _ROWS}

_P = re.compile(r"p([0-9]{1,2})")
_PERCENTILE = re.compile(r"percentile([0-9]{1,2})")
_DISTINCT = "about how many different values there are is said by hllppcount(name)"

#: Aggregates that LINQ has and aggflow has not, with the reason.
NOT_AGGREGATED: dict[str, str] = {
    **dict.fromkeys(("collectdistinct", "sizedistinct", "countdistinct", "dc"), _DISTINCT),
    **dict.fromkeys(("distinct", "nunique", "count_distinct", "unique"), _DISTINCT),
    **dict.fromkeys(("mean", "average"), "it is called avg(name)"),
    **dict.fromkeys(("stdev", "std"), "it is called stddev(name)"),
    **dict.fromkeys(
        ("quantile", "quantiles", "percentiles"),
        "it is written percentile95(name), or percentile(name, 0.95)",
    ),
    "total": "it is called sum(name)",
    "top": "group by the column, then sort and cut the answer",
    "variance": "it is called var(name)",
}


def refusal_of(name: str) -> str | None:
    """Why a function is no aggregate of ours, though others have it, and what is; None of other names.

    Examples
    --------
    >>> refusal_of("mean"), refusal_of("p95"), refusal_of("sum")
    ('it is called avg(name)', 'it is written percentile95(name)', None)
    """
    percent = _P.fullmatch(name)
    return f"it is written percentile{percent[1]}(name)" if percent else NOT_AGGREGATED.get(name)


def percent_of(name: str) -> int | None:
    """The percent in the name of a percentile, None where it is none.

    Examples
    --------
    >>> percent_of("percentile95"), percent_of("percentile"), percent_of("percentile00")
    (95, None, None)
    """
    found = _PERCENTILE.fullmatch(name)
    return int(found[1]) or None if found else None


def is_aggregator(name: str) -> bool:
    """Whether a function is an aggregate.

    Examples
    --------
    >>> is_aggregator("sum"), is_aggregator("percentile50"), is_aggregator("lower")
    (True, True, False)
    """
    return name in AGGREGATORS or percent_of(name) is not None
