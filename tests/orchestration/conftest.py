"""Prefect for tests: its own test harness, a server with nothing in it, once for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_LOGGING_LEVEL, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from aggflow.orchestration.limit import make_limits


@pytest.fixture(scope="session")
def harness() -> Iterator[None]:
    # Nothing is told to anyone; a heartbeat would add a second to every run.
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    os.environ["DO_NOT_TRACK"] = "1"
    quiet: dict[Any, Any] = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_LEVEL: "WARNING"}
    with prefect_test_harness(server_startup_timeout=300), temporary_settings(quiet):
        with get_client(sync_client=True) as client:
            make_limits(client, ["duckdb"])
        yield


@pytest.fixture
def prefect(harness: None) -> Iterator[SyncPrefectClient]:
    """A client of it."""
    with get_client(sync_client=True) as client:
        yield client
