"""The edge of a change: the instant from which on the new form of a rollup holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aggflow.catalog import RollupVersion
from aggflow.spec.rollup import Rollup
from aggflow.timeline import BEGINNING

_CENTURY_US: Final = 36_525 * 86_400_000_000


def edge_of_change(versions: Sequence[RollupVersion], after: Rollup, now_us: int) -> int:
    """From when on a new form holds: where its buckets and those of the form before it both begin.

    A form whose time would begin later still is dropped, and the one before it looked at.
    """
    edge = now_us
    for version in reversed(versions):
        edge = _common_edge(Rollup.from_plain(dict(version.spec)), after, edge)
        if edge > version.validity.start:
            break
    return edge


def _common_edge(before: Rollup, after: Rollup, now_us: int) -> int:
    """The last instant at which buckets of two rollups both begin: no event is in buckets of both.

    The beginning of time where there is none within a century, as between the days of two zones:
    then all is computed anew.
    """
    us = now_us
    while us > now_us - _CENTURY_US:
        edge = after.width.floor(before.width.floor(us, before.zone), after.zone)
        if edge == us:
            return edge
        us = edge
    return BEGINNING
