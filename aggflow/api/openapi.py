"""The OpenAPI document: what routes say of themselves, with the tokens and the errors of their family."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from pydantic import TypeAdapter

from aggflow.api.failure import NAMES, VALIDATION, Detail, Failure
from aggflow.api.family import BEARER, SERVICE, Families, Family

_SCHEMAS: Final = "#/components/schemas/{model}"
_DESCRIPTION: Final = """Define an aggregate once; have it built incrementally; get answers in milliseconds.

Every request carries a token, which `aggflow token create` makes. Every answer carries `X-Request-Id`."""


def body_of(kind: Any, *, required: bool = True, example: Any = None) -> dict[str, Any]:
    """What a route says of the JSON body that it reads by itself: ``openapi_extra=body_of(Model)``.

    Parameters
    ----------
    kind
        A pydantic model, a dataclass or any type that pydantic knows; or a JSON schema.
    required
        Whether a request without a body is refused.
    example
        Shown to who wants to try it.
    """
    content: dict[str, Any] = {"schema": _schema(kind)}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def answer_of(kind: Any, description: str = "Done", *, example: Any = None) -> dict[str, Any]:
    """What a route says of its answer: ``responses={200: answer_of(Model)}``.

    Parameters
    ----------
    kind
        A type that pydantic knows, or a JSON schema.
    description
        When it is given.
    example
        Of it.
    """
    content: dict[str, Any] = {"schema": _schema(kind)}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {"application/json": content}}


def _schema(kind: Any) -> dict[str, Any]:
    return kind if isinstance(kind, dict) else TypeAdapter(kind).json_schema(ref_template=_SCHEMAS)


def describe(app: FastAPI, families: Families) -> None:
    """Let an app describe itself, with what its families add."""
    original = app.openapi

    @cache
    def described() -> dict[str, Any]:
        document = original()
        document["info"]["description"] = _DESCRIPTION
        components = document.setdefault("components", {})
        components["securitySchemes"] = {_scheme(one): _security(one) for one in families.all}
        schemas = components.setdefault("schemas", {})
        for path, operation in _operations(document):
            _complete(operation, families.owner(path))
        _hoist(document, schemas)
        # Said by FastAPI of each route with parameters; such a request is a 400 here.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        return document

    app.openapi = described


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _complete(operation: dict[str, Any], family: Family) -> None:
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    if family is not SERVICE:
        operation["security"] = [{_scheme(SERVICE): []}]
        if family.header != BEARER:
            operation["security"].append({_scheme(family): []})
        for pattern, status in (("4XX", 400), ("5XX", 503)):
            responses.setdefault(pattern, _error_of(family, status))


def _error_of(family: Family, status: int) -> dict[str, Any]:
    name = VALIDATION if status == 400 else NAMES[status]
    details = (Detail("limit", "must be at least 1"),) if status == 400 else ()
    message = "limit: must be at least 1" if details else "a source cannot be reached just now"
    _, body = family.encode_error(Failure(status, name, message, details, request_id="4b2f"))
    content = {"schema": {"type": "object"}, "example": body}
    return {"description": "Not done", "content": {"application/json": content}}


def _scheme(family: Family) -> str:
    return "bearer" if family.header == BEARER else family.header


def _security(family: Family) -> dict[str, Any]:
    if family.header == BEARER:
        return {"type": "http", "scheme": "bearer"}
    return {"type": "apiKey", "in": "header", "name": family.header}


def _hoist(part: Any, schemas: dict[str, Any]) -> None:
    """Move the definitions inside of schemas to where their references point."""
    if isinstance(part, list):
        for one in part:
            _hoist(one, schemas)
    elif isinstance(part, dict):
        for name, schema in part.pop("$defs", {}).items():
            schemas.setdefault(name, schema)
            _hoist(schema, schemas)
        for one in list(part.values()):
            _hoist(one, schemas)
