"""Answer JSON: the rows of an answer as of the endpoints API, straight from its columns."""

from __future__ import annotations

from aggflow.api.reply import json_bytes
from aggflow.api.rows import Column, cells_of, key, number_cells, rows_json
from aggflow.engine.answer import Answer
from aggflow.timeline import format_seconds


def answer_json(answer: Answer) -> bytes:
    """The array of an answer's rows: ``dt`` of a series, ``groupings`` if some are returned, ``fields``."""
    if answer.count == 1 and answer.buckets is None and not answer.groupings:
        # One total is sooner written whole than by columns.
        return json_bytes([{"fields": {name: values.to_list()[0] for name, values in answer.fields.items()}}])
    columns: list[Column] = []
    if answer.buckets is not None:
        columns.append(Column(b'{"dt":', cells_of(format_seconds(answer.buckets))))
    opening = b',"groupings":{' if columns else b'{"groupings":{'
    for name, values in answer.groupings.items():
        columns.append(Column(opening + key(name), cells_of(values)))
        opening = b","
    before = b"}," if answer.groupings else b"," if columns else b"{"
    opening = before + b'"fields":{'
    for name, values in answer.fields.items():
        columns.append(Column(opening + key(name), number_cells(values)))
        opening = b","
    return rows_json(columns, b"}}", answer.count)
