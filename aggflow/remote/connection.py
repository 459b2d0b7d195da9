"""A connection: requests to one service with one token; what it refuses is an error of the tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, cast
from urllib.parse import quote

from aggflow.errors import (
    AggflowError,
    ConflictError,
    Problem,
    QueryError,
    ServiceError,
    ServiceUnavailableError,
    SpecError,
    error_of,
    without_password,
)
from aggflow.quote import quoted

_LATER: Final = (429, 502, 503, 504)


class Connection:
    """A service, and a token for it.

    Parameters
    ----------
    url
        Of the service: ``http://127.0.0.1:8787``, or behind a prefix of a proxy's.
    token
        The secret.
    timeout
        Seconds to wait for an answer.
    transport
        Of httpx, where requests take another way than the network.
    """

    def __init__(self, url: str, token: str, timeout: float, transport: Any = None) -> None:
        self._httpx = _httpx()
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            problem = Problem(
                "url", f"{quoted(url)} is no address of a service", "such as http://127.0.0.1:8787"
            )
            raise SpecError("the connection", [problem])
        self._client = self._httpx.Client(
            base_url=f"{self.url}/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
            transport=transport,
        )

    def get(self, *path: str, **params: Any) -> Any:
        """What stands at a path of the management API."""
        return self._sent("GET", path, params=params)

    def post(self, *path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a body that is sent to a path."""
        return self._sent("POST", path, json=body)

    def put(self, *path: str, body: Mapping[str, Any], **params: Any) -> Any:
        """The answer to a body that takes the place of what stands at a path."""
        return self._sent("PUT", path, json=body, params=params)

    def delete(self, *path: str) -> None:
        """Remove what stands at a path."""
        self._sent("DELETE", path)

    def close(self) -> None:
        """End it."""
        self._client.close()

    def _sent(self, method: str, path: tuple[str, ...], **options: Any) -> Any:
        place = "/".join(["api/v1", *(quote(part, safe="") for part in path)])
        try:
            response = self._client.request(method, place, **options)
        except self._httpx.TimeoutException as error:
            raise self._unavailable(f"did not answer {method} in time", error) from None
        except (self._httpx.HTTPError, self._httpx.InvalidURL) as error:
            raise self._unavailable("cannot be reached", error) from None
        if response.is_success:
            # No digit of a decimal is lost; floats are made floats again by their column's type.
            return self._read(response, Decimal) if response.content else None
        raise self._refusal(response)

    def _unavailable(self, what: str, error: Exception) -> ServiceUnavailableError:
        address = without_password(self.url)
        why = f": {error}" if str(error) else ""
        return ServiceUnavailableError(f"the service at {address} {what}{why}", hint="is it running?")

    def _read(self, response: Any, parse_float: Callable[[str], Any]) -> Any:
        try:
            return json.loads(response.content, parse_float=parse_float)
        except ValueError:
            raise ServiceError(
                f"what answers at {without_password(self.url)} is no aggflow",
                hint="is it the address of the service?",
            ) from None

    def _refusal(self, response: Any) -> AggflowError:
        """The error that a service answers: the one that it was there, else what its status means."""
        found = self._read(response, float)
        body = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if isinstance(body.get("error"), dict):
            return error_of(body["error"])
        message = str(body.get("message") or f"the service answered {response.status_code}")
        return _by_status(response.status_code, message, body)


def _by_status(status: int, message: str, body: Mapping[str, Any]) -> AggflowError:
    details = body.get("errors") or []
    if status == 400 and details:
        problems = [Problem(str(one.get("field", "")), str(one.get("message", ""))) for one in details]
        return SpecError("the request", problems)
    if status in (400, 413):
        return QueryError(message)
    if status == 409:
        return ConflictError(message)
    if status in _LATER:
        return ServiceUnavailableError(message, hint="try again later")
    hint = f"its log has request {body['requestId']}" if status >= 500 and body.get("requestId") else ""
    return ServiceError(message, hint=hint)


def _httpx() -> Any:
    try:
        import httpx
    except ModuleNotFoundError:
        raise AggflowError("a connection needs httpx", hint="pip install 'aggflow[remote]'") from None
    return httpx
