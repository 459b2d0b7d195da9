"""An output: what an answer computes of finished values, groupings and the start of the bucket.

Computed by the meaning that expressions have everywhere, on a DuckDB in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from aggflow.backends import quirks
from aggflow.backends.fetch import fetch
from aggflow.backends.memory import CAPABILITY, memory
from aggflow.engine.columns import Columns
from aggflow.engine.question import Question
from aggflow.language import BUCKET, Arithmetic, Named, Operand, Path, operand_to_ibis
from aggflow.measures.state import Values
from aggflow.measures.vocabulary import Vocabulary, inferred


def computed(columns: Columns, question: Question, vocabularies: Mapping[str, Vocabulary]) -> Columns:
    """Columns whose fields are a question's outputs; the same columns where it has none.

    Parameters
    ----------
    columns
        One field for each of the question's.
    question
        What is asked.
    vocabularies
        The values of groupings, by path.
    """
    if not question.outputs:
        return columns
    known = {output.name: _field(output.operand, columns) for output in question.outputs}
    derived = [output for output in question.outputs if known[output.name] is None]
    found = _evaluated(derived, columns, question, vocabularies) if derived else {}
    fields = {name: found[name] if values is None else values for name, values in known.items()}
    return Columns(columns.buckets, columns.codes, fields, columns.count)


def _field(operand: Operand, columns: Columns) -> Values | None:
    """A field by itself, or one divided by another: the two that need no database."""
    if isinstance(operand, Arithmetic) and operand.sign == "/":
        above, below = (columns.fields.get(_name(side)) for side in (operand.left, operand.right))
        return None if above is None or below is None else divided(above, below)
    return columns.fields.get(_name(operand))


def divided(above: Values, below: Values) -> Values | None:
    """Numbers divided by others, missing where either is or where the second is 0; None for what is no float or int."""
    if not all(values.data.dtype.kind in "if" for values in (above, below)):
        return None
    divisor = below.data.astype(np.float64)
    valid = divisor != 0
    for values in (above, below):
        valid &= True if values.valid is None else values.valid
    quotient = np.divide(above.data.astype(np.float64), divisor, out=np.zeros(len(valid)), where=valid)
    return Values(quotient, None if valid.all() else valid)


def _name(operand: Operand) -> str:
    return operand.parts[0] if isinstance(operand, Path) and len(operand.parts) == 1 else ""


def _evaluated(
    outputs: list[Named],
    columns: Columns,
    question: Question,
    vocabularies: Mapping[str, Vocabulary],
) -> dict[str, Values]:
    table = ibis.memtable(_table(columns, question, vocabularies))
    selected = {
        f"output{i}": operand_to_ibis(
            output.operand,
            lambda path: table[path.parts[0]],
            number=lambda value: quirks.number_of_text(value, CAPABILITY),
        )
        for i, output in enumerate(outputs)
    }
    # Rows of a table come in no order of their own.
    rows = table.select(ROW_=table.ROW_, **selected).order_by("ROW_")
    got = fetch(memory(), CAPABILITY, rows)
    return {output.name: _values(got[f"output{i}"]) for i, output in enumerate(outputs)}


def _table(columns: Columns, question: Question, vocabularies: Mapping[str, Vocabulary]) -> pa.Table:
    arrays: dict[str, Any] = {"ROW_": np.arange(columns.count)}
    for name, path in question.groupings.items():
        values = list(vocabularies[path].decode(columns.codes[path]))
        arrays[name] = _inferred(values)
    if columns.buckets is not None:
        arrays[BUCKET] = pa.array(columns.buckets).cast(pa.timestamp("s")).cast(pa.timestamp("us"))
    for name, values in columns.fields.items():
        plain = values.data.dtype != object
        arrays[name] = (
            pa.array(values.data, mask=None if values.valid is None else ~values.valid)
            if plain
            else _inferred(values.to_list())
        )
    return pa.table(arrays)


def _inferred(values: list[Any]) -> pa.Array:
    array = inferred(values)
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _values(column: pa.ChunkedArray) -> Values:
    type_ = column.type
    if pa.types.is_timestamp(type_):
        # A time among values is the milliseconds since the epoch, as LINQ has it.
        column = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        type_ = column.type
    valid = None if not column.null_count else column.is_valid().to_numpy()
    if pa.types.is_integer(type_):
        return Values(column.fill_null(0).to_numpy().astype(np.int64), valid)
    if pa.types.is_floating(type_):
        data = column.fill_null(0.0).to_numpy().astype(np.float64)
        finite = np.isfinite(data)
        return Values(data, valid if finite.all() else finite if valid is None else valid & finite)
    return Values(np.array(column.to_pylist(), dtype=object), valid)
