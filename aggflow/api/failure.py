"""A failure: why a request was not done, before a family of routes puts it in its own shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException

from aggflow.errors import LONGEST_PATH
from aggflow.problem import MOST_PROBLEMS
from aggflow.quote import cut

NAMES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "content_too_large",
    429: "too_many_requests",
    500: "server_error",
    503: "unavailable",
}
VALIDATION: Final = "validation_error"


class Detail(NamedTuple):
    """One thing that is wrong with a request.

    Attributes
    ----------
    field
        Where: a path into the body, or the name of a parameter or header.
    message
        What is wrong, one sentence without a full stop.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request was not done.

    Attributes
    ----------
    status
        Of HTTP.
    name
        A word for it: one of `NAMES`, or ``validation_error``.
    message
        A sentence.
    details
        What is wrong with the request, field by field; may be empty.
    request_id
        Of the request, as it is in the log.
    code
        The number that a family has for it, where that is not the status.
    headers
        What the answer carries beside the body.
    error
        The error of the tree that it was, as far as clients may know it, for those of our own.
    """

    status: int
    name: str
    message: str
    details: tuple[Detail, ...] = ()
    request_id: str = ""
    code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    error: Mapping[str, Any] | None = None


class Refused(HTTPException):
    """Raised where a request is refused; becomes a failure in the shape of the path's family.

    Parameters
    ----------
    status
        Of HTTP.
    message
        A sentence.
    name
        A word for it; by default that of the status.
    details
        What is wrong, field by field: pairs of field and message.
    code
        The number that the family has for it, where that is not the status.
    headers
        What the answer carries beside the body.
    error
        The error of the tree that it is, for clients of our own.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        name: str = "",
        details: Iterable[tuple[str, str]] = (),
        code: int | None = None,
        headers: Mapping[str, str] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.name = name or NAMES.get(status, "error")
        self.details = tuple(Detail(cut(where, LONGEST_PATH), message) for where, message in details)
        self.code = code
        self.error = error


def invalid(
    details: Iterable[tuple[str, str]], message: str = "", error: Mapping[str, Any] | None = None
) -> Refused:
    """The refusal of a request whose fields are wrong: 400, each field named.

    Examples
    --------
    >>> refused = invalid([("limit", "must be at least 1")])
    >>> refused.status_code, refused.detail
    (400, 'limit: must be at least 1')
    """
    found = [Detail(cut(where, LONGEST_PATH), message) for where, message in islice(details, MOST_PROBLEMS)]
    sentence = "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in found)
    return Refused(400, message or sentence, name=VALIDATION, details=found, error=error)
