"""A memory: the engine without a file on which what is small already is computed."""

from __future__ import annotations

import threading
from typing import Any, Final

import ibis

from aggflow.backends.capabilities import capability
from aggflow.backends.capability import Capability

CAPABILITY: Final[Capability] = capability("duckdb")

_local = threading.local()


def memory() -> Any:
    """A connection to it, one a thread."""
    if not hasattr(_local, "con"):
        _local.con = ibis.duckdb.connect(threads=1)
    return _local.con
