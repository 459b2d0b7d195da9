"""What every test stands on: repeatable randomness and an environment without settings."""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest

if TYPE_CHECKING:
    from mariadb_server import MariadbServer
    from postgres_server import PostgresServer

# A failure always prints the line that repeats it. No machine has an even pace: nothing of it is measured.
hypothesis.settings.register_profile(
    "local", print_blob=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("local"), max_examples=200)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="Seed of random test data; printed by every run.")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.seed is None:
        config.option.seed = secrets.randbits(32)


def pytest_report_header(config: pytest.Config) -> str:
    return f"random test data: --seed={config.option.seed}"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers of this test alone, the same for the same ``--seed``, whatever else runs."""
    seed = request.config.option.seed
    print(f"repeat with --seed={seed}")  # shown with a failure
    return np.random.default_rng([seed, zlib.crc32(request.node.nodeid.encode())])


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of their own: they do not reach a test."""
    for name in os.environ:
        if name.upper().startswith("AGGFLOW_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One Postgres server for all tests that do not stop it; each takes a database of its own."""
    from postgres_server import PostgresServer

    with PostgresServer.started() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """One MariaDB server for all tests that do not stop it; each takes a database of its own."""
    from mariadb_server import MariadbServer

    with MariadbServer.started() as server:
        yield server
