"""Metric points: answers of metric queries, as clients of aggregations.io read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from aggflow.api.metric_query import MetricQuery
from aggflow.api.reply import json_bytes
from aggflow.api.rows import Column, cells_of, key, number_cells, rows_json
from aggflow.engine.answer import Answer
from aggflow.measures.vocabulary import GroupingValue, canonical
from aggflow.timeline import format_seconds

Point = dict[str, Any]
_NO_GROUPINGS: Final = b',"groupings":null,"value":'


def points_json(query: MetricQuery, answer: Answer, *, named: bool = False) -> bytes:
    """An array of one object a point: ``dt``, ``groupings`` or null, ``value``.

    Values of groupings are texts, as clients expect them.  Points that have nothing to compute are left
    out: a client would take null for 0.

    Parameters
    ----------
    query, answer
        What was asked, and its answer.
    named
        Whether each point says which query it belongs to.
    """
    there = _there(answer)
    columns = [Column(b'{"dt":', cells_of(_picked(format_seconds(answer.buckets or ()), there)))]
    opening = b',"groupings":{'
    for name, values in answer.groupings.items():
        texts = [canonical(value) for value in _picked(values, there)]
        columns.append(Column(opening + key(name), cells_of(texts)))
        opening = b","
    (values,) = answer.fields.values()
    lead = b'},"value":' if answer.groupings else _NO_GROUPINGS
    columns.append(Column(lead, _picked(number_cells(values), there)))
    end = b',"queryId":' + json_bytes(query.query_id) + b"}" if named and query.query_id is not None else b"}"
    return rows_json(columns, end, len(there))


def compact_json(answered: Iterable[tuple[MetricQuery, Answer]]) -> bytes:
    """One array for several answers: a separator a group, its points after it, told by seconds.

    The separator is ``{"isSeperator": true, "dt", "groupings"}``, spelt as clients know it; a point is
    ``{"dtSecLater", "val", "queryId"}``.
    """
    return json_bytes([point for query, answer in answered for point in _compact(query, answer)])


def _compact(query: MetricQuery, answer: Answer) -> Iterator[Point]:
    buckets, (values,) = answer.buckets or (), answer.fields.values()
    numbers = values.to_list()
    named = {} if query.query_id is None else {"queryId": query.query_id}
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for row in _there(answer):
        group = tuple(canonical(of[row]) for of in answer.groupings.values())
        groups.setdefault(group, []).append(row)
    for group, rows in groups.items():
        start = buckets[rows[0]]
        times = format_seconds([start])
        yield {
            "isSeperator": True,
            "dt": times[0],
            "groupings": dict(zip(answer.groupings, group, strict=True)),
        }
        for row in rows:
            yield {"dtSecLater": buckets[row] - start, "val": numbers[row], **named}


def values_json(values: Iterable[GroupingValue], *, exclude_empty: bool = False) -> bytes:
    """The values of a grouping: ``[{"value"}]``, each text once; a missing value is an empty text.

    Examples
    --------
    >>> values_json([True, 7, "7", "", None])
    b'[{"value":"true"},{"value":"7"},{"value":""}]'
    """
    texts = dict.fromkeys(canonical(value) or "" for value in values)
    return json_bytes([{"value": text} for text in texts if text or not exclude_empty])


def _there(answer: Answer) -> list[int]:
    """The rows that have a value."""
    (values,) = answer.fields.values()
    return list(range(answer.count)) if values.valid is None else values.valid.nonzero()[0].tolist()


def _picked(of: Sequence[Any], rows: Sequence[int]) -> list[Any]:
    return [of[row] for row in rows]
