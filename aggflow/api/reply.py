"""A reply: data as a JSON response."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import orjson
from starlette.responses import Response

JSON: Final = "application/json"
_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def json_bytes(data: Any) -> bytes:
    """Data as JSON: numpy's numbers too, decimals with all their digits, datetimes in RFC 3339 with ``Z``.

    Examples
    --------
    >>> json_bytes({"total": Decimal("0.10"), "none": None})
    b'{"total":0.10,"none":null}'
    """
    return orjson.dumps(data, default=_other, option=_OPTIONS)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f").encode()) if value.is_finite() else None
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def reply(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of data as JSON, its keys in the order that they have.

    Parameters
    ----------
    data
        Dictionaries, lists, texts, numbers, truth values, None.
    status
        Of HTTP.
    headers
        Further ones.
    """
    return Response(json_bytes(data), status, headers, JSON)
