"""An object store for the segments of a home of many machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from object_store import ObjectStore


@pytest.fixture(scope="session")
def objects() -> Iterator[ObjectStore]:
    with ObjectStore.started() as store:
        yield store
