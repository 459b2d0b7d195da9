"""The same tricky events in every backend, loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from engines import engines, in_datafusion, in_mariadb, in_polars, in_postgres, in_spark
from events import BACKENDS, Loaded

from aggflow.backends.connect import session
from aggflow.backends.source_rows import SourceRows

# By the name of the backend: the fixture that runs its server, and what loads the events into it.
SERVERS: dict[str, tuple[str, Callable[[Any], Loaded]]] = {
    "postgres": ("postgres", in_postgres),
    "mysql": ("mariadb", in_mariadb),
}
IN_PROCESS = {"polars": in_polars, "datafusion": in_datafusion, "pyspark": in_spark}
ENGINES = [*BACKENDS, *SERVERS, *IN_PROCESS]
Open = Callable[..., AbstractContextManager[SourceRows]]


@pytest.fixture(
    scope="session",
    params=engines(*ENGINES),
)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    if request.param in SERVERS:
        fixture, load = SERVERS[request.param]
        return load(request.getfixturevalue(fixture))
    return {**BACKENDS, **IN_PROCESS}[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def open_rows(loaded: Loaded) -> Open:
    """Opens the events, the source changed as a test needs it."""

    @contextmanager
    def opened(**changes: Any) -> Iterator[SourceRows]:
        with session(replace(loaded.source, **changes)) as found:
            yield SourceRows(found)

    return opened
