"""One question asked on every surface gives one number, whatever is built of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from desk import Desk
from wire import Wire

import aggflow as af

Aggregation: Any = af.Aggregation
Field: Any = af.Field
START, END = "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"
EVENTS = [
    # One in five before the day or after it.
    (
        ("2024-12-31 23:59" if i % 10 == 5 else "2025-01-02 00:00")
        if i % 5 == 0
        else f"{i % 23:02}:{i % 60:02}",
        "ab"[i % 2],
        f"{i % 3}",
        None if i % 17 == 1 else i * i,
        None,
    )
    for i in range(400)
]
Numbers = dict[str, Any]


class Case(NamedTuple):
    """A calculation, and what it is called on surfaces that have words of their own."""

    calculation: str
    linq: str
    widget: str | None = None
    percentile: float | None = None


CASES = [
    Case("COUNT", "count()", "count"),
    Case("SUM", "sum(n)", "sum"),
    Case("AVG", "avg(n)", "avg"),
    Case("MIN", "min(n)"),
    Case("MAX", "max(n)"),
    Case("STDDEV", "stddev(n)"),
    Case("PERCENTILES", "percentile95(n)", percentile=0.95),
    Case("APPROX_COUNT_DISTINCT", "hllppcount(n)", "count_distinct"),
]


@pytest.fixture(scope="module", params=[None, "09:00", END], ids=["live", "mixed", "built"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("one"), END.replace("T", " ").removesuffix("Z"), whole=True)
    made.add(*EVENTS)
    kept = Aggregation("n", "n", [case.calculation for case in CASES])
    made.filter(groupings=["@.grp1"], aggregations=[kept])
    made.ws.add_cube("c", source="events", dimensions=["grp1"], measures=[kept])
    made.ws.set_event_source("events", event_type="grp1", session_id="n", values={"value": "n"})
    made.token = made.served.token("admin")
    if request.param:
        until = request.param if "T" not in request.param else "2025-01-02 00:00"
        made.build(until)
    yield made
    made.close()


class Surfaces:
    """The ways in which one calculation can be asked for, of the whole day, by group or for all."""

    def __init__(self, desk: Desk, case: Case, *, grouped: bool) -> None:
        self._desk, self._case, self._grouped = desk, case, grouped
        self._field = Field("v", "n", case.calculation, percentile=case.percentile)
        self._groupings = {"@.grp1": af.All() if grouped else af.Aggregate()}
        self._id = desk.endpoint(timing=af.Lookback("1d"), fields=[self._field], groupings=self._groupings)
        self._remote = af.connect("http://service", desk.token, transport=Wire(desk.served.app))

    def all(self) -> dict[str, Numbers]:
        """By surface, what it says: by group, or for all under an empty text."""
        asked: list[Callable[[], Numbers]] = [
            self.json, self.get, self.csv, self.python, self.filter, self.linq, self.linq_http, self.connect,
            self.connect_linq, self.cube, self.metrics, self.multi, self.compact,
        ]  # fmt: skip
        if self._case.widget is not None:
            asked += [self.widget, self.connect_widget]
        return {ask.__name__: ask() for ask in asked}

    def _rows(self, rows: Any) -> Numbers:
        return {"".join((row.get("groupings") or {}).values()): row["fields"]["v"] for row in rows}

    def json(self) -> Numbers:
        return self._rows(self._desk.rows(self._id, {"end": END}))

    def get(self) -> Numbers:
        answer = self._desk.get(f"/api/v1/data/{self._id}?end={END}")
        return self._rows(answer.json())

    def csv(self) -> Numbers:
        text = self._desk.data(self._id, {"end": END, "format": "CSV"}).text
        _, *rows = csv.reader(io.StringIO(text))
        return {"".join(groups): json.loads(value) for *groups, value in rows}

    def python(self) -> Numbers:
        return self._rows(self._desk.ws.query("e", end=END).rows)

    def filter(self) -> Numbers:
        return self._rows(
            self._desk.ws.ask_filter("f", [self._field], start=START, end=END, groupings=self._groupings).rows
        )

    def _linq(self) -> str:
        by = " by grp1" if self._grouped else ""
        return f"from events group{by} select {self._case.linq} as v"

    def linq(self) -> Numbers:
        return self._rows(self._desk.ws.linq(self._linq(), start=START, end=END).rows)

    def linq_http(self) -> Numbers:
        body = {"linq": self._linq(), "start": START, "end": END}
        return self._rows(self._posted("/api/v1/linq", body)["rows"])

    def connect(self) -> Numbers:
        return self._rows(self._remote.query("e", end=END).rows)

    def connect_linq(self) -> Numbers:
        return self._rows(self._remote.linq(self._linq(), start=START, end=END).rows)

    def cube(self) -> Numbers:
        fields = {
            "v": ":".join(["n", self._case.calculation, *map(str, filter(None, [self._case.percentile]))])
        }
        dimensions = ["grp1"] if self._grouped else []
        return self._rows(self._remote.ask_cube("c", fields, dimensions, start=START, end=END).rows)

    def _query(self, **more: Any) -> dict[str, Any]:
        aggregated = [{"grouping": "@.grp1", "filters": ["$__agg"], "returnGroupingValues": False}]
        return {
            "filterId": self._desk.ws.filters["f"].id,
            "aggregationId": 1,
            "calculation": self._case.calculation,
            "percentile": self._case.percentile,
            "startTime": START,
            "endTime": END,
            "groupingFilters": None if self._grouped else aggregated,
            "recalculatedInterval": {"type": "DAY", "frequency": 1},
            "queryId": "A",
            **more,
        }

    def _posted(self, path: str, body: Any) -> Any:
        answer = self._desk.served.ask("POST", path, self._desk.token, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metrics(self) -> Numbers:
        points = self._posted("/api/v1/metrics/results", self._query())
        return {"".join((point["groupings"] or {}).values()): point["value"] for point in points}

    def multi(self) -> Numbers:
        points = self._posted("/api/v1/metrics/results?multi=true", [self._query(), self._query(queryId="B")])
        assert {point["queryId"] for point in points} == {"A", "B"}
        return {"".join((p["groupings"] or {}).values()): p["value"] for p in points if p["queryId"] == "B"}

    def compact(self) -> Numbers:
        sent = [self._query(optimized=True)]
        rows = iter(self._posted("/api/v1/metrics/results?multi=true", sent))
        return {"".join(start["groupings"].values()): next(rows)["val"] for start in rows}

    def _widget(self) -> dict[str, Any]:
        value = {"value_field": "value"} if self._case.widget in ("sum", "avg") else {}
        group_by = "event_type" if self._grouped else "none"
        return {"event_types": None, "group_by": group_by, "aggregation": self._case.widget,
                "time_window_days": 1, **value}  # fmt: skip

    def widget(self) -> Numbers:
        body = self._posted("/api/workspace/ws_self/dashboards/aggregate", self._widget())
        return {row["key"].replace("all", ""): row["value"] for row in body["rows"]}

    def connect_widget(self) -> Numbers:
        found = self._remote.aggregate(af.WidgetQuery(**self._widget()))
        return {row["key"].replace("all", ""): row["value"] for row in found.rows}


@pytest.mark.parametrize("grouped", [False, True], ids=["all", "by group"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.calculation)
def test_one_number(desk: Desk, case: Case, grouped: bool) -> None:
    found = Surfaces(desk, case, grouped=grouped).all()
    assert set(found["json"]) == ({"a", "b"} if grouped else {""})
    assert all(isinstance(value, int | float) for value in found["json"].values())
    # Deviations are computed of the source's moments or of merged ones: alike but for the rounding of floats.
    same = pytest.approx(found["json"], rel=1e-12) if case.calculation == "STDDEV" else found["json"]
    assert [name for name, said in found.items() if said != same] == [], found


def test_the_number_is_the_right_one(desk: Desk) -> None:
    """That of rows counted by hand; the same for all would be no use were it wrong."""
    day = [event for event in EVENTS if "-" not in event[0]]
    numbers = [event[3] for event in day if event[3] is not None]
    expected = {"COUNT": len(day), "SUM": sum(numbers), "MIN": min(numbers), "MAX": max(numbers)}
    for case in CASES:
        if case.calculation in expected:
            assert Surfaces(desk, case, grouped=False).json() == {"": expected[case.calculation]}
