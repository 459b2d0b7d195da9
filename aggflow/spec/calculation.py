"""A calculation: what is computed of a field."""

from __future__ import annotations

from enum import StrEnum


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

    @property
    def needs_field(self) -> bool:
        """Whether a field is needed: all but COUNT, which counts rows."""
        return self is not Calculation.COUNT

    @property
    def is_sketch(self) -> bool:
        """Whether it is kept as a sketch: many small numbers a cell instead of a few."""
        return self in (Calculation.PERCENTILES, Calculation.APPROX_COUNT_DISTINCT)
