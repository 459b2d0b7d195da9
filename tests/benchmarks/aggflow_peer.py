"""What aggflow does in the races: the same states, the same answers, through its public names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aggflow as af
from aggflow.timeline import Window, from_datetime

Row = tuple[Any, ...]
TOP = 5


class Home:
    """A workspace over the events, with the rollup and the endpoints of the races.

    Parameters
    ----------
    folder
        Where its home is made.
    files
        The events, a file a day.
    """

    def __init__(self, folder: Path, files: Sequence[Path]) -> None:
        # Every question is asked again and again: the answer that is kept would be all that is measured.
        os.environ["AGGFLOW_ANSWER_BYTES"] = "0"
        self.ws = af.open(folder)
        self.ws.add_source("events", f"{files[0].parent}/*.parquet", time="ts")
        self.ws.add_filter(
            "usage",
            source="events",
            interval="1h",
            groupings=["type", "country"],
            aggregations=[
                af.Aggregation(
                    "amount",
                    field="amount",
                    calculations=[
                        af.Calculation(name)
                        for name in ("COUNT", "SUM", "AVG", "MIN", "MAX", "VAR", "PERCENTILES")
                    ],
                ),
                af.Aggregation(
                    "sessions", field="session_id", calculations=[af.Calculation.APPROX_COUNT_DISTINCT]
                ),
            ],
        )
        p95 = af.Field("p95", "amount", af.Calculation.PERCENTILES, percentile=0.95)
        self.ws.add_endpoint(
            "total",
            filter="usage",
            timing=af.Lookback("24h"),
            fields=[
                af.Field("n", "amount", af.Calculation.COUNT),
                af.Field("total", "amount", af.Calculation.SUM),
                af.Field("mean", "amount", af.Calculation.AVG),
                af.Field("p50", "amount", af.Calculation.PERCENTILES, percentile=0.5),
                p95,
                af.Field("p99", "amount", af.Calculation.PERCENTILES, percentile=0.99),
            ],
        )
        self.ws.add_endpoint(
            "series",
            filter="usage",
            timing=af.TimeSeries("7d"),
            groupings={"type": af.All()},
            fields=[af.Field("n", "amount", af.Calculation.COUNT), p95],
            sort=[af.Sort("dt"), af.Sort("type"), af.Sort("n", "desc")],
            grouping_limits=[af.GroupingLimit("type", TOP)],
        )
        self.ws.add_endpoint(
            "distinct",
            filter="usage",
            timing=af.Lookback("24h"),
            fields=[af.Field("sessions", "sessions", af.Calculation.APPROX_COUNT_DISTINCT)],
        )

    def build(self, until: datetime) -> None:
        """Make all states anew."""
        self.ws.build("usage", until=until, full=True, progress=False)

    def forget_hour(self, end: datetime) -> None:
        """Make the last hour missing."""
        catalog = self.ws._catalog  # the race needs an hour that is not built, again and again
        rollup = catalog.rollups("ws_self")[0]
        version = catalog.versions(rollup.id)[0].number
        hour = Window(from_datetime(end - timedelta(hours=1)), from_datetime(end))
        catalog.drop_window(rollup.id, version, hour, from_datetime(end))

    def refresh(self, until: datetime) -> None:
        """Build what is missing."""
        self.ws.build("usage", until=until, progress=False)

    def total(self, end: datetime) -> list[Row]:
        """n, sum, average and three percentiles of 24 hours."""
        return [tuple(row["fields"].values()) for row in self.ws.query("total", end=end, live=False).rows]

    def series(self, end: datetime) -> list[Row]:
        """Hour, type, count and percentile 95 of the five types most frequent in 7 days."""
        rows = self.ws.query("series", end=end, live=False).rows
        return [
            (
                datetime.fromisoformat(row["dt"]).replace(tzinfo=None),
                row["groupings"]["type"],
                row["fields"]["n"],
                row["fields"]["p95"],
            )
            for row in rows
        ]

    def distinct(self, end: datetime) -> list[Row]:
        """Sessions of 24 hours."""
        return [(self.ws.query("distinct", end=end, live=False).rows[0]["fields"]["sessions"],)]
