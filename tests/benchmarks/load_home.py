"""A home under load: the demo's flights, moved to the present, whose last days are in one of two states.

In the state ``b`` every flight of the last eight whole days happened twice, 100 minutes later each, so
that no answer about them that mixes both states equals one of either.  The flights go on for some hours
after now and are the same there in both states: what is read live is known as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import aggflow as af
from aggflow import demo
from aggflow.spec.definitions import Definitions
from aggflow.workspace import Workspace

State: TypeAlias = Literal["a", "b"]
STATES: Final[tuple[State, ...]] = get_args(State)
CHANGED: Final = timedelta(days=8)
HOURS_AHEAD: Final = 6
"""The home is of use for so many hours after it was made."""


@dataclass(frozen=True)
class LoadHome:
    """A home on disk.

    Attributes
    ----------
    folder
        Where it is.
    hour
        The hour in which it was made; what is before it, back to eight days, is in one of the two states.
    """

    folder: Path
    hour: datetime

    @classmethod
    def make(cls, folder: Path, now: datetime) -> LoadHome:
        """Declare and build everything; it ends in the state ``a``.

        Parameters
        ----------
        folder
            An empty one.
        now
            The present.
        """
        home = cls(folder, now.replace(minute=0, second=0, microsecond=0))
        for state, table in zip(STATES, _both(home.hour), strict=True):
            pq.write_table(table, home._flights(state), compression="zstd")
        home._use("a")
        with home.opened() as ws:
            _declare(ws, home._source)
            home.build(ws, "a")
        return home

    def hours(self) -> list[datetime]:
        """The hours in which the home is of use, by their start."""
        return [self.hour + timedelta(hours=ahead) for ahead in range(HOURS_AHEAD - 1)]

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """Its workspace."""
        with af.open(self.folder / "home") as ws:
            yield ws

    def build(self, ws: Workspace, state: State) -> None:
        """Replace the last days' states by those of a state, in one transaction."""
        self._use(state)
        ws.build("delays", progress=False)

    @property
    def _source(self) -> Path:
        return self.folder / "flights.parquet"

    def _flights(self, state: State) -> Path:
        return self.folder / f"flights-{state}.parquet"

    def _use(self, state: State) -> None:
        # Put in place at once: whoever reads sees one file or the other.
        partial = self._source.with_suffix(".partial")
        shutil.copy(self._flights(state), partial)
        partial.replace(self._source)


def _both(hour: datetime) -> tuple[pa.Table, pa.Table]:
    """The flights in both states, ordered by time."""
    flights = demo.read_flights()
    shift = hour + timedelta(hours=HOURS_AHEAD) - demo.END
    column = flights.schema.get_field_index("departure")
    moved = pc.call_function("add", [flights["departure"], pa.scalar(shift, pa.duration("us"))])
    flights = flights.set_column(column, "departure", moved)
    since, until = (pa.scalar(at, pa.timestamp("us", "UTC")) for at in (hour - CHANGED, hour))
    changing = pc.field("departure") >= since, pc.field("departure") < until
    late = flights.filter(changing[0] & changing[1])
    delay = late.schema.get_field_index("dep_delay")
    late = late.set_column(delay, "dep_delay", pc.call_function("add", [late["dep_delay"], 100]))
    rest = flights.filter(~(changing[0] & changing[1]))
    return flights, pa.concat_tables([rest, late, late]).sort_by("departure")


def _declare(ws: Workspace, source: Path) -> None:
    # As much is built anew each time as changes, and a day more.
    ws.add_source("flights", str(source), time="departure", lateness=f"{CHANGED.days + 1}d")
    ws.apply_definitions(Definitions(filters=(demo.DELAYS,)))
    fields: list[Any] = [
        af.Field("flights", "delay", af.Calculation.COUNT),
        af.Field("average", "delay", af.Calculation.AVG),
        af.Field("p95", "delay", af.Calculation.PERCENTILES, percentile=0.95),
    ]
    day, week = af.Lookback("24h", include_incomplete=True), af.TimeSeries("7d", interval="1h")
    chosen = {"carrier": af.QueryTime(returned=False)}
    ws.add_endpoint("total", filter="delays", timing=day, fields=fields)
    ws.add_endpoint("series", filter="delays", timing=week, fields=fields)
    ws.add_endpoint("chosen total", filter="delays", timing=day, fields=fields, groupings=chosen)
    ws.add_endpoint("chosen series", filter="delays", timing=week, fields=fields, groupings=chosen)


def present() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
