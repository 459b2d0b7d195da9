"""Rows: an array of JSON objects, made column by column; a value that occurs often is written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import orjson

from aggflow.api.reply import json_bytes
from aggflow.measures.state import Values

Cells = list[bytes]
_TEXTS: Final = {str, type(None)}


@dataclass(frozen=True, slots=True)
class Column:
    """One value of each object.

    Attributes
    ----------
    lead
        What stands before it, of JSON: the comma, the braces that open or close, the key.
    cells
        The values, as JSON.
    """

    lead: bytes
    cells: Cells


def rows_json(columns: Sequence[Column], end: bytes, count: int) -> bytes:
    """The array.

    Parameters
    ----------
    columns
        In the order of the keys; the first one's lead opens the object.
    end
        What closes it.
    count
        How many objects there are.

    Examples
    --------
    >>> rows_json([Column(b'{"a":', [b"1", b"2"]), Column(b',"b":', [b"null", b'"x"'])], b"}", 2)
    b'[{"a":1,"b":null},{"a":2,"b":"x"}]'
    """
    if not count:
        return b"[]"
    width = 2 * len(columns) + 1
    parts: Cells = [b""] * (width * count)
    for place, column in enumerate(columns):
        parts[2 * place :: width] = [column.lead] * count
        parts[2 * place + 1 :: width] = column.cells
    parts[width - 1 :: width] = [end + b","] * count
    parts[-1] = end
    return b"[" + b"".join(parts) + b"]"


@lru_cache(1024)
def key(name: str) -> bytes:
    r"""A key and its colon.

    Examples
    --------
    >>> key('a "b"')
    b'"a \\"b\\"":'
    """
    return json_bytes(name) + b":"


def cells_of(values: Sequence[Any]) -> Cells:
    """Values as JSON."""
    kinds = set(map(type, values))
    if kinds <= _TEXTS:
        written = {value: orjson.dumps(value) for value in set(values)}
        return [written[value] for value in values]
    return [json_bytes(value) for value in values]


def number_cells(values: Values) -> Cells:
    """Finished values as JSON, null where there is none."""
    if values.data.dtype.kind not in "if":
        return cells_of(values.to_list())
    # No number has a comma in it.
    text = orjson.dumps(np.ascontiguousarray(values.data), option=orjson.OPT_SERIALIZE_NUMPY)
    cells = text[1:-1].split(b",")
    if values.valid is not None:
        for row in np.flatnonzero(~values.valid).tolist():
            cells[row] = b"null"
    return cells
