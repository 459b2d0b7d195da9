"""Answer data: an answer as data ready for JSON, with its types and the reason for it, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from aggflow.engine.answer import Answer
from aggflow.engine.explanation import Explanation
from aggflow.engine.plan import Candidate
from aggflow.measures.state import Values
from aggflow.measures.vocabulary import GroupingValue
from aggflow.timeline import BEGINNING, FOREVER, Window, WindowSet, format_instant, parse_instant

FieldType: TypeAlias = Literal["integer", "float", "decimal", "other"]
_TYPES: Final[Mapping[str, FieldType]] = {"i": "integer", "f": "float"}
_INFINITE: Final = {"beginning": BEGINNING, "forever": FOREVER}
_SECOND_US: Final = 1_000_000


def answer_data(answer: Answer, *, candidates: bool = False, sql: bool = False) -> dict[str, Any]:
    """An answer, ready for JSON.

    Parameters
    ----------
    answer
        The answer.
    candidates
        Whether every rollup of the source is listed, with why it could not answer.
    sql
        Whether the statements that were sent to the source are shown.

    Returns
    -------
    dict
        ``name``, ``rows`` as of the endpoints API (decimals with all their digits), ``columns`` with the
        names and types, ``open_from``, ``explanation``.
    """
    fields = {name: values.to_list() for name, values in answer.fields.items()}
    return {
        "name": answer.name,
        "rows": list(_rows(answer, fields)),
        "columns": {
            "dt": answer.buckets is not None,
            "groupings": list(answer.groupings),
            "fields": {name: _type(values, fields[name]) for name, values in answer.fields.items()},
        },
        "open_from": None if answer.open_from is None else format_instant(answer.open_from * _SECOND_US),
        "explanation": explanation_data(answer.explanation, candidates=candidates, sql=sql),
    }


def _rows(answer: Answer, fields: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for i in range(answer.count):
        row: dict[str, Any] = {}
        if answer.buckets is not None:
            row["dt"] = format_instant(answer.buckets[i] * _SECOND_US)
        if answer.groupings:
            row["groupings"] = {name: values[i] for name, values in answer.groupings.items()}
        row["fields"] = {name: values[i] for name, values in fields.items()}
        yield row


def _type(values: Values, listed: Sequence[Any]) -> FieldType:
    known = _TYPES.get(values.data.dtype.kind)
    if known is not None:
        return known
    return "decimal" if any(isinstance(value, Decimal) for value in listed) else "other"


def explanation_data(explanation: Explanation, *, candidates: bool, sql: bool) -> dict[str, Any]:
    """An explanation, ready for JSON.

    Parameters
    ----------
    explanation
        The explanation.
    candidates, sql
        Whether these are told; looking for candidates takes time.
    """
    found = explanation.candidates if candidates else ()
    return {
        "rollup": explanation.rollup,
        "plan": explanation.plan,
        "summary": explanation.summary,
        "candidates": [{"name": one.name, "miss": one.miss, "rows": one.rows} for one in found],
        "events": {name: _window(events) for name, events in explanation.events.items()},
        "stored": _windows(explanation.stored),
        "live": _windows(explanation.live),
        "segments": explanation.segments,
        "cells": explanation.cells,
        "rows": explanation.rows,
        "sql": list(explanation.sql) if sql else [],
        "tail_age": explanation.tail_age,
        "milliseconds": explanation.milliseconds,
        "source_milliseconds": explanation.source_milliseconds,
        "cut": explanation.cut,
    }


def _windows(windows: WindowSet) -> list[list[str]]:
    return [_window(window) for window in windows]


def _window(window: Window) -> list[str]:
    return [format_instant(window.start), format_instant(window.end)]


def answer_of(data: Mapping[str, Any], draw: Callable[..., Any]) -> Answer:
    """The answer that data describe.

    Parameters
    ----------
    data
        As of :func:`answer_data`; numbers with a point may be decimals, so that none loses digits.
    draw
        Makes charts of it.
    """
    rows, columns, open_from = data["rows"], data["columns"], data["open_from"]
    return Answer(
        name=data["name"],
        buckets=tuple(parse_instant(row["dt"]) // _SECOND_US for row in rows) if columns["dt"] else None,
        groupings={
            name: tuple(_grouping(row["groupings"][name]) for row in rows) for name in columns["groupings"]
        },
        fields={
            name: _values([row["fields"][name] for row in rows], type_)
            for name, type_ in columns["fields"].items()
        },
        count=len(rows),
        explanation=_explanation(data["explanation"]),
        draw=draw,
        open_from=None if open_from is None else parse_instant(open_from) // _SECOND_US,
    )


def _grouping(value: Any) -> GroupingValue:
    return float(value) if isinstance(value, Decimal) else value


def _values(values: Sequence[Any], type_: FieldType) -> Values:
    valid = None if all(value is not None for value in values) else np.array([v is not None for v in values])
    if type_ == "integer":
        return Values(np.array([0 if v is None else int(v) for v in values], dtype=np.int64), valid)
    if type_ == "float":
        return Values(np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64), valid)
    data = np.empty(len(values), dtype=object)
    data[:] = [Decimal(v) if type_ == "decimal" and v is not None else v for v in values]
    return Values(data, valid)


def _explanation(data: Mapping[str, Any]) -> Explanation:
    candidates = [Candidate(one["name"], one["miss"], one["rows"]) for one in data["candidates"]]
    events = {name: _window_of(window) for name, window in data["events"].items()}
    tail_age = data["tail_age"]
    return Explanation(
        rollup=data["rollup"],
        find_candidates=lambda: candidates,
        find_events=lambda: events,
        stored=_window_set(data["stored"]),
        live=_window_set(data["live"]),
        segments=data["segments"],
        cells=data["cells"],
        rows=data["rows"],
        statements=tuple(data["sql"]),
        tail_age=None if tail_age is None else float(tail_age),
        milliseconds=float(data["milliseconds"]),
        source_milliseconds=float(data["source_milliseconds"]),
        cut=data["cut"],
    )


def _window_set(data: Sequence[Sequence[str]]) -> WindowSet:
    return WindowSet(map(_window_of, data))


def _window_of(data: Sequence[str]) -> Window:
    start, end = data
    return Window(_instant(start), _instant(end))


def _instant(text: str) -> int:
    found = _INFINITE.get(text)
    return parse_instant(text) if found is None else found
