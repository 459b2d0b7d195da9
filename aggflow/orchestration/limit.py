"""A limit: how many builds read one backend at once, whoever runs them: Prefect's global concurrency limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from aggflow.orchestration.stop import stoppable

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

AT_ONCE: Final = 2
"""Of a limit that is made; one that is there is left as it is."""
# So long a slot stays taken whose holder was killed: as short as Prefect has it.
_LEASE_SECONDS: Final = 60


def limit_name(backend: str) -> str:
    """What Prefect calls the limit of a backend.

    Examples
    --------
    >>> limit_name("duckdb")
    'aggflow-duckdb'
    """
    return f"aggflow-{backend}"


def make_limits(client: SyncPrefectClient, backends: Iterable[str]) -> list[str]:
    """Make the limits that are not there yet; their names."""
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

    there = {limit.name for limit in client.read_global_concurrency_limits(limit=200)}
    missing = [name for name in sorted({limit_name(backend) for backend in backends}) if name not in there]
    for name in missing:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=AT_ONCE))
    return missing


@contextmanager
def slot(backend: str) -> Iterator[None]:
    """Hold one of a backend's slots, as soon as one is free.

    Without a limit there is nothing to wait for; nor while Prefect is away: what can be built is built.
    """
    from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
    from prefect.concurrency.sync import concurrency

    held = ExitStack()
    with _unless_away("taken", ConcurrencySlotAcquisitionError):
        held.enter_context(
            concurrency(
                limit_name(backend),
                occupy=1,
                lease_duration=_LEASE_SECONDS,
                raise_on_lease_renewal_failure=False,
            )
        )
    try:
        with stoppable():
            yield
    finally:
        with _unless_away("given back"):
            held.close()


@contextmanager
def _unless_away(done: str, *errors: type[Exception]) -> Iterator[None]:
    import httpx
    from prefect import get_run_logger

    try:
        yield
    except (httpx.HTTPError, *errors) as error:
        get_run_logger().warning("No slot of the backend is %s: Prefect is away: %s", done, error)
