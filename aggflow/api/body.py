"""A body: what a request sends, as JSON or as a declared type; whatever is wrong with it is a 400 that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from aggflow.api.failure import Detail, invalid

T = TypeVar("T")
_MISSING: Final = object()
_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "text",
    int: "a number",
    float: "a number",
}


async def read_json(request: Request, *, empty: Any = _MISSING) -> Any:
    """The body of a request as JSON, whatever its content type says.

    Parameters
    ----------
    request
        Whose body.
    empty
        What a body of no bytes stands for; by default it is refused.

    Raises
    ------
    Refused
        400: it is not JSON.
    """
    body = await request.body()
    if empty is not _MISSING and not body.strip():
        return empty
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body.strip():
            raise invalid([("body", "is required, as JSON")]) from None
        raise invalid([("body", f"is not JSON: {error}")]) from None


async def read_object(request: Request, *, empty: Any = _MISSING) -> dict[str, Any]:
    """The body of a request as a JSON object.

    Parameters
    ----------
    request
        Whose body.
    empty
        What a body of no bytes stands for; by default it is refused.

    Raises
    ------
    Refused
        400: it is not JSON, or no object.
    """
    found = await read_json(request, empty=empty)
    if not isinstance(found, dict):
        raise invalid([("body", f"must be an object, not {_kind(found)}")])
    return cast("dict[str, Any]", found)


async def read_as(request: Request, kind: type[T], *, empty: Any = _MISSING) -> T:
    """The body of a request as a pydantic model, a dataclass or any type that pydantic reads.

    Parameters
    ----------
    request
        Whose body.
    kind
        What it has to be.
    empty
        What a body of no bytes stands for; by default it is refused.

    Raises
    ------
    Refused
        400: it is not JSON, or not of that kind; every field that is wrong is named.
    """
    return as_kind(kind, await read_json(request, empty=empty))


def as_kind(kind: type[T], data: Any) -> T:
    """Data as a pydantic model, a dataclass or any type that pydantic reads.

    Raises
    ------
    Refused
        400: every field that is wrong is named.
    """
    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        raise invalid([detail_of(one) for one in error.errors()]) from None


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def detail_of(error: ErrorDetails | Mapping[str, Any], skip: int = 0) -> Detail:
    """One mistake that pydantic found.

    Parameters
    ----------
    error
        As pydantic describes it.
    skip
        How many parts of its path do not belong to the field.

    Examples
    --------
    >>> detail_of({"loc": ("body", "fields", 0, "name"), "msg": "Field required", "type": "missing"}, 1)
    Detail(field='fields[0].name', message='is required')
    """
    path = ""
    for part in error["loc"][skip:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    if error["type"] == "missing":
        return Detail(path or "body", "is required")
    if error["type"] in ("model_type", "dict_type", "dataclass_type"):
        return Detail(path or "body", "must be an object")
    if error["type"] == "extra_forbidden":
        return Detail(path, "is unknown")
    message = str(error["msg"]).removeprefix("Value error, ")
    return Detail(path or "body", message[:1].lower() + message[1:])


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null" if value is None else "true or false")
