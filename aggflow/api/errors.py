"""Errors: what each of the error tree is over HTTP, and how a failure is answered in the shape of its family."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aggflow import errors
from aggflow.api.allowed import Allowed
from aggflow.api.body import detail_of
from aggflow.api.exchange import exchange_of
from aggflow.api.failure import NAMES, VALIDATION, Detail, Failure, Refused, invalid
from aggflow.api.family import Families
from aggflow.api.reply import reply
from aggflow.errors import (
    LONGEST_PATH,
    AggflowError,
    BuildError,
    CancelledError,
    CatalogBusyError,
    CatalogError,
    CatalogUnavailableError,
    ConflictError,
    LeaseLostError,
    NotCoveredError,
    NotFoundError,
    OrchestrationError,
    ParseError,
    QueryError,
    SegmentDamagedError,
    SegmentMissingError,
    ServiceError,
    SettingsError,
    SourceChangedError,
    SourceError,
    SourceUnavailableError,
    SpecError,
    StoreError,
    StoreUnavailableError,
    UnsupportedError,
    without_password,
)
from aggflow.quote import cut

_LOG = logging.getLogger("aggflow.service")
TOO_DEEP: Final = "what was asked is nested too deeply, or has too many terms"
SERVER_ERROR: Final = "the service made a mistake; its log has the request by its id"


@dataclass(frozen=True)
class Meaning:
    """What an error is over HTTP.

    Attributes
    ----------
    status
        Of HTTP.
    message
        What is told in place of the error's own sentence, which may name files or databases.
    retry_after
        After how many seconds another try makes sense.
    """

    status: int
    message: str = ""
    retry_after: int | None = None


_STORE: Final = "the states cannot be read just now"
_CATALOG: Final = "the catalog cannot be used just now"
_SOURCE: Final = "a source cannot be reached just now"

# The nearest class that an error is of decides; no error that is the operator's shows its own sentence.
MEANINGS: Final[dict[type[AggflowError], Meaning]] = {
    AggflowError: Meaning(500, SERVER_ERROR),
    SettingsError: Meaning(500, "the service is not set up as it should be"),
    SpecError: Meaning(400),
    ParseError: Meaning(400),
    NotFoundError: Meaning(404),
    ConflictError: Meaning(409),
    QueryError: Meaning(400),
    NotCoveredError: Meaning(409),
    SourceError: Meaning(503, "a source cannot be read as it is declared", 60),
    SourceUnavailableError: Meaning(503, _SOURCE, 5),
    UnsupportedError: Meaning(400),
    BuildError: Meaning(503, "a build stopped", 30),
    LeaseLostError: Meaning(503, "another build took over", 5),
    SourceChangedError: Meaning(503, "a source changes too fast to be read just now", 5),
    CancelledError: Meaning(409),
    StoreError: Meaning(503, _STORE, 30),
    StoreUnavailableError: Meaning(503, _STORE, 2),
    # These do not pass: a part of the states is gone until it is built again.
    SegmentMissingError: Meaning(500, SERVER_ERROR),
    SegmentDamagedError: Meaning(500, SERVER_ERROR),
    CatalogError: Meaning(503, _CATALOG, 30),
    CatalogBusyError: Meaning(503, _CATALOG, 1),
    CatalogUnavailableError: Meaning(503, _CATALOG, 2),
    OrchestrationError: Meaning(503, "Prefect cannot be reached just now", 30),
    ServiceError: Meaning(503, "another service cannot be asked just now", 30),
}


def meaning_of(error: AggflowError) -> Meaning:
    """What an error is over HTTP: that of its class, or of the nearest above it."""
    return _meaning(type(error))


def _meaning(kind: type[AggflowError]) -> Meaning:
    return next(MEANINGS[one] for one in kind.__mro__ if one in MEANINGS)


def told(kind: str, message: str) -> str:
    """What clients are told of an error that was written down.

    Parameters
    ----------
    kind, message
        Its class, by name, and its own sentence.

    Examples
    --------
    >>> told("QueryError", "the query has no table"), told("SourceMissingError", "no table in /data/a.db")
    ('the query has no table', 'a source cannot be read as it is declared')
    """
    error = getattr(errors, kind, None)
    if not (isinstance(error, type) and issubclass(error, AggflowError)):
        error = BuildError
    return _meaning(error).message or message


def failure_of(error: Exception) -> Failure:
    """The failure that an error is.

    Parameters
    ----------
    error
        Of the tree of aggflow, or raised by a route, a parameter or the router.
    """
    if isinstance(error, Refused):
        headers = dict(error.headers or {})
        return Failure(
            error.status_code,
            error.name,
            error.detail,
            error.details,
            code=error.code,
            headers=headers,
            error=error.error,
        )
    if isinstance(error, RequestValidationError):
        # The first part of a path says whether it is the body's, the query's or a header's.
        return failure_of(invalid(detail_of(one, 0 if len(one["loc"]) == 1 else 1) for one in error.errors()))
    if isinstance(error, HTTPException):
        return Failure(
            error.status_code,
            NAMES.get(error.status_code, "error"),
            error.detail,
            headers=dict(error.headers or {}),
        )
    if isinstance(error, AggflowError):
        meaning = meaning_of(error)
        headers = {} if meaning.retry_after is None else {"Retry-After": str(meaning.retry_after)}
        details = _details(error)
        name = VALIDATION if details else NAMES[meaning.status]
        return Failure(
            meaning.status,
            name,
            meaning.message or str(error),
            details,
            headers=headers,
            error=_shown(error, meaning),
        )
    if isinstance(error, RecursionError):
        return Failure(400, NAMES[400], TOO_DEEP)
    return Failure(500, NAMES[500], SERVER_ERROR)


def _shown(error: AggflowError, meaning: Meaning) -> dict[str, Any]:
    """An error as far as clients may know it: of an operator's its class alone."""
    if meaning.message:
        return {"class": type(error).__name__, "message": meaning.message, "hint": ""}
    return error.to_plain()


