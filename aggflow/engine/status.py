"""A status: what is built of one rollup, how large it is, how its last build went."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.catalog import Build
from aggflow.timeline import WindowSet


@dataclass(frozen=True)
class RollupStatus:
    """What is built of a rollup.

    Attributes
    ----------
    name, source, interval
        Which rollup.
    covered
        The windows that are built.
    data
        Those of them that have events.
    segments, cells, bytes
        How much is stored.
    versions
        How many forms it has had.
    last_build
        The newest build, if there was one.
    """

    name: str
    source: str
    interval: str
    covered: WindowSet
    data: WindowSet
    segments: int
    cells: int
    bytes: int
    versions: int
    last_build: Build | None
