"""A data request: what is asked of an endpoint over HTTP, in a body or in the query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import orjson

from aggflow.api.failure import Detail, Refused, invalid
from aggflow.api.times import read_time
from aggflow.measures.vocabulary import GroupingValue

Format: TypeAlias = Literal["JSON", "CSV"]
GroupingFilters: TypeAlias = Mapping[str, list[GroupingValue]]
_FILTERS: Final = "groupingFilters"

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "end": {
            "description": "Where the request ends: RFC 3339, a date, or epoch milliseconds; now by default",
            "anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}],
        },
        "format": {
            "description": "In any case",
            "anyOf": [{"type": "string", "enum": ["JSON", "CSV"]}, {"type": "null"}],
            "default": "JSON",
        },
        _FILTERS: {
            "description": "The values of every Query Time grouping; null is a value like others",
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": ["string", "number", "boolean", "null"]},
                    },
                },
                {"type": "null"},
            ],
        },
    },
}


@dataclass(frozen=True, slots=True)
class DataRequest:
    """What is asked.

    Attributes
    ----------
    end
        Where it ends, as it was written; None for now.
    format
        Of the answer.
    grouping_filters
        By grouping, the values of those of Query Time.
    """

    end: str | int | float | None = None
    format: Format = "JSON"
    grouping_filters: GroupingFilters | None = None

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> DataRequest:
        """The request of a body; keys that it does not know are read over.

        Raises
        ------
        Refused
            400: every field that is wrong is named.
        """
        if not body:
            return _PLAIN
        details: list[Detail] = []
        end = _end(body.get("end"), details)
        format_ = _format(body.get("format"), details)
        filters = body.get(_FILTERS)
        details += _misfits(filters)
        if details:
            raise invalid(details)
        return cls(end, format_, filters)

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> DataRequest:
        """The request of a query, ``groupingFilters`` being JSON.

        Raises
        ------
        Refused
            400: every parameter that is wrong is named.
        """
        body: dict[str, Any] = dict(query)
        text = query.get(_FILTERS)
        if text is not None:
            try:
                body[_FILTERS] = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise invalid([(_FILTERS, f"is not JSON: {error}")]) from None
        return cls.of_body(body)


_PLAIN: Final = DataRequest()


def _end(value: Any, details: list[Detail]) -> str | int | float | None:
    if value is not None:
        try:
            read_time(value, "end")
        except Refused as refused:
            details += refused.details
    return value


def _format(value: object, details: list[Detail]) -> Format:
    name = "JSON" if value is None else value.upper() if isinstance(value, str) else ""
    if name == "JSON" or name == "CSV":
        return name
    details.append(Detail("format", "must be JSON or CSV"))
    return "JSON"


def _misfits(filters: object) -> Iterator[Detail]:
    """What of the filters is of the wrong shape; whether they fit the endpoint is for it to say."""
    if filters is None:
        return
    if not isinstance(filters, dict):
        yield Detail(_FILTERS, "must be an object: groupings, each with a list of its values")
        return
    for name, values in filters.items():
        if not isinstance(values, list):
            yield Detail(f"{_FILTERS}.{name}", "must be a list of values")
            continue
        for place, value in enumerate(values):
            if isinstance(value, dict | list):
                yield Detail(f"{_FILTERS}.{name}[{place}]", "must be text, a number, true, false or null")
