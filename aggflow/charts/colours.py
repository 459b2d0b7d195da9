"""Colours: which line of a chart has which colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggflow.charts.table import Table
from aggflow.charts.theme import Theme
from aggflow.figure import counted

_MOST: Final = 10


@dataclass(frozen=True)
class Colours:
    """Which line has which colour.

    Attributes
    ----------
    title
        What the legend is called; None for nothing.
    keys
        By line, its key in the legend.
    scale
        By key, its colour.
    rest
        The key of the lines without a colour of their own; None where each has one.
    """

    title: str | None
    keys: Mapping[str, str]
    scale: Mapping[str, str]
    rest: str | None = None

    @classmethod
    def of_names(cls, names: Sequence[str], theme: Theme) -> Colours:
        """Shades of one hue for fields that belong together."""
        return cls(
            None, {name: name for name in names}, dict(zip(names, theme.shaded(len(names)), strict=True))
        )

    @classmethod
    def of_groups(cls, table: Table, theme: Theme) -> Colours:
        """Colours for the groups with the largest values of the first field, grey for the others."""
        first = next(iter(table.drawable.values()))
        found: dict[str, list[float]] = {}
        for group, number in zip(table.groups(), first.numbers, strict=True):
            found.setdefault(group, []).extend([] if number is None else [abs(number)])
        size = {group: sum(numbers) / max(1, len(numbers)) for group, numbers in found.items()}
        ordered = sorted(found, key=lambda group: -size[group])
        named, others = ordered[:_MOST], ordered[_MOST:]
        keys = {group: group for group in named}
        scale = dict(zip(named, theme.palette, strict=False))
        title = " · ".join(table.labels)
        if not others:
            return cls(title, keys, scale)
        rest = counted(len(others), "other")
        return cls(title, keys | dict.fromkeys(others, rest), scale | {rest: theme.others}, rest)
