"""A form: the short texts in which options name parts of a definition (``delay=dep_delay:COUNT,AVG``)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from aggflow.spec.aggregation import Aggregation
    from aggflow.spec.cube_aggregate import CubeAggregate
    from aggflow.spec.field import Field
    from aggflow.spec.ratio import Ratio

_WHERE = " where "


def grouping(text: str) -> Any:
    """A grouping: ``carrier``, ``@.client.name``, or with an alias ``client=@.client.name``.

    Examples
    --------
    >>> grouping("carrier"), grouping("client=@.client.name")
    ('carrier', {'path': '@.client.name', 'alias': 'client'})
    """
    alias, sign, path = text.partition("=")
    if not sign or text.lstrip().startswith("@"):
        return text
    return {"path": path.strip(), "alias": alias.strip()}


def aggregation(text: str, sketches: dict[str, tuple[str, ...]]) -> Aggregation:
    """An aggregation: ``NAME=FIELD:CALCULATION,...``, ``NAME:COUNT`` or ``NAME``, and ``where PREDICATE``.

    Parameters
    ----------
    text
        As it was typed.
    sketches
        By name of an aggregation, the groupings at which its sketches are kept.

    Examples
    --------
    >>> late = aggregation("late=dep_delay:count,avg where @.dep_delay > 15", {})
    >>> late.name, late.field, [c.value for c in late.calculations], late.where
    ('late', 'dep_delay', ['COUNT', 'AVG'], '@.dep_delay > 15')
    """
    from aggflow.spec.aggregation import Aggregation

    head, _, where = text.partition(_WHERE)
    name_and_field, _, calculations = head.partition(":")
    name, _, field = name_and_field.partition("=")
    name = name.strip()
    return Aggregation(
        name,
        field=field.strip() or None,
        calculations=tuple(listed(calculations)) or ("COUNT",),  # pyright: ignore[reportArgumentType] - texts are read
        where=where.strip(),
        sketch_groupings=sketches.get(name),
    )


def dimension(text: str) -> Any:
    """A dimension: ``carrier``, ``NAME=PATH`` (``low==lower(carrier)``), ``NAME:LEVEL,LEVEL``.

    Examples
    --------
    >>> dimension("carrier"), dimension("client=@.client.name")
    ('carrier', {'name': 'client', 'path': '@.client.name'})
    >>> dimension("date:year,month,day")
    {'name': 'date', 'levels': ['year', 'month', 'day']}
    >>> dimension("place:country=@.country,city")
    {'name': 'place', 'levels': [{'name': 'country', 'path': '@.country'}, 'city']}
    """
    signs = [sign for sign in (":", "=") if sign in text]
    if not signs:
        return text.strip()
    sign = min(signs, key=text.index)
    name, _, rest = text.partition(sign)
    if sign == "=":
        return {"name": name.strip(), "path": rest.strip()}
    return {"name": name.strip(), "levels": [_level(level) for level in listed(rest)]}


def _level(text: str) -> Any:
    name, sign, path = text.partition("=")
    return {"name": name.strip(), "path": path.strip()} if sign else text


def ratio(text: str) -> Ratio:
    """A ratio of two measures: ``NAME=MEASURE/MEASURE``, each ``AGGREGATION`` or ``AGGREGATION:CALCULATION``.

    Examples
    --------
    >>> mean = ratio("mean=delay:sum / flights")
    >>> mean.name, mean.numerator, mean.denominator
    ('mean', 'delay:sum', 'flights')
    """
    from aggflow.spec.ratio import Ratio

    name, sign, rest = text.partition("=")
    numerator, slash, denominator = rest.partition("/")
    if not sign or not slash:
        raise wrong("--ratio", text, "NAME=MEASURE/MEASURE", "late_share=late/flights")
    return Ratio(name.strip(), numerator.strip(), denominator.strip())


def cube_aggregate(text: str) -> CubeAggregate:
    """An aggregate of a cube: ``NAME=INTERVAL:DIMENSIONS``, and ``:MEASURES`` where not all are kept.

    Examples
    --------
    >>> hourly = cube_aggregate("hourly=1h:carrier,origin:delay")
    >>> hourly.name, hourly.interval, hourly.dimensions, hourly.measures
    ('hourly', '1h', ('carrier', 'origin'), ('delay',))
    >>> monthly = cube_aggregate("monthly=:date.month")
    >>> monthly.interval, monthly.dimensions, monthly.measures
    (None, ('date.month',), None)
    """
    from aggflow.spec.cube_aggregate import CubeAggregate

    name, sign, rest = text.partition("=")
    interval, _, more = rest.partition(":")
    dimensions, colon, measures = more.partition(":")
    if not sign or not name.strip():
        raise wrong("--aggregate", text, "NAME=INTERVAL:DIMENSIONS", "hourly=1h:carrier,origin")
    return CubeAggregate(
        name.strip(), interval.strip() or None, listed(dimensions), listed(measures) if colon else None
    )


def field(text: str) -> Field:
    """A return field: ``NAME=AGGREGATION:CALCULATION``, for a percentile ``p95=delay:PERCENTILES:0.95``.

    Examples
    --------
    >>> p95 = field("p95=delay:percentiles:0.95")
    >>> p95.name, p95.aggregation, p95.calculation.value, p95.percentile
    ('p95', 'delay', 'PERCENTILES', 0.95)
    >>> field("rate=on_time").calculation is None
    True
    """
    from aggflow.spec.field import Field

    name, sign, rest = text.partition("=")
    aggregation_, *others = (part.strip() for part in rest.split(":"))
    if not sign or len(others) > 2:
        raise wrong("--field", text, "NAME=AGGREGATION:CALCULATION", "p95=delay:PERCENTILES:0.95")
    calculation = others[0] if others else None
    percentile = others[1] if len(others) == 2 else None
    return Field(name.strip(), aggregation_, calculation, percentile)  # pyright: ignore[reportArgumentType] - texts are read


def sort(text: str) -> dict[str, str]:
    """A term of an order: ``p95:desc``, ``carrier``.

    Examples
    --------
    >>> sort("p95:desc"), sort("carrier")
    ({'by': 'p95', 'direction': 'desc'}, {'by': 'carrier'})
    """
    by, sign, direction = text.rpartition(":")
    if not sign:
        return {"by": text}
    if direction.lower() not in ("asc", "desc"):
        raise wrong("--sort", text, "NAME, NAME:asc or NAME:desc", "p95:desc")
    return {"by": by.strip(), "direction": direction.lower()}


def term(text: str) -> tuple[str, Literal["asc", "desc"]]:
    """A term of an order by names that hold colons themselves: ``delay:AVG:desc``, ``delay:AVG``, ``carrier``.

    Examples
    --------
    >>> term("delay:AVG:desc"), term("delay:AVG"), term("carrier")
    (('delay:AVG', 'desc'), ('delay:AVG', 'asc'), ('carrier', 'asc'))
    """
    by, _, direction = text.rpartition(":")
    match direction.lower():
        case "asc":
            return by, "asc"
        case "desc":
            return by, "desc"
        case _:
            return text, "asc"


def limit(text: str) -> tuple[str, int]:
    """A grouping limit: ``carrier=10``.

    Examples
    --------
    >>> limit("carrier=10")
    ('carrier', 10)
    """
    name, _, count = text.rpartition("=")
    if not name or not count.strip().isdecimal():
        raise wrong("--per", text, "GROUPING=COUNT", "carrier=10")
    return name.strip(), int(count)


def values(option: str, texts: Sequence[str]) -> dict[str, tuple[str | None, ...]]:
    """Groupings with values: ``origin=JFK,EWR``; a bare ``null`` is the missing value, quotes keep commas.

    Examples
    --------
    >>> values("--fix", ["origin=JFK,null", 'dest="a,b",c'])
    {'origin': ('JFK', None), 'dest': ('a,b', 'c')}
    """
    found: dict[str, tuple[str | None, ...]] = {}
    for text in texts:
        name, sign, rest = text.partition("=")
        if not sign or not name.strip():
            raise wrong(option, text, "GROUPING=VALUE,VALUE", "origin=JFK,EWR")
        found[name.strip()] = tuple(None if value == "null" else value for value in listed(rest))
    return found


def listed(text: str) -> list[str]:
    """The texts between commas; quotes keep a comma."""
    rows = list(csv.reader([text], skipinitialspace=True))
    return [part.strip() for part in rows[0]] if rows and text.strip() else []


def wrong(option: str, text: str, form: str, example: str) -> typer.BadParameter:
    """The usage error of a text that does not have its form."""
    return typer.BadParameter(f"{text!r} is not {form}, such as {example}", param_hint=option)
