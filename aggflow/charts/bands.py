"""Bands: the areas between percentiles of one value, the widest first, so that each lies in the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_OPACITY = 0.13
_NAME = re.compile(r"(?:^|_)(?:p(\d{1,3})(?:_(\d+))?|median)(?=_|$)", re.IGNORECASE)


def percentile(name: str) -> float | None:
    """The percentile that a field is named after, out of 100; None where it is named after none.

    Examples
    --------
    >>> percentile("p95"), percentile("p99_9_delay"), percentile("delay_median"), percentile("price")
    (95.0, 99.9, 50.0, None)
    """
    found = _NAME.search(name)
    if found is None:
        return None
    whole, rest = found.groups()
    return 50.0 if whole is None else float(f"{whole}.{rest or 0}")


def without_percentile(name: str) -> str:
    """What is left of a field's name without its percentile: fields of one value have it in common.

    Examples
    --------
    >>> without_percentile("p95_delay"), without_percentile("p50"), without_percentile("flights")
    ('delay', '', 'flights')
    """
    return _NAME.sub("", name, count=1).strip("_")


def rows_of_bands(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Data of the bands: ``low`` and ``high`` at a time ``t``; ``part`` is ``band``, which one is ``line``.

    Parameters
    ----------
    names
        Of fields that are percentiles of one value.
    rows
        Of their lines, a line a field.
    """
    ordered = sorted(names, key=lambda name: percentile(name) or 0.0)
    numbers: dict[str, dict[int, float | None]] = {name: {} for name in names}
    for row in rows:
        if "part" not in row:
            numbers[row["line"]][row["t"]] = row["v"]
    return [
        row
        for low, high in zip(ordered[: len(ordered) // 2], reversed(ordered), strict=False)
        for row in _band(f"{low} to {high}", numbers[low], numbers[high])
    ]


def _band(
    name: str, low: Mapping[int, float | None], high: Mapping[int, float | None]
) -> list[dict[str, Any]]:
    return [
        {"t": t, "part": "band", "line": name, "low": low[t], "high": high[t]}
        for t in sorted(low.keys() & high.keys())
    ]


def bands(base: Any, colour: str, alt: Any) -> Any:
    """The areas, on the axes of a chart; where a percentile is missing, so is its band."""
    low = base.encoding.y.copy()
    low.field = "low"
    return (
        base.mark_area(color=colour, opacity=_OPACITY, clip=True)
        .encode(y=low, y2=alt.Y2(field="high"), detail=alt.Detail(field="line", type="nominal"))
        .transform_filter("datum.part === 'band'")
    )
