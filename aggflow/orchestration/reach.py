"""A reach: a client of Prefect's API whose failures are errors of the tree, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aggflow.errors import OrchestrationError, PrefectUnavailableError, without_password
from aggflow.orchestration.release import require_installed, require_of_server

_RETRIES: Final = 2

if TYPE_CHECKING:
    import httpx
    from prefect.client.orchestration import SyncPrefectClient


@contextmanager
def reached(*, check: bool = False) -> Iterator[SyncPrefectClient]:
    """A client of the Prefect that the environment names.

    Parameters
    ----------
    check
        Whether to ask it first which version it is of.

    Raises
    ------
    PrefectVersionError
        Prefect is not installed, or it or its server is of a version that does not fit.
    PrefectUnavailableError
        It cannot be reached.
    OrchestrationError
        No server is named, or it refuses what is asked.
    """
    require_installed()
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    url = PREFECT_API_URL.value()
    if not url:
        # Without an address Prefect would start a server of its own, and schedule nothing.
        raise OrchestrationError(
            "no Prefect server is named", hint="set PREFECT_API_URL, for one http://127.0.0.1:4200/api"
        )
    shown = without_password(str(url))
    # Whoever asks comes again soon: a minute of retries would only hide that Prefect is away.
    patience: dict[Any, Any] = {PREFECT_CLIENT_MAX_RETRIES: min(_RETRIES, PREFECT_CLIENT_MAX_RETRIES.value())}
    try:
        with temporary_settings(patience), get_client(sync_client=True) as client:
            if check:
                _check(client, shown)
            yield client
    except httpx.HTTPStatusError as error:
        raise _refused(error, shown) from error
    except httpx.HTTPError as error:
        raise PrefectUnavailableError(
            f"Prefect at {shown} cannot be reached: {error or type(error).__name__}",
            hint="start its server, or set PREFECT_API_URL to one that runs",
        ) from error


def _check(client: SyncPrefectClient, url: str) -> None:
    from prefect.client.base import ServerType

    if client.server_type == ServerType.CLOUD:
        return
    try:
        version: object = client.api_version()
    except ValueError:
        version = None
    if not (isinstance(version, str) and version[:1].isdigit()):
        raise OrchestrationError(
            f"what answers at {url} is no Prefect server", hint="the address of its API ends in /api"
        )
    require_of_server(version, url)


def _refused(error: httpx.HTTPStatusError, url: str) -> OrchestrationError:
    """The error of an answer that is none."""
    status = error.response.status_code
    if status in (401, 403):
        return OrchestrationError(
            f"Prefect at {url} does not let this process in: it answers {status}",
            hint="set PREFECT_API_AUTH_STRING, or PREFECT_API_KEY for Prefect Cloud",
        )
    if status >= 500 or status == 429:
        return PrefectUnavailableError(f"Prefect at {url} cannot answer just now: it says {status}")
    what = f"{error.request.method} {error.request.url.path}"
    if status == 404 and error.request.url.path.endswith("/admin/version"):
        return OrchestrationError(
            f"what answers at {url} is no Prefect server", hint="the address of its API ends in /api"
        )
    return OrchestrationError(
        f"Prefect at {url} refuses {what}: it answers {status}: {error.response.text[:200]}"
    )
