"""An example: how a field of a declaration is written, for who gave it something else."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic_core import ErrorDetails


class Example(NamedTuple):
    """How one field is written.

    Attributes
    ----------
    wanted
        What it is.
    python
        In Python.
    plain
        In YAML and JSON.
    """

    wanted: str
    python: str
    plain: str


_AGGREGATIONS: Final = Example(
    "a list of aggregations",
    '[af.Aggregation("delay", field="dep_delay", calculations=["COUNT", "AVG"])]',
    "[{name: delay, field: dep_delay, calculations: [COUNT, AVG]}]",
)
_LIST: Final = "a list of "
_NAMES: Final = '["carrier", "origin"]'
EXAMPLES: Final[dict[str, dict[str, Example]]] = {
    "Aggregation": {
        "calculations": Example("a list of calculations", '["COUNT", "AVG"]', "[COUNT, AVG]"),
        "sketch_groupings": Example("a list of groupings", _NAMES, _NAMES),
    },
    "Endpoint": {
        "timing": Example(
            "a timing",
            'af.Lookback("30d") for one total, af.TimeSeries("30d", interval="1d") for a series',
            "{kind: lookback, duration: 30d} for one total, "
            "{kind: time_series, duration: 30d, interval: 1d} for a series",
        ),
        "groupings": Example(
            "a choice for each grouping",
            '{"carrier": af.All(), "origin": af.Fixed(["JFK"])}',
            "{carrier: {kind: all}, origin: {kind: fixed, values: [JFK]}}",
        ),
        "fields": Example(
            "a list of fields",
            '[af.Field("flights", "delay", "COUNT")]',
            "[{name: flights, aggregation: delay, calculation: COUNT}]",
        ),
        "sort": Example(
            "a list of orders", '[af.Sort("flights", "desc")]', "[{by: flights, direction: desc}]"
        ),
        "grouping_limits": Example(
            "a list of groupings with their limits", '[("carrier", 5)]', "[[carrier, 5]]"
        ),
    },
    "Field": {"percentile": Example("a number from 0 to 1", "0.95", "0.95")},
    "Fixed": {"values": Example("a list of values", '["JFK", "LGA"]', "[JFK, LGA]")},
    "Filter": {"groupings": Example("a list of groupings", _NAMES, _NAMES), "aggregations": _AGGREGATIONS},
    "Cube": {
        "dimensions": Example("a list of dimensions", _NAMES, _NAMES),
        "measures": _AGGREGATIONS._replace(wanted="a list of measures"),
        "aggregates": Example(
            "a list of aggregates",
            '[af.CubeAggregate("daily", "1d", ["carrier"])]',
            "[{name: daily, interval: 1d, dimensions: [carrier]}]",
        ),
    },
}
# What pydantic says of a value of another type, none of which says what is wanted.
_OF_TYPE: Final = (
    *("sequence_str", "is_instance_of", "dict_type", "mapping_type", "dataclass_type"),
    *("model_attributes_type", "union_tag_not_found", "union_tag_invalid"),
)
# What it says of a number that is none, or too large or small.
_OF_NUMBER: Final = (
    *("float_parsing", "float_type", "finite_number"),
    *("less_than_equal", "greater_than_equal"),
)


def example_of(detail: ErrorDetails, kind: str, *, plain: bool) -> tuple[str, str] | None:
    """What is wrong with a value of a wrong type, and how it is written; None of other mistakes.

    Parameters
    ----------
    detail
        What pydantic found.
    kind
        The class that was declared; the mistake may be in a value inside it.
    plain
        Whether it was read from YAML or JSON.

    Examples
    --------
    >>> from pydantic_core import ErrorDetails
    >>> detail = ErrorDetails(type="sequence_str", loc=("calculations",), msg="", input="AVG")
    >>> example_of(detail, "Aggregation", plain=False)
    ('a list of calculations is needed', 'calculations=["COUNT", "AVG"]')
    """
    if detail["type"] in _OF_NUMBER:
        places = detail["loc"][-1:]
    elif detail["type"] in _OF_TYPE:
        places = detail["loc"][::-1]
    else:
        return None
    for name in (part for part in places if isinstance(part, str)):
        found = EXAMPLES.get(kind, {}).get(name) or _anywhere(name)
        if found is not None:
            line = f"{name}: {found.plain}" if plain else f"{name}={found.python}"
            one = isinstance(detail["loc"][-1], int)
            wanted = f"{found.wanted.removeprefix(_LIST)} are" if one else f"{found.wanted} is"
            return f"{wanted} needed", line
    return None


def _anywhere(name: str) -> Example | None:
    return next((examples[name] for examples in EXAMPLES.values() if name in examples), None)
