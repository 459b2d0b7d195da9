"""A vendor filter: a filter in the shape in which aggregations.io defines it, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import gcd
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator
from pydantic import Field as PydanticField

from aggflow.errors import ParseError, Problem, SpecError
from aggflow.quote import quoted
from aggflow.spec.aggregation import CalculationText
from aggflow.spec.declaration import Declared, Many, declaration, read
from aggflow.spec.filter import Filter
from aggflow.spec.text import Name, PathText, PredicateText
from aggflow.timeline import Interval, Zone
from aggflow.timeline.instant import DAY_SECONDS

_UNITS: Final = {
    "SECOND": (1, "s"),
    "MINUTE": (1, "m"),
    "HOUR": (1, "h"),
    "DAY": (1, "d"),
    "WEEK": (1, "w"),
    "MONTH": (1, "mo"),
    "YEAR": (1, "y"),
}
_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": DAY_SECONDS, "WEEK": 7 * DAY_SECONDS}
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


def reaching(unit: str, count: int, own: Interval, zone: Zone) -> Interval:
    """The narrowest interval that is at least as wide as asked, and a whole multiple of another.

    Clients ask for as many seconds as their charts have room for, whatever a filter's interval is.

    Parameters
    ----------
    unit, count
        How wide.
    own, zone
        The other interval, and the zone of both.

    Raises
    ------
    ParseError
        There is none.

    Examples
    --------
    >>> quarter, utc = Interval.of("15m"), Zone.of("UTC")
    >>> [str(reaching("SECOND", n, quarter, utc)) for n in (1, 1000, 80_000, 90_000)]
    ['15m', '30m', '1335m', '2d']
    """
    name = unit.upper()
    if name in ("MONTH", "YEAR") or (name == "WEEK" and count == 1):
        asked = interval_of(name, count)
        if own.months and asked.months:
            return Interval.of(f"{-(-asked.months // own.months) * own.months}mo")
        if own.divides(asked, zone, zone):
            return asked
    wide = _wide(count * _SECONDS.get(name, 0), own)
    if wide is None or not own.divides(wide, zone, zone):
        text = f"{count} {name}"
        raise ParseError(f"no interval of {text} or more is a whole multiple of {own}", text=text, position=0)
    return wide


def _wide(seconds: int, own: Interval) -> Interval | None:
    """The narrowest multiple of an interval that is so many seconds or more, days being 86,400."""
    if not seconds:
        return None
    if seconds <= own.seconds_at_most:
        return own
    if own.unit == "week":
        return None
    if own.months:
        return Interval.of(f"{_multiple(seconds, 28 * DAY_SECONDS * own.months) * own.months}mo")
    width = own.seconds or 1
    within = _multiple(seconds, width) * width
    if own.unit == "second" and within < DAY_SECONDS:
        return Interval.of(f"{within}s")
    # The fewest whole days that are whole multiples.
    days = width // gcd(width, DAY_SECONDS) if own.unit == "second" else own.count
    return Interval.of(f"{_multiple(seconds, days * DAY_SECONDS) * days}d")


def _multiple(seconds: int, of: int) -> int:
    return -(-seconds // of)


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
        title = f"filter {quoted(name)}" if isinstance(name, str) and name else "filter"
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
