"""CSV text by RFC 4180: cells are never altered, and quoted only where they must be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

_MARKED = re.compile('[,"\r\n]')


def csv_lines(columns: Sequence[Sequence[Any]]) -> str:
    r"""Columns of equal length as lines; null is an empty cell, an empty text ``""``.

    Examples
    --------
    >>> csv_lines([["a,b", "", None], [1, 2.5, True]])
    '"a,b",1\r\n"",2.5\r\n,true\r\n'
    """
    cells = [list(map(_cell, values)) for values in columns]
    return "".join([",".join(line) + "\r\n" for line in zip(*cells, strict=True)])


def _cell(value: object) -> str:
    # The standard library quotes what need not be, and cannot tell an empty text from null.
    if value is None:
        return ""
    if isinstance(value, str):
        if value == "" or _MARKED.search(value):
            return '"' + value.replace('"', '""') + '"'
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
