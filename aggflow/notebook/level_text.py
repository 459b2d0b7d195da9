"""A level text: the levels of a dimension in one line, as one types them: ``country, town: @.city``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from aggflow.spec.level import Level

# Commas between levels, not those inside the brackets of a path or an expression.
_BETWEEN: Final = re.compile(r",(?![^()\[\]]*[)\]])")


def levels_of(text: str, *, is_time: bool) -> list[str | dict[str, str]]:
    """The levels of a text as plain data: names, each with its column or width behind a colon where it has another one.

    Examples
    --------
    >>> levels_of("country, town: @.city", is_time=False)
    ['country', {'name': 'town', 'path': '@.city'}]
    >>> levels_of("day, quarter of an hour: 15m", is_time=True)
    ['day', {'name': 'quarter of an hour', 'interval': '15m'}]
    """
    levels: list[str | dict[str, str]] = []
    for part in filter(None, map(str.strip, _BETWEEN.split(text))):
        name, colon, of = (one.strip() for one in part.partition(":"))
        levels.append({"name": name, "interval" if is_time else "path": of} if colon else name)
    return levels


def level_text(levels: Iterable[Level]) -> str:
    """The text of levels.

    Examples
    --------
    >>> level_text([Level("country"), Level("town", "@.city")])
    'country, town: @.city'
    """
    parts = [(level.name, level.interval or level.path) for level in levels]
    return ", ".join(f"{name}: {of}" if of else name for name, of in parts)
