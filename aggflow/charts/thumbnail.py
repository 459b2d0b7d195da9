"""A thumbnail: an answer as a small SVG picture, for a card of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, cast

from aggflow.charts.chart import draw
from aggflow.charts.file import to_svg
from aggflow.charts.theme import ThemeName
from aggflow.engine.answer import Answer
from aggflow.figure import counted

_MOST_ROWS: Final = 8
_LONGEST_LABEL: Final = 16
# Of the area inside the axes: of a series, beside the labels of bars, of large figures; and of how many fields.
_WIDTHS: Final = {"series": 268, "bars": 200, "figures": 300}
_FIELDS: Final = {"series": 2, "bars": 1, "figures": 3}
# Of a series of one field, and of two; of one bar; of large figures.
_SERIES, _BAR, _FIGURES = (130, 190), 20, 64
_LEGEND: Final = {"orient": "bottom", "title": None, "columns": 4, "offset": 6, "labelLimit": 64}
# What waits for a mouse that a picture does not have.
_UNSEEN = re.compile(r'<path [^>]*?\bopacity="0"[^>]*?(?:/>|></path>)')


def thumbnail(answer: Answer, theme: ThemeName = "light") -> str:
    """The first fields and rows of an answer, drawn small.

    Parameters
    ----------
    answer
        Of several groupings the values stand side by side in one label.
    theme
        ``light`` or ``dark``.

    Returns
    -------
    str
        SVG, without a ground of its own.

    Raises
    ------
    AggflowError
        Altair or vl-convert is not installed.
    """
    small = _first_rows(_labelled(answer))
    shape = _shape(small)
    fields = list(small.fields)[: _FIELDS[shape]]
    chart = draw(
        small, fields=fields, theme=theme, width=_WIDTHS[shape], height=_height(small, shape, len(fields))
    )
    return _UNSEEN.sub("", to_svg(_untitled(chart)))


def kept(answer: Answer) -> str:
    """How much of an answer its thumbnail shows, for people; empty where that is all.

    Of one grouping ``4 of 16 values of carrier``, of several ``4 of 16 groups``; of fields ``1 of 2 fields``.
    """
    parts: list[str] = []
    groups = len(set(zip(*answer.groupings.values(), strict=True)))
    if groups > (most := _most_groups(answer)):
        name = f"{groups:,} values of {next(iter(answer.groupings))}"
        parts.append(f"{most} of {name if len(answer.groupings) == 1 else counted(groups, 'group')}")
    if len(answer.fields) > (most := _FIELDS[_shape(answer)]):
        parts.append(f"{most} of {counted(len(answer.fields), 'field')}")
    return ", ".join(parts)


def _shape(answer: Answer) -> str:
    return "series" if answer.buckets is not None else "bars" if answer.groupings else "figures"


def _most_groups(answer: Answer) -> int:
    return _MOST_ROWS if answer.buckets is None else _MOST_ROWS // 2


def _labelled(answer: Answer) -> Answer:
    """An answer with one grouping at most, of shortened texts."""
    if not answer.groupings:
        return answer
    rows = zip(*answer.groupings.values(), strict=True)
    labels = tuple(_label(" · ".join(_text(value) for value in row)) for row in rows)
    # The names of groupings have no room.
    return replace(answer, groupings={" ": labels})


def _text(value: object) -> str:
    return "none" if value is None else str(value)


def _label(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _first_rows(answer: Answer) -> Answer:
    """The rows that have room: of a series those of its first groups, all of its time."""
    kept = list(_kept(answer))
    if len(kept) == answer.count:
        return answer
    import numpy as np

    return replace(
        answer,
        buckets=None if answer.buckets is None else tuple(answer.buckets[i] for i in kept),
        groupings={name: tuple(values[i] for i in kept) for name, values in answer.groupings.items()},
        fields={name: values.take(np.array(kept, dtype=np.intp)) for name, values in answer.fields.items()},
        count=len(kept),
    )


def _kept(answer: Answer) -> Iterator[int]:
    if answer.buckets is None or not answer.groupings:
        rows = answer.count if answer.buckets is not None else min(_most_groups(answer), answer.count)
        yield from range(rows)
        return
    (labels,) = answer.groupings.values()
    shown = set(list(dict.fromkeys(labels))[: _most_groups(answer)])
    yield from (i for i, label in enumerate(labels) if label in shown)


def _height(answer: Answer, shape: str, fields: int) -> int:
    if shape == "series":
        return _SERIES[fields - 1]
    return max(60, _BAR * answer.count) if shape == "bars" else _FIGURES


def _untitled(chart: Any) -> dict[str, Any]:
    """The specification, with nothing over it, legends below it and no ground."""
    spec = _lowered(chart.to_dict())
    spec.pop("title", None)
    spec["config"] = {**spec.get("config", {}), "background": "transparent", "padding": 4}
    return spec


def _lowered(part: Any) -> Any:
    """A part of a specification, its legends below and without a title."""
    if isinstance(part, list):
        return [_lowered(one) for one in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    found = {key: _lowered(value) for key, value in cast("dict[str, Any]", part).items()}
    if isinstance(found.get("legend"), dict) and "field" in found:
        found["legend"] = {**found["legend"], **_LEGEND}
    return found
