"""Columns: the values of an answer, one entry a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aggflow.measures.state import Int64s, Values
from aggflow.measures.vocabulary import Codes


@dataclass(frozen=True)
class Columns:
    """The values of an answer as columns, one entry a row.

    Attributes
    ----------
    buckets
        The start of every row's bucket in seconds, of a series.
    codes
        By path, the code of every row's grouping.
    fields
        By name, the values.
    count
        How many rows there are.
    cut
        How many more there would be without the limit.
    """

    buckets: Int64s | None
    codes: Mapping[str, Codes]
    fields: Mapping[str, Values]
    count: int
    cut: int = 0

    def take(self, rows: NDArray[np.intp]) -> Columns:
        """Some rows, in that order."""
        return Columns(
            None if self.buckets is None else self.buckets[rows],
            {path: codes[rows] for path, codes in self.codes.items()},
            {name: values.take(rows) for name, values in self.fields.items()},
            len(rows),
        )
