"""A vendor filter: a filter in the shape in which aggregations.io defines it, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator
from pydantic import Field as PydanticField

from aggflow.errors import ParseError, Problem, SpecError
from aggflow.spec.aggregation import CalculationText
from aggflow.spec.declaration import Declared, Many, declaration, read
from aggflow.spec.filter import Filter
from aggflow.spec.text import Name, PathText, PredicateText
from aggflow.timeline import Interval

_UNITS: Final = {
    "SECOND": (1, "s"),
    "MINUTE": (1, "m"),
    "HOUR": (1, "h"),
    "DAY": (1, "d"),
    "WEEK": (1, "w"),
    "MONTH": (1, "mo"),
    "YEAR": (1, "y"),
}
# By the unit of an interval, the vendor's units that it may be written in, the largest first.
_WRITTEN: Final = {
    "second": ((3600, "HOUR"), (60, "MINUTE"), (1, "SECOND")),
    "day": ((1, "DAY"),),
    "week": ((1, "WEEK"),),
    "month": ((1, "MONTH"),),
    "year": ((1, "YEAR"),),
}
# Where a filter's own problems stand in the vendor's shape.
_PLACES: Final = (
    (r"^where", "filter"),
    (r"^interval$", "intervalCount"),
    (r"^groupings", "groupingItems"),
    (r"\.path$", ".grouping"),
    (r"\.field$", ".calculationField"),
    (r"\.where$", ".subFilter"),
)


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


IntervalType = Annotated[
    Literal["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"], BeforeValidator(_upper)
]


@declaration
class _GroupingItem(Declared):
    grouping: PathText
    alias: Annotated[str, PydanticField(min_length=1, max_length=100)] | None = None


@declaration
class _Aggregation(Declared):
    name: Name
    calculations: Many[CalculationText]
    id: int | None = None
    field: Annotated[PathText | None, PydanticField(alias="calculationField")] = None
    where: Annotated[PredicateText | None, PydanticField(alias="subFilter")] = ""


@declaration
class _Filter(Declared):
    name: Name
    interval_type: Annotated[IntervalType, PydanticField(alias="intervalType")]
    interval_count: Annotated[int, PydanticField(alias="intervalCount", ge=1)]
    aggregations: Many[_Aggregation]
    where: Annotated[PredicateText | None, PydanticField(alias="filter")] = ""
    items: Annotated[Many[_GroupingItem] | None, PydanticField(alias="groupingItems")] = None
    groupings: Many[PathText] | None = None
    id: str | None = None
    organization: Annotated[str | None, PydanticField(alias="organizationId")] = None

    @property
    def interval(self) -> Interval:
        """The width of its buckets."""
        return interval_of(self.interval_type, self.interval_count)

    def problems(self) -> Iterator[Problem]:
        """A width that there is not, and ids that stand there twice."""
        try:
            self.interval  # noqa: B018 - looked at, to know whether it is one
        except ParseError as error:
            yield Problem("intervalCount", error.message, error.hint)
        ids = [one.id for one in self.aggregations if one.id is not None]
        if len(set(ids)) < len(ids):
            yield Problem("aggregations", "an id stands here twice")


def interval_of(unit: str, count: int) -> Interval:
    """The interval of so many of a vendor's unit, in any case.

    Raises
    ------
    ParseError
        There is no such interval.

    Examples
    --------
    >>> str(interval_of("MINUTE", 90)), str(interval_of("hour", 24))
    ('90m', '1d')
    """
    factor, letters = _UNITS[unit.upper()]
    return Interval.of(f"{count * factor}{letters}")


def vendor_interval(interval: Interval) -> tuple[str, int]:
    """An interval as a vendor's unit and how many of it.

    Examples
    --------
    >>> vendor_interval(Interval.of("90m")), vendor_interval(Interval.of("1q"))
    (('MINUTE', 90), ('MONTH', 3))
    """
    if interval.unit == "quarter":
        return "MONTH", interval.months
    width, name = next(one for one in _WRITTEN[interval.unit] if interval.count % one[0] == 0)
    return name, interval.count // width


def to_vendor(spec: Filter, *, id: str, organization_id: str) -> dict[str, Any]:  # noqa: A002 - the vendor's word
    """A filter as the vendor's clients read it.

    Aggregations are numbered from 1 in their order.  Source, time zone and description, which the
    vendor's filters do not have, are left out.

    Parameters
    ----------
    spec
        The filter.
    id, organization_id
        Of the filter, and of whom it belongs to.
    """
    unit, count = vendor_interval(Interval.of(spec.interval))
    return {
        "id": id,
        "filter": spec.where,
        "groupings": [grouping.path for grouping in spec.groupings],
        "groupingItems": [{"grouping": one.path, "alias": one.alias} for one in spec.groupings],
        "intervalType": unit,
        "intervalCount": count,
        "name": spec.name,
        "organizationId": organization_id,
        "aggregations": [
            {
                "id": number,
                "calculations": [calculation.value for calculation in one.calculations],
                "calculationField": one.field,
                "subFilter": one.where or None,
                "name": one.name,
            }
            for number, one in enumerate(spec.aggregations, start=1)
        ],
    }


def from_vendor(data: Mapping[str, Any], *, source: str, **options: Any) -> Filter:
    """The filter that a vendor's definition describes.

    Its ``id`` and ``organizationId`` are read over.  Aggregations are taken in the order of their ids,
    and numbered from 1 again; where there are ``groupingItems``, ``groupings`` says nothing more.

    Parameters
    ----------
    data
        The definition.
    source
        The source that its events are in.
    options
        What vendors' filters do not have: ``time_zone``, ``description``.

    Raises
    ------
    SpecError
        Every problem, each with its path in the definition.
    """
    try:
        return read(Filter, {**_own(read(_Filter, data)), "source": source, **options})
    except SpecError as error:
        name = data.get("name")
        title = f"filter {name!r}" if isinstance(name, str) and name else "filter"
        moved = [Problem(_place(one.path), one.message, one.hint) for one in error.problems]
        raise SpecError(title, moved) from None


def _own(found: _Filter) -> dict[str, Any]:
    """What a vendor's definition says, in our words."""
    items = found.items
    if items is None:
        items = [_GroupingItem(path) for path in found.groupings or ()]
    return {
        "name": found.name,
        "interval": str(found.interval),
        "where": found.where,
        "groupings": [{"path": item.grouping, "alias": item.alias} for item in items],
        "aggregations": [
            {"name": one.name, "field": one.field, "calculations": one.calculations, "where": one.where}
            for one in sorted(found.aggregations, key=lambda one: one.id or 0)
        ],
    }


def _place(path: str) -> str:
    for pattern, place in _PLACES:
        path = re.sub(pattern, place, path)
    return path
