"""A calculation: what is computed of a field."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from aggflow.errors import did_you_mean

# What others call them.
_CALLED: Final = {
    **dict.fromkeys(("MEAN", "AVERAGE"), "AVG"),
    **dict.fromkeys(("STDEV", "STD", "STDDEV_SAMP", "STANDARD_DEVIATION"), "STDDEV"),
    **dict.fromkeys(("VARIANCE", "VAR_SAMP"), "VAR"),
    **dict.fromkeys(("STDEV_POP", "STDDEVP", "STDEVP"), "STDDEV_POP"),
    **dict.fromkeys(("DISTINCT", "NUNIQUE", "UNIQUE", "COUNT_DISTINCT", "N_UNIQUE"), "APPROX_COUNT_DISTINCT"),
    **dict.fromkeys(("QUANTILE", "QUANTILES", "PERCENTILE", "MEDIAN"), "PERCENTILES"),
    **dict.fromkeys(("MINIMUM", "LEAST"), "MIN"),
    **dict.fromkeys(("MAXIMUM", "GREATEST"), "MAX"),
    **dict.fromkeys(("N", "SIZE", "ROWS", "LEN"), "COUNT"),
    "TOTAL": "SUM",
}
_PERCENTILE: Final = re.compile(r"P(ERCENTILE_?)?\d+(\.\d+)?")


class Calculation(StrEnum):
    """Everything that can be computed of a field.

    Each has one row in the registry of measures, which says by which states it is kept.
    ``VAR`` and ``STDDEV`` are of a sample (n - 1), their ``_POP`` forms of the population.
    """

    COUNT = "COUNT"
    SUM = "SUM"
    AVG = "AVG"
    MIN = "MIN"
    MAX = "MAX"
    STDDEV = "STDDEV"
    STDDEV_POP = "STDDEV_POP"
    VAR = "VAR"
    VAR_POP = "VAR_POP"
    FIRST = "FIRST"
    LAST = "LAST"
    PERCENTILES = "PERCENTILES"
    APPROX_COUNT_DISTINCT = "APPROX_COUNT_DISTINCT"

    @classmethod
    def hint(cls, name: str) -> str:
        """A hint for a name that is no calculation: the one that is meant, else the nearest, else all.

        Examples
        --------
        >>> Calculation.hint("mean"), Calculation.hint("summ")
        ("did you mean 'AVG'?", "did you mean 'SUM'?")
        >>> Calculation.hint("p95")
        "did you mean 'PERCENTILES'? a field of it names its percentile, such as 0.95"
        """
        wanted = name.strip().upper().replace(" ", "_")
        called = "PERCENTILES" if _PERCENTILE.fullmatch(wanted) else _CALLED.get(wanted)
        if called is None:
            return did_you_mean(wanted, cls, most=len(cls))
        said = "a field of it names its percentile, such as 0.95" if called == "PERCENTILES" else ""
        return f"did you mean {called!r}? {said}".strip()

    @property
    def needs_field(self) -> bool:
        """Whether a field is needed: all but COUNT, which counts rows."""
        return self is not Calculation.COUNT

    @property
    def is_sketch(self) -> bool:
        """Whether it is kept as a sketch: many small numbers a cell instead of a few."""
        return self in (Calculation.PERCENTILES, Calculation.APPROX_COUNT_DISTINCT)
