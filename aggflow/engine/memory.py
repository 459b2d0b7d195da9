"""A memory: the DuckDB without a file on which what is small already is computed."""

from __future__ import annotations

import threading
from typing import Any

import ibis

_local = threading.local()


def memory() -> Any:
    """A DuckDB connection in memory, one a thread."""
    if not hasattr(_local, "con"):
        _local.con = ibis.duckdb.connect(threads=1)
    return _local.con
