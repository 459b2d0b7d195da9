"""Sides: which groupings of a table go down, across, and into panels of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aggflow.charts.table import Table

_FACETS = 12
_WIDE = 12


@dataclass(frozen=True)
class Sides:
    """Two or more groupings, laid out.

    Attributes
    ----------
    table
        The rows that are drawn.
    down, across
        The groupings that are the rows and columns of a panel.
    facets
        The groupings before them, whose values make panels; empty of two groupings.
    """

    table: Table
    down: str
    across: str
    facets: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, *, down: int, across: int) -> Sides:
        """The sides of a table, with at most so many values of each in the order of the answer."""
        *facets, first, second = table.labels
        turned = len(_distinct(table.labels[second])) > max(_WIDE, len(_distinct(table.labels[first])))
        if turned:
            first, second = second, first
        sides = cls(table, first, second, tuple(facets))
        limits = [(sides.rows(), down), (sides.columns(), across), (sides.panels(), _FACETS)]
        places = [table.labels[first], table.labels[second], sides.panel_labels()]
        kept = range(table.count)
        for (values, most), labels in zip(limits, places, strict=True):
            allowed = set(values[:most])
            kept = [i for i in kept if labels[i] in allowed]
        if len(kept) < table.count:
            table = table.where(kept).noted(
                f"the first {len(kept):,} of {table.count:,} rows by their groups"
            )
        return cls(table, first, second, tuple(facets))

    def rows(self) -> list[str]:
        """The values that go down."""
        return _distinct(self.table.labels[self.down])

    def columns(self) -> list[str]:
        """The values that go across."""
        return _distinct(self.table.labels[self.across])

    def panels(self) -> list[str]:
        """The values that have a panel each."""
        return _distinct(self.panel_labels())

    @property
    def panels_across(self) -> int:
        """How many panels stand side by side."""
        count = len(self.panels())
        return 2 if count == 4 else min(3, count)

    def panel_labels(self) -> Sequence[str]:
        """Of every row, its panel; the empty text where there is only one."""
        labels = [self.table.labels[name] for name in self.facets]
        return [" · ".join(row) for row in zip(*labels, strict=True)] or [""] * self.table.count


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
