"""A column: an attribute of what a collection lists, under its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def columns_of(names: Sequence[str]) -> dict[str, Callable[[Any], object]]:
    """The columns of attributes, in this order.

    Examples
    --------
    >>> shown = columns_of(["real", "imag"])
    >>> [read(1 + 2j) for read in shown.values()]
    [1.0, 2.0]
    """
    return {name: lambda one, name=name: getattr(one, name) for name in names}
