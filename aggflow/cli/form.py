"""A form: the short texts in which options name parts of a definition (``delay=dep_delay:COUNT,AVG``)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from aggflow.spec.aggregation import Aggregation
    from aggflow.spec.field import Field

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


def field(text: str) -> Field:
    """A return field: ``NAME=AGGREGATION:CALCULATION``, for a percentile ``p95=delay:PERCENTILES:0.95``.

    Examples
    --------
    >>> p95 = field("p95=delay:percentiles:0.95")
    >>> p95.name, p95.aggregation, p95.calculation.value, p95.percentile
    ('p95', 'delay', 'PERCENTILES', 0.95)
    """
    from aggflow.spec.field import Field

    name, sign, rest = text.partition("=")
    aggregation_, *others = (part.strip() for part in rest.split(":"))
    if not sign or len(others) not in (1, 2):
        raise wrong("--field", text, "NAME=AGGREGATION:CALCULATION", "p95=delay:PERCENTILES:0.95")
    percentile = others[1] if len(others) == 2 else None
    return Field(name.strip(), aggregation_, others[0], percentile)  # pyright: ignore[reportArgumentType]


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