def _details(error: AggflowError) -> tuple[Detail, ...]:
    if not isinstance(error, SpecError):
        return ()
    return tuple(
        Detail(cut(one.path, LONGEST_PATH), f"{one.message} ({one.hint})" if one.hint else one.message)
        for one in error.problems
    )


def answer(failure: Failure, request: Request, families: Families) -> Response:
    """The response to a request that was not done, in the shape of the family that owns its path."""
    exchange = exchange_of(request.scope)
    shaped = replace(failure, request_id=exchange.request_id)
    status, body = families.owner(request.scope["path"]).encode_error(shaped)
    return reply(body, status, failure.headers)


def log(error: Exception, failure: Failure, request: Request) -> None:
    """Write down what the service, not its client, has to see to."""
    request_id = exchange_of(request.scope).request_id
    if isinstance(error, RecursionError):
        # Of what was asked, as far as anybody can tell; if not, this is where it shows.
        _LOG.warning("request %s is nested too deeply", request_id, exc_info=error)
    if failure.status < 500:
        return
    if failure.status == 500:
        _LOG.error("request %s failed", request_id, exc_info=error)
    else:
        kind = type(error).__name__
        _LOG.warning("request %s failed: %s: %s", request_id, kind, without_password(str(error)))


def _routed(failure: Failure, request: Request, allowed: Allowed) -> Failure:
    """What the router says, in words: which path has no route, which methods one takes."""
    path = request.scope["path"]
    if failure.status == 404:
        return replace(failure, message=f"there is nothing at {cut(path, LONGEST_PATH)}")
    if failure.status == 405:
        methods = ", ".join(allowed.methods(path))
        message = f"{cut(path, LONGEST_PATH)} does not take {request.method}; it takes {methods}"
        return replace(failure, message=message, headers={"Allow": methods})
    return failure


def handle_errors(app: FastAPI, families: Families) -> None:
    """Let an app answer every error in the shape of the path's family."""
    allowed = Allowed(app)

    async def handled(request: Request, error: Exception) -> Response:
        failure = failure_of(error)
        if isinstance(error, HTTPException) and not isinstance(error, Refused):
            failure = _routed(failure, request, allowed)
        log(error, failure, request)
        return answer(failure, request, families)

    for kind in (AggflowError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, handled)
