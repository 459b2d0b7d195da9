"""A vendor filter: a filter's definition in the shape that clients of the original endpoints API know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from aggflow.api.failure import invalid
from aggflow.engine.declarations import Stored
from aggflow.errors import did_you_mean
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.filter import Filter
from aggflow.timeline import Interval

_UNITS: Final = {
    "SECOND": "s",
    "MINUTE": "m",
    "HOUR": "h",
    "DAY": "d",
    "WEEK": "w",
    "MONTH": "mo",
    "QUARTER": "q",
    "YEAR": "y",
}
# How many seconds the vendor's units have, the longest first.
_SECONDS: Final = {"HOUR": 3600, "MINUTE": 60, "SECOND": 1}
# No filter of ours has them: by them the shape is told.
_MARKS: Final = {"intervalType", "intervalCount", "groupingItems", "filter"}
_OURS: Final = ("source", "time_zone", "description", "generation")
_KEYS: Final = {*_MARKS, *_OURS, "id", "name", "organizationId", "groupings", "aggregations"}
_AGGREGATION_KEYS: Final = {"id", "name", "calculations", "calculationField", "subFilter"}
_GROUPING_KEYS: Final = {"grouping", "alias"}


def to_vendor(stored: Stored[Filter], organization_id: str) -> dict[str, Any]:
    """A filter as the vendor's clients read it.

    Parameters
    ----------
    stored
        The filter.
    organization_id
        What the vendor calls the workspace.
    """
    spec = stored.spec
    unit, count = _interval(Interval.of(spec.interval))
    return {
        "id": stored.id,
        "name": spec.name,
        "organizationId": organization_id,
        "filter": spec.where,
        "groupings": [grouping.path for grouping in spec.groupings],
        "groupingItems": [
            {"grouping": grouping.path, "alias": grouping.alias} for grouping in spec.groupings
        ],
        "intervalType": unit,
        "intervalCount": count,
        "aggregations": [_aggregation(number, one) for number, one in enumerate(spec.aggregations, 1)],
    }


def _interval(interval: Interval) -> tuple[str, int]:
    if interval.unit != "second":
        return interval.unit.upper(), interval.count
    unit = next(unit for unit, seconds in _SECONDS.items() if interval.count % seconds == 0)
    return unit, interval.count // _SECONDS[unit]


def _aggregation(number: int, aggregation: Aggregation) -> dict[str, Any]:
    return {
        "id": number,
        "name": aggregation.name,
        "calculations": [calculation.value for calculation in aggregation.calculations],
        "calculationField": aggregation.field,
        "subFilter": aggregation.where or None,
    }


def is_vendor(data: Mapping[str, Any]) -> bool:
    """Whether data are a filter in the vendor's shape, rather than in ours."""
    return not _MARKS.isdisjoint(data)


def read_vendor(data: Mapping[str, Any], sources: Iterable[str]) -> dict[str, Any]:
    """A filter of the vendor's shape in ours, still to be checked.

    Parameters
    ----------
    data
        May also have ``source``, ``time_zone`` and ``description``, which the vendor does not know.
    sources
        Names of those that there are; where it is one, it need not be named.

    Raises
    ------
    Refused
        400: it is not in that shape.

    Examples
    --------
    >>> read_vendor({"name": "f", "intervalType": "MINUTE", "intervalCount": 15, "filter": "@.a"}, ["events"])
    {'name': 'f', 'where': '@.a', 'interval': '15m', 'groupings': [], 'source': 'events'}
    """
    _refuse_unknown("", data, _KEYS)
    found: dict[str, Any] = {
        "name": data.get("name"),
        "where": data.get("filter") or "",
        "interval": _width(data),
        "groupings": list(_groupings(data)),
        "source": _source(data, tuple(sources)),
    }
    if "aggregations" in data:
        found["aggregations"] = list(_aggregations(data["aggregations"]))
    return found | {key: data[key] for key in (*_OURS, "id") if key in data}


def _width(data: Mapping[str, Any]) -> str:
    unit, count = str(data.get("intervalType", "")).upper(), data.get("intervalCount", 1)
    if unit not in _UNITS:
        hint = did_you_mean(unit, _UNITS) if unit else f"one of {', '.join(_UNITS)}"
        raise invalid(
            [("intervalType", f"is required ({hint})" if not unit else f"there is none such ({hint})")]
        )
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise invalid([("intervalCount", "must be a whole number from 1 on")])
    return f"{count}{_UNITS[unit]}"


def _source(data: Mapping[str, Any], sources: Sequence[str]) -> Any:
    if "source" in data:
        return data["source"]
    if len(sources) != 1:
        raise invalid([("source", f"is required, as there are {len(sources)} sources")])
    return sources[0]


def _groupings(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "groupingItems" not in data:
        yield from ({"path": path} for path in _list("groupings", data.get("groupings")))
        return
    for i, item in enumerate(_list("groupingItems", data["groupingItems"])):
        grouping = _object(f"groupingItems[{i}]", item)
        _refuse_unknown(f"groupingItems[{i}].", grouping, _GROUPING_KEYS)
        yield {"path": grouping.get("grouping"), "alias": grouping.get("alias")}


def _aggregations(data: Any) -> Iterator[dict[str, Any]]:
    for i, item in enumerate(_list("aggregations", data)):
        aggregation = _object(f"aggregations[{i}]", item)
        _refuse_unknown(f"aggregations[{i}].", aggregation, _AGGREGATION_KEYS)
        yield {
            "name": aggregation.get("name"),
            "calculations": aggregation.get("calculations", []),
            "field": aggregation.get("calculationField") or None,
            "where": aggregation.get("subFilter") or "",
        }


def _list(field: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid([(field, "must be an array")])
    return cast("list[Any]", value)


def _object(field: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise invalid([(field, "must be an object")])
    return cast("Mapping[str, Any]", value)


def _refuse_unknown(prefix: str, data: Mapping[str, Any], known: set[str]) -> None:
    unknown = [key for key in data if key not in known]
    if unknown:
        raise invalid([(f"{prefix}{key}", f"is unknown ({did_you_mean(key, known)})") for key in unknown])
