"""The endpoints API, as its documentation has it: each request, answer and setting of it, each limit and one beyond."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, moment
from documented_shape import assert_shaped
from shapes import check_error

import aggflow as af
from aggflow.errors import SourceUnavailableError, SpecError

Aggregation: Any = af.Aggregation
Field: Any = af.Field

# What the documentation shows, letter by letter.
DOCUMENTED_PATH = "/api/v1/data/{id}"
DOCUMENTED_EMPTY = "{}"
DOCUMENTED_CSV = """{
    "format": "CSV"
}"""
DOCUMENTED_FILTERS = """{
    "groupingFilters": {
        "@.grp1": ["GroupingValueIWant1", "GroupingValueIWant2"]
    }
}"""
DOCUMENTED_ANSWER = [
    {
        "groupings": {"@.grp1": "Grouping1", "@.grp2": "Grouping2"},
        "fields": {"field_1": 123, "field_2": 22.33},
    }
]
DOCUMENTED_CSV_ANSWER = "@.grp1,@.grp2,field_1,field_2\r\nGrouping1,Grouping2,123,22.33\r\n"
DOCUMENTED_FILTERED = [
    {"groupings": {"@.grp1": "GroupingValueIWant1"}, "fields": {"field_1": 333}},
    {"groupings": {"@.grp1": "GroupingValueIWant2"}, "fields": {"field_1": -100.7}},
]
# The documentation's events of "Duration calculations", and with 11 at 12:00, of which all five totals can be made.
DOCUMENTED_EVENTS = [1, 10, 2, 8, 1, 2, 100]
DOCUMENTED_TOTALS = [103, 3, 113, 34, 21]
REPAIRED_EVENTS = [11, *DOCUMENTED_EVENTS[1:]]
TOTALS = [103, 3, 113, 24, 11]
SCENARIOS: list[tuple[af.Lookback, dict[str, str]]] = [
    (af.Lookback("4m", include_incomplete=True), {}),
    (af.Lookback("3m", include_incomplete=False), {}),
    (af.Lookback("6m", include_incomplete=True), {}),
    (af.Lookback("6m", include_incomplete=False, offset="1m"), {}),
    (af.Lookback("6m", include_incomplete=False, offset="1m"), {"end": "2025-01-01 12:04:00"}),
]

BOTH = ["@.grp1", "@.grp2"]
ALL = {name: af.All() for name in BOTH}
AGGREGATIONS = [
    Aggregation("n", "n", ["COUNT", "SUM", "MIN", "MAX", "AVG"]),
    Aggregation("x", "@.x", ["SUM", "MAX", "PERCENTILES", "APPROX_COUNT_DISTINCT"]),
]
COUNT = Field("count", "n", "COUNT")
SUM = Field("sum", "n", "SUM")
DAY = af.Lookback("24h")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def filled(desk: Desk, *rows: Any) -> Desk:
    """With events, and a filter of both groupings."""
    desk.add(*rows)
    desk.filter(groupings=BOTH, aggregations=AGGREGATIONS)
    return desk


SOME = [
    ("09:10", "a", "x", 1, 1.5),
    ("09:40", "a", "y", 2, 2.5),
    ("10:05", "b", "x", 4, None),
    ("10:55", "b", None, 8, 4.0),
    ("11:20", None, "x", 16, 8.0),
    ("12:05", "a", "x", 32, 16.0),
]


class TestExamples:
    """The requests of the documentation, sent verbatim."""

    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        desk.add(
            ("09:10", "Grouping1", "Grouping2", 23, 22.33),
            ("09:20", "Grouping1", "Grouping2", 100, 7.0),
        )
        desk.filter(groupings=BOTH, aggregations=AGGREGATIONS)
        fields = [Field("field_1", "n", "SUM"), Field("field_2", "x", "MAX")]
        return desk.endpoint(timing=DAY, groupings=ALL, fields=fields)

    def test_an_empty_object(self, desk: Desk, asked: str) -> None:
        answer = desk.post(DOCUMENTED_PATH.format(id=asked), content=DOCUMENTED_EMPTY)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == DOCUMENTED_ANSWER
        assert_shaped(answer.json(), DOCUMENTED_ANSWER)

    def test_as_csv(self, desk: Desk, asked: str) -> None:
        answer = desk.post(DOCUMENTED_PATH.format(id=asked), content=DOCUMENTED_CSV)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.content == DOCUMENTED_CSV_ANSWER.encode()

    def test_of_grouping_values(self, desk: Desk) -> None:
        desk.add(
            ("09:10", "GroupingValueIWant1", None, None, 333.0),
            ("09:20", "GroupingValueIWant2", None, None, -100.7),
            ("09:30", "AnotherValue", None, None, 1.0),
        )
        desk.filter(groupings=["@.grp1"], aggregations=AGGREGATIONS)
        asked = desk.endpoint(
            timing=DAY, groupings={"@.grp1": af.QueryTime()}, fields=[Field("field_1", "x", "SUM")]
        )
        answer = desk.post(DOCUMENTED_PATH.format(id=asked), content=DOCUMENTED_FILTERS)
        assert answer.status_code == 200
        assert answer.json() == DOCUMENTED_FILTERED
        assert [list(row) for row in answer.json()] == [["groupings", "fields"]] * 2


class TestDurations:
    """The five totals of the documentation, of both sets of events, however much of them is built."""

    @pytest.mark.parametrize("until", [None, "12:05:30", "12:07"])
    @pytest.mark.parametrize(
        ("events", "totals"),
        [(DOCUMENTED_EVENTS, TOTALS), (REPAIRED_EVENTS, DOCUMENTED_TOTALS)],
        ids=["printed", "repaired"],
    )
    def test_totals(self, desk: Desk, events: list[int], totals: list[int], until: str | None) -> None:
        desk.add(*((f"12:0{minute}", None, None, n, None) for minute, n in enumerate(events)))
        desk.filter("2m", aggregations=AGGREGATIONS)
        if until:
            desk.build(until)
        found: list[int] = []
        for number, (timing, body) in enumerate(SCENARIOS):
            asked = desk.endpoint(f"scenario {number}", timing=timing, fields=[Field("total", "n", "SUM")])
            found += [row["fields"]["total"] for row in desk.rows(asked, body)]
        assert found == totals

    def test_the_aggregates_of_the_table(self, desk: Desk) -> None:
        desk.add(*((f"12:0{minute}", None, None, n, None) for minute, n in enumerate(DOCUMENTED_EVENTS)))
        desk.filter("2m", aggregations=AGGREGATIONS)
        asked = desk.endpoint(timing=af.TimeSeries("1h", include_incomplete=True), fields=[SUM])
        assert [(row["dt"], row["fields"]["sum"]) for row in desk.rows(asked)] == [
            ("2025-01-01T12:00:00Z", 11),
            ("2025-01-01T12:02:00Z", 10),
            ("2025-01-01T12:04:00Z", 3),
            ("2025-01-01T12:06:00Z", 100),
        ]


class TestEnd:
    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        return filled(desk, *SOME).endpoint(timing=DAY, fields=[COUNT])

    @pytest.mark.parametrize(
        ("end", "count"),
        [
            # A bucket is selected by its start: the one of 10:00 has both of its events at 10:00:00.001.
            ("2025-01-01T10:00:00Z", 2),
            ("2025-01-01T10:00:00.001Z", 4),
            ("2025-01-01T12:30:00+02:30", 2),
            ("2025-01-01 10:00:00", 2),
            ("2025-01-02", 6),
            ("2025-01-01", 0),
            (1735725600000, 2),
            ("1735725600000", 2),
            (1735725600001.0, 4),
            ("2025-01-01T23:59:59Z", 6),
            # In the future; and so far from any event that nothing is counted.
            ("2025-01-02T08:00:00Z", 6),
            ("1970-01-02", 0),
            ("9999-12-31T22:59:59Z", 0),
            (0, 0),
            (-1, 0),
            (None, 6),
        ],
    )
    def test_every_form_of_a_time(self, desk: Desk, asked: str, end: Any, count: int) -> None:
        assert desk.rows(asked, {"end": end}) == [{"fields": {"count": count}}]

    def test_it_is_now_by_default(self, desk: Desk, asked: str) -> None:
        assert desk.rows(asked, {}) == [{"fields": {"count": 6}}]
        desk.now = moment("12:00")
        assert desk.rows(asked, {}) == [{"fields": {"count": 5}}]

    @pytest.mark.parametrize(
        "end",
        [
            "yesterday",
            "",
            "2025-13-01",
            "2025-01-32T00:00:00Z",
            "12:00",
            True,
            [],
            {},
            ["2025-01-01"],
            1e300,
            10**18,
        ],
    )
    def test_what_is_no_time_is_refused(self, desk: Desk, asked: str, end: Any) -> None:
        answer = desk.data(asked, {"end": end})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["end"]
        check_error("endpoints", answer)


class TestFormat:
    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        return filled(desk, *SOME).endpoint(timing=DAY, fields=[COUNT])

    @pytest.mark.parametrize("name", ["JSON", "json", "Json", None])
    def test_json(self, desk: Desk, asked: str, name: str | None) -> None:
        answer = desk.data(asked, {"format": name})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.content == b'[{"fields":{"count":6}}]'

    @pytest.mark.parametrize("name", ["CSV", "csv", "cSv"])
    def test_csv(self, desk: Desk, asked: str, name: str) -> None:
        answer = desk.data(asked, {"format": name})
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.content == b"count\r\n6\r\n"

    @pytest.mark.parametrize("name", ["XML", "", "CSV ", 1, True, ["CSV"], {}])
    def test_others_are_refused(self, desk: Desk, asked: str, name: Any) -> None:
        answer = desk.data(asked, {"format": name})
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"field": "format", "message": "must be JSON or CSV"}]
        check_error("endpoints", answer)


class TestBody:
    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        return filled(desk, *SOME).endpoint(timing=DAY, fields=[COUNT])

    @pytest.mark.parametrize(
        "content", ["", " \n", "{}", '{"end": null, "format": null, "groupingFilters": null}', '{"more": 1}']
    )
    def test_it_may_be_empty_and_what_it_says_beyond_is_read_over(
        self, desk: Desk, asked: str, content: str
    ) -> None:
        answer = desk.post(f"/api/v1/data/{asked}", content=content)
        assert (answer.status_code, answer.json()) == (200, [{"fields": {"count": 6}}])

    @pytest.mark.parametrize(
        "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""]
    )
    def test_its_content_type_does_not_matter(self, desk: Desk, asked: str, kind: str) -> None:
        answer = desk.post(f"/api/v1/data/{asked}", content="{}", headers={"Content-Type": kind})
        assert answer.status_code == 200

    @pytest.mark.parametrize("content", ["{", "x", "[]", "null", "1", '"{}"', '{"end": NaN}', "{'end': 1}"])
    def test_what_is_no_object_is_refused(self, desk: Desk, asked: str, content: str) -> None:
        answer = desk.post(f"/api/v1/data/{asked}", content=content)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["body"]
        check_error("endpoints", answer)

    def test_a_time_beyond_the_calendar_is_refused(self, desk: Desk, asked: str) -> None:
        """Its last interval would end in the year 10000."""
        answer = desk.data(asked, {"end": "9999-12-31T23:00:01Z"})
        assert (answer.status_code, "calendar" in answer.json()["message"]) == (400, True)
        check_error("endpoints", answer)

    def test_all_that_is_wrong_is_named_at_once(self, desk: Desk, asked: str) -> None:
        answer = desk.data(asked, {"end": "x", "format": "y", "groupingFilters": 1})
        assert [error["field"] for error in answer.json()["errors"]] == ["end", "format", "groupingFilters"]

    def test_a_megabyte_is_the_most(self, desk: Desk, asked: str) -> None:
        blank = json.dumps({"more": ""})
        longest = json.dumps({"more": "x" * (2**20 - len(blank))})
        assert desk.post(f"/api/v1/data/{asked}", content=longest).status_code == 200
        answer = desk.post(f"/api/v1/data/{asked}", content=longest.replace("x", "xx", 1))
        assert answer.status_code == 413
        check_error("endpoints", answer)


class TestGroupingFilters:
    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        choices = {"@.grp1": af.QueryTime(), "@.grp2": af.QueryTime(returned=False)}
        return filled(desk, *SOME).endpoint(timing=DAY, groupings=choices, fields=[COUNT])

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            (["a"], ["x"], {"a": 2}),
            (["a", "b"], ["x", "y", None], {"a": 3, "b": 2}),
            (["b"], [None], {"b": 1}),
            ([None], ["x"], {None: 1}),
            (["null"], ["x"], {}),
            (["none", "a", "a"], ["x", "none"], {"a": 2}),
            ([True, 1, 1.5], ["x"], {}),
        ],
    )
    def test_values_are_kept_and_told_where_they_are_returned(
        self, desk: Desk, asked: str, first: Any, second: Any, expected: Any
    ) -> None:
        rows = desk.rows(asked, {"groupingFilters": {"@.grp1": first, "@.grp2": second}})
        assert {row["groupings"]["@.grp1"]: row["fields"]["count"] for row in rows} == expected
        assert all(list(row["groupings"]) == ["@.grp1"] for row in rows)

    @pytest.mark.parametrize(
        ("filters", "fields"),
        [
            (None, ["groupingFilters.@.grp1", "groupingFilters.@.grp2"]),
            ({}, ["groupingFilters.@.grp1", "groupingFilters.@.grp2"]),
            ({"@.grp1": ["a"]}, ["groupingFilters.@.grp2"]),
            ({"@.grp1": ["a"], "@.grp2": ["x"], "@.grp3": ["y"]}, ["groupingFilters.@.grp3"]),
            ({"@.grp1": [], "@.grp2": ["x"]}, ["groupingFilters.@.grp1"]),
            ({"@.grp1": "a", "@.grp2": ["x"]}, ["groupingFilters.@.grp1"]),
            ({"@.grp1": {"a": 1}, "@.grp2": None}, ["groupingFilters.@.grp1", "groupingFilters.@.grp2"]),
            (
                {"@.grp1": ["a", ["b"], {}], "@.grp2": ["x"]},
                ["groupingFilters.@.grp1[1]", "groupingFilters.@.grp1[2]"],
            ),
            ([], ["groupingFilters"]),
            ("@.grp1", ["groupingFilters"]),
            (7, ["groupingFilters"]),
        ],
    )
    def test_what_does_not_fit_is_named(
        self, desk: Desk, asked: str, filters: Any, fields: list[str]
    ) -> None:
        answer = desk.data(asked, {"groupingFilters": filters})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == fields
        check_error("endpoints", answer)

    @pytest.mark.parametrize("choice", [af.Aggregate(), af.All(), af.Fixed(["a"])])
    def test_a_grouping_that_is_not_of_query_time_takes_none(self, desk: Desk, choice: Any) -> None:
        asked = filled(desk, *SOME).endpoint(timing=DAY, groupings={"@.grp1": choice}, fields=[COUNT])
        answer = desk.data(asked, {"groupingFilters": {"@.grp1": ["a"]}})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["groupingFilters.@.grp1"]

    def test_values_of_any_type_are_compared_by_their_text(self, desk: Desk) -> None:
        desk.add(("09:00", "7", None, 7, 2.5), ("09:10", "true", None, 8, None))
        desk.filter(groupings=["@.grp1", "@.n", "@.x"])
        for name, values, count in (
            ("@.grp1", [7], 1),
            ("@.grp1", [True], 1),
            ("@.n", ["7"], 1),
            ("@.n", [7.0, 8], 2),
            ("@.x", ["2.5"], 1),
            ("@.x", [None], 1),
        ):
            asked = desk.endpoint(
                timing=DAY,
                groupings={name: af.QueryTime(returned=False)},
                fields=[Field("c", "events", "COUNT")],
            )
            assert desk.rows(asked, {"groupingFilters": {name: values}}) == [{"fields": {"c": count}}]


class TestGroupings:
    """The four options of the documentation's table, and whether they return values."""

    @pytest.mark.parametrize(
        ("choice", "groups"),
        [
            (None, {None: 63}),
            (af.Aggregate(), {None: 63}),
            (af.Fixed(["a", "b"], returned=False), {None: 47}),
            (af.Fixed(["a", "b"], returned=True), {"a": 35, "b": 12}),
            (af.All(), {"a": 35, "b": 12, "null": 16}),
        ],
    )
    def test_options(self, desk: Desk, choice: Any, groups: Any) -> None:
        choices = {} if choice is None else {"@.grp1": choice}
        rows = filled(desk, *SOME).rows(desk.endpoint(timing=DAY, groupings=choices, fields=[SUM]))
        found = {
            (str(row["groupings"]["@.grp1"] or "null") if "groupings" in row else None): row["fields"]["sum"]
            for row in rows
        }
        assert found == groups
        returned = groups.keys() != {None}
        assert all(list(row) == (["groupings", "fields"] if returned else ["fields"]) for row in rows)

    def test_values_have_the_type_of_their_column_and_aliases_their_name(self, desk: Desk) -> None:
        desk.add(("09:00", "a", None, 7, 2.5))
        desk.filter(groupings=["@.grp1", {"path": "@.n", "alias": 'Número, "n"'}, "@.x"])
        names = ["@.grp1", 'Número, "n"', "@.x"]
        asked = desk.endpoint(
            timing=DAY, groupings={name: af.All() for name in names}, fields=[Field("c", "events", "COUNT")]
        )
        assert desk.rows(asked) == [
            {"groupings": {"@.grp1": "a", names[1]: 7, "@.x": 2.5}, "fields": {"c": 1}}
        ]
        answer = desk.data(asked, {"format": "CSV"})
        assert answer.content.decode() == '@.grp1,"Número, ""n""",@.x,c\r\na,7,2.5,1\r\n'

    def test_columns_are_in_the_filters_order_whatever_the_endpoints(self, desk: Desk) -> None:
        asked = filled(desk, *SOME).endpoint(
            timing=DAY, groupings={"@.grp2": af.All(), "@.grp1": af.All()}, fields=[SUM, COUNT]
        )
        assert list(desk.rows(asked)[0]["groupings"]) == BOTH
        assert desk.data(asked, {"format": "CSV"}).text.splitlines()[0] == "@.grp1,@.grp2,sum,count"


class TestTiming:
    def test_an_hourly_filter_at_half_past(self, desk: Desk) -> None:
        """With incomplete intervals the minutes of this hour count, without them the window moves back."""
        desk.now = moment("12:30")
        filled(desk, *SOME)
        for incomplete, total in ((True, 32 + 16), (False, 16 + 12)):
            asked = desk.endpoint(timing=af.Lookback("2h", include_incomplete=incomplete), fields=[SUM])
            assert desk.rows(asked) == [{"fields": {"sum": total}}]

    def test_incomplete_intervals_are_in_lookbacks_and_not_in_series_by_default(self, desk: Desk) -> None:
        filled(desk, *SOME)
        lookback = desk.endpoint("l", timing=af.Lookback("1h"), fields=[SUM])
        assert desk.rows(lookback) == [{"fields": {"sum": 32}}]
        series = desk.endpoint("s", timing=af.TimeSeries("2h"), fields=[SUM])
        assert [row["dt"][11:16] for row in desk.rows(series)] == ["10:00", "11:00"]

    def test_a_series_has_a_row_an_interval_that_has_events(self, desk: Desk) -> None:
        filled(desk, *SOME)
        asked = desk.endpoint(timing=af.TimeSeries("24h"), groupings={"@.grp1": af.All()}, fields=[SUM])
        rows = desk.rows(asked)
        assert [list(row) for row in rows] == [["dt", "groupings", "fields"]] * 3
        assert [(row["dt"], row["groupings"]["@.grp1"], row["fields"]["sum"]) for row in rows] == [
            ("2025-01-01T09:00:00Z", "a", 3),
            ("2025-01-01T10:00:00Z", "b", 12),
            ("2025-01-01T11:00:00Z", None, 16),
        ]
        text = desk.data(asked, {"format": "CSV"}).text
        assert text == (
            "dt,@.grp1,sum\r\n2025-01-01T09:00:00Z,a,3\r\n2025-01-01T10:00:00Z,b,12\r\n2025-01-01T11:00:00Z,,16\r\n"
        )

    @pytest.mark.parametrize(
        ("fill", "values"),
        [
            ("none", [("09:00", 3), ("11:00", 16)]),
            ("null", [("09:00", 3), ("10:00", None), ("11:00", 16)]),
            ("zero", [("09:00", 3), ("10:00", 0), ("11:00", 16)]),
        ],
    )
    def test_intervals_without_events_are_left_out_or_filled(
        self, desk: Desk, fill: Any, values: Any
    ) -> None:
        filled(desk, *(row for row in SOME if row[0][:2] != "10"))
        asked = desk.endpoint(timing=af.TimeSeries("3h", fill=fill), fields=[SUM])
        found = desk.rows(asked, {"end": "2025-01-01T12:00:00Z"})
        assert [(row["dt"][11:16], row["fields"]["sum"]) for row in found] == values

    def test_its_interval_may_be_longer_than_the_filters(self, desk: Desk) -> None:
        filled(desk, *SOME)
        asked = desk.endpoint(timing=af.TimeSeries("12h", interval="3h"), fields=[SUM])
        assert [(row["dt"][11:16], row["fields"]["sum"]) for row in desk.rows(asked)] == [("09:00", 31)]

    def test_an_offset_moves_the_end_back(self, desk: Desk) -> None:
        filled(desk, *SOME)
        for offset, total in (("0s", 63), ("1h", 31), ("3h", 3), ("1d", None)):
            asked = desk.endpoint(timing=af.Lookback("24h", offset=offset), fields=[SUM])
            assert desk.rows(asked) == [{"fields": {"sum": total}}]

    @pytest.mark.parametrize(
        ("timing", "path"),
        [
            (af.Lookback("1h"), ""),
            (af.Lookback("59m"), "timing.duration"),
            (af.TimeSeries("61m"), ""),
            (af.TimeSeries("1h"), "timing.duration"),
            (af.TimeSeries("4h", interval="2h"), ""),
            (af.TimeSeries("4h", interval="1h"), ""),
            (af.TimeSeries("4h", interval="30m"), "timing.interval"),
            (af.TimeSeries("4h", interval="90m"), "timing.interval"),
            (af.TimeSeries("2h", interval="2h"), "timing.duration"),
        ],
    )
    def test_limits(self, desk: Desk, timing: Any, path: str) -> None:
        """A duration reaches the interval, in a series it exceeds it; an interval is a multiple."""
        filled(desk)
        if not path:
            desk.endpoint(timing=timing, fields=[COUNT])
            return
        with pytest.raises(SpecError) as caught:
            desk.endpoint(timing=timing, fields=[COUNT])
        assert [problem.path for problem in caught.value.problems] == [path]


class TestFields:
    def test_every_calculation_and_what_is_null(self, desk: Desk) -> None:
        filled(desk, *SOME[:3])
        fields = [
            COUNT,
            SUM,
            Field("min", "n", "MIN"),
            Field("max", "n", "MAX"),
            Field("avg", "n", "AVG"),
            Field("top", "x", "PERCENTILES", percentile=1),
            Field("distinct", "x", "APPROX_COUNT_DISTINCT"),
        ]
        asked = desk.endpoint(timing=DAY, fields=fields)
        (row,) = desk.rows(asked)
        top = row["fields"].pop("top")
        assert row["fields"] == {"count": 3, "sum": 7, "min": 1, "max": 4, "avg": 7 / 3, "distinct": 2}
        assert abs(top - 2.5) <= 2.5 * 0.005
        (nothing,) = desk.rows(asked, {"end": "2020-01-01"})
        empty = {"count": 0, "sum": None, "min": None, "max": None, "avg": None, "top": None, "distinct": 0}
        assert nothing == {"fields": empty}
        assert list(nothing["fields"]) == [field.name for field in fields]
        text = desk.data(asked, {"end": "2020-01-01", "format": "CSV"}).text
        assert text == "count,sum,min,max,avg,top,distinct\r\n0,,,,,,0\r\n"

    def test_a_field_of_a_lookback_may_have_a_time_of_its_own(self, desk: Desk) -> None:
        filled(desk, *SOME)
        fields = [
            SUM,
            Field("hour", "n", "SUM", duration="1h"),
            Field("before", "n", "SUM", duration="2h", offset="2h"),
            Field("complete", "n", "SUM", duration="1h", include_incomplete=False),
        ]
        (row,) = desk.rows(desk.endpoint(timing=DAY, fields=fields))
        assert row["fields"] == {"sum": 63, "hour": 32, "before": 15, "complete": 16}

    def test_its_groups_are_those_of_all_windows(self, desk: Desk) -> None:
        filled(desk, *SOME)
        fields = [
            Field("late", "n", "SUM", duration="1h"),
            Field("c", "n", "COUNT", duration="1h", offset="1h"),
        ]
        rows = desk.rows(desk.endpoint(timing=DAY, groupings={"@.grp1": af.All()}, fields=fields))
        assert [(row["groupings"]["@.grp1"], *row["fields"].values()) for row in rows] == [
            ("a", 32, 0),
            (None, None, 1),
        ]

    @pytest.mark.parametrize(
        ("field", "path"),
        [
            ({"percentile": 0.0}, ""),
            ({"percentile": 1.0}, ""),
            ({"percentile": -0.01}, "percentile"),
            ({"percentile": 1.01}, "percentile"),
            ({}, "percentile"),
            ({"calculation": "SUM", "percentile": 0.5}, "percentile"),
            ({"percentile": 0.5, "duration": "30m"}, "fields[0].duration"),
            ({"percentile": 0.5, "aggregation": "y"}, "fields[0].aggregation"),
            ({"calculation": "MIN"}, "fields[0].calculation"),
            ({"percentile": 0.5, "name": "_a9"}, ""),
            ({"percentile": 0.5, "name": "9a"}, "name"),
            ({"percentile": 0.5, "name": "a b"}, "name"),
            ({"percentile": 0.5, "name": ""}, "name"),
        ],
    )
    def test_limits(self, desk: Desk, field: dict[str, Any], path: str) -> None:
        filled(desk)
        wanted = {"name": "p", "aggregation": "x", "calculation": "PERCENTILES", **field}
        if not path:
            desk.endpoint(timing=DAY, fields=[Field(**wanted)])
            return
        with pytest.raises(SpecError) as caught:
            desk.endpoint(timing=DAY, fields=[Field(**wanted)])
        assert [problem.path for problem in caught.value.problems] == [path]


class TestSort:
    def test_by_a_field_or_a_grouping_up_or_down_nulls_last(self, desk: Desk) -> None:
        filled(desk, *SOME)
        for sort, order in (
            ([], ["a", "b", None]),
            ([af.Sort("@.grp1", "desc")], ["b", "a", None]),
            ([af.Sort("sum")], ["b", None, "a"]),
            ([af.Sort("sum", "desc")], ["a", None, "b"]),
        ):
            asked = desk.endpoint(timing=DAY, groupings={"@.grp1": af.All()}, fields=[SUM], sort=sort)
            assert [row["groupings"]["@.grp1"] for row in desk.rows(asked)] == order

    def test_a_lookback_has_a_thousand_rows_by_default(self, desk: Desk) -> None:
        desk.add(*(("09:00", f"{number:04}", None, number, None) for number in range(1001)))
        desk.filter(groupings=["@.grp1"], aggregations=AGGREGATIONS)
        options: Any = {"timing": DAY, "groupings": {"@.grp1": af.All()}, "fields": [SUM]}
        for limit, count in ((None, 1000), (1001, 1001), (2000, 1001), (1, 1)):
            rows = desk.rows(desk.endpoint(**options, limit=limit))
            assert [row["fields"]["sum"] for row in rows] == list(range(count))
        with pytest.raises(SpecError, match="limit"):
            desk.endpoint(**options, limit=0)

    def test_a_series_has_all_of_its_rows_up_to_a_hundred_thousand(self, desk: Desk) -> None:
        minutes = 100_001
        desk.sql(
            "INSERT INTO events SELECT TIMESTAMP '2024-10-01' + to_minutes(i), NULL, NULL, i, NULL "
            f"FROM range({minutes}) r(i)"
        )
        desk.filter("1m", aggregations=AGGREGATIONS)
        desk.build()
        end = f"{moment('2024-10-01').timestamp() * 1000 + minutes * 60_000:.0f}"
        most = desk.endpoint("most", timing=af.TimeSeries(f"{minutes - 1}m"), fields=[COUNT])
        answer = desk.data(most, {"end": end})
        assert len(answer.json()) == 100_000
        beyond = desk.endpoint("beyond", timing=af.TimeSeries(f"{minutes}m"), fields=[COUNT])
        refused = desk.data(beyond, {"end": end})
        assert refused.status_code == 400
        assert "at most 100,000" in refused.json()["message"]
        assert "shorten the duration" in refused.json()["message"]
        limited = desk.endpoint("limited", timing=af.TimeSeries(f"{minutes}m"), fields=[COUNT], limit=3)
        assert len(desk.rows(limited, {"end": end})) == 3

    def test_a_leaderboard_of_the_best_players_of_each_team(self, desk: Desk) -> None:
        players = [(f"team {t:02}", f"player {p}", t * 100 + p) for t in range(12) for p in range(7)]
        desk.add(*(("09:00", team, player, points, None) for team, player, points in players))
        filled(desk)
        asked = desk.endpoint(
            timing=DAY,
            groupings=ALL,
            fields=[SUM],
            sort=[af.Sort("sum", "desc")],
            grouping_limits=[("@.grp1", 10), ("@.grp2", 5)],
        )
        rows = desk.rows(asked)
        best = [(team, player) for team, player, _ in sorted(players, key=lambda one: -one[2])]
        expected = [(t, p) for t, p in best if int(t[-2:]) >= 2 and int(p[-1]) >= 2]
        assert [tuple(row["groupings"].values()) for row in rows] == expected
        assert len(rows) == 50


VALUES = [
    "żółć",
    "北京",
    "\N{DROMEDARY CAMEL}\N{ZERO WIDTH JOINER}\N{FIRE}",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc",
    'say "hi"',
    "it's",
    "a,b",
    "a\nb",
    "a\r\nb",
    " a ",
    "'; DROP TABLE events; --",
    "%",
    "$__agg",
    '=HYPERLINK("http://x")',
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "\\",
    "\\u0041",
    "null",
    "",
    "x" * 10_000,
    "é" * 10_000,
]


@pytest.fixture(scope="module")
def valued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("values"))
    rows = [("09:00", value, value[::-1], number, None) for number, value in enumerate(VALUES)]
    filled(desk, *rows, ("09:00", None, None, -1, None))
    desk.build()
    yield desk
    desk.close()


class TestValues:
    """Whatever a value of a grouping is: it comes out as it went in, and can be asked for."""

    def test_json(self, valued: Desk) -> None:
        asked = valued.endpoint("all", timing=DAY, groupings=ALL, fields=[SUM], sort=[af.Sort("sum")])
        found = [(*row["groupings"].values(), row["fields"]["sum"]) for row in valued.rows(asked)]
        expected = [(value, value[::-1], number) for number, value in enumerate(VALUES)]
        assert found == [(None, None, -1), *expected]

    def test_csv(self, valued: Desk) -> None:
        """Cells are not altered, and null is told from an empty text, which csv cannot."""
        asked = valued.endpoint("all", timing=DAY, groupings=ALL, fields=[SUM], sort=[af.Sort("sum")])
        text = valued.data(asked, {"format": "CSV"}).content.decode()
        read = list(csv.reader(io.StringIO(text, newline="")))
        expected = [[value, value[::-1], str(number)] for number, value in enumerate(VALUES)]
        assert read == [[*BOTH, "sum"], ["", "", "-1"], *expected]
        lines = text.split("\r\n")
        assert lines[1] == ",,-1"
        assert '"","",' + str(VALUES.index("")) in lines
        assert "=1+1,1+1=," + str(VALUES.index("=1+1")) in lines

    @pytest.mark.parametrize("value", [*VALUES, None], ids=lambda value: ascii(value)[:20])
    def test_each_is_found_by_itself(self, valued: Desk, value: str | None) -> None:
        asked = valued.endpoint("one", timing=DAY, groupings={"@.grp1": af.QueryTime()}, fields=[SUM])
        number = -1 if value is None else VALUES.index(value)
        filters = {"@.grp1": [value]}
        row = {"groupings": {"@.grp1": value}, "fields": {"sum": number}}
        assert valued.rows(asked, {"groupingFilters": filters}) == [row]
        if value is None or len(value) < 1000:
            got = valued.get(f"/api/v1/data/{asked}", params={"groupingFilters": json.dumps(filters)})
            assert got.json() == [row]

    @pytest.mark.parametrize("other", ["' OR 1=1 --", "a%", "x" * 9_999, "\N{FIRE}", "%", "żółc"])
    def test_nothing_else_is(self, valued: Desk, other: str) -> None:
        asked = valued.endpoint("one", timing=DAY, groupings={"@.grp1": af.QueryTime()}, fields=[SUM])
        expected = [other] if other in VALUES else []
        rows = valued.rows(asked, {"groupingFilters": {"@.grp1": [other]}})
        assert [row["groupings"]["@.grp1"] for row in rows] == expected


class TestBytes:
    @pytest.mark.parametrize("format_", ["JSON", "CSV"])
    @pytest.mark.parametrize("built", [False, True])
    def test_equal_requests_give_equal_bytes(self, desk: Desk, format_: str, built: bool) -> None:
        rows = [("09:00", f"g{n % 50:02}", f"h{n % 7}", n % 3, 0.1 * n) for n in range(500)]
        filled(desk, *rows)
        if built:
            desk.build()
        fields = [COUNT, SUM, Field("x", "x", "SUM"), Field("p", "x", "PERCENTILES", percentile=0.5)]
        asked = desk.endpoint(
            timing=af.TimeSeries("24h"), groupings=ALL, fields=fields, sort=[af.Sort("sum", "desc")]
        )
        body = {"format": format_}
        first = desk.data(asked, body).content
        assert first.count(b"g0") > 50
        assert all(desk.data(asked, body).content == first for _ in range(3))
        assert desk.get(f"/api/v1/data/{asked}?format={format_}").content == first

    def test_long_csv_is_streamed_and_the_same_text(self, desk: Desk) -> None:
        rows = 5_000
        desk.sql(
            f"INSERT INTO events SELECT TIMESTAMP '2025-01-01', 'g,' || i, NULL, i, i / 3 FROM range({rows}) r(i)"
        )
        filled(desk)
        asked = desk.endpoint(
            timing=DAY, groupings={"@.grp1": af.All()}, fields=[SUM, Field("x", "x", "SUM")], limit=rows
        )
        answer = desk.data(asked, {"format": "CSV"})
        assert "Content-Length" not in answer.headers
        assert answer.content.decode() == desk.ws.query("e").to_csv()
        assert answer.content.count(b"\r\n") == rows + 1

    @pytest.mark.parametrize("built", [False, True])
    def test_what_is_no_number_is_counted_and_never_leaves(self, desk: Desk, built: bool) -> None:
        filled(desk, *(("09:00", "a", None, 1, float(x)) for x in ("nan", "inf", "-inf", "2.5", "4")))
        if built:
            desk.build()
        fields = [COUNT, Field("sum", "x", "SUM"), Field("max", "x", "MAX")]
        asked = desk.endpoint(timing=DAY, fields=fields)
        assert desk.data(asked).text == '[{"fields":{"count":5,"sum":6.5,"max":4.0}}]'
        assert desk.data(asked, {"format": "CSV"}).text == "count,sum,max\r\n5,6.5,4.0\r\n"

    def test_numbers_are_exact(self, desk: Desk) -> None:
        """Integers beyond what a float holds, and decimals, with all their digits."""
        desk.sql("ALTER TABLE events ADD COLUMN money DECIMAL(18, 2)")
        desk.sql(
            "INSERT INTO events VALUES ('2025-01-01 09:00', NULL, NULL, 9007199254740993, 1e300, 12345678901234.56),"
            "('2025-01-01 09:00', NULL, NULL, 2, -0.1, 0.05)"
        )
        money = Aggregation("money", "money", ["SUM"])
        desk.filter(aggregations=[*AGGREGATIONS, money])
        asked = desk.endpoint(timing=DAY, fields=[SUM, Field("x", "x", "MAX"), Field("m", "money", "SUM")])
        body = desk.data(asked).text
        assert body == '[{"fields":{"sum":9007199254740995,"x":1e+300,"m":12345678901234.61}}]'
        assert (
            desk.data(asked, {"format": "CSV"}).text
            == "sum,x,m\r\n9007199254740995,1e+300,12345678901234.61\r\n"
        )


class TestErrors:
    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        return filled(desk, *SOME).endpoint(timing=DAY, fields=[COUNT])

    def test_the_token_is_taken_from_either_header(self, desk: Desk, asked: str) -> None:
        assert desk.data(asked).status_code == 200
        bearer = {"Authorization": f"Bearer {desk.token}"}
        assert desk.data(asked, token="", headers=bearer).status_code == 200

    @pytest.mark.parametrize("token", ["", "x", "é", "aggflow_" + "x" * 43, "x" * 10_000])
    def test_401_without_a_token_or_with_one_that_is_not_known(
        self, desk: Desk, asked: str, token: str
    ) -> None:
        headers = {"x-api-token": token.encode()} if token else None
        answer = desk.data(asked, token="", headers=headers)
        assert answer.status_code == 401
        check_error("endpoints", answer)

    def test_401_with_one_that_was_revoked_or_has_expired(self, desk: Desk, asked: str) -> None:
        revoked = desk.ws.create_token("long", owner="a@b.example", permissions=["data:read"])
        assert desk.data(asked, token=revoked).status_code == 200
        desk.ws.revoke_token("long")
        assert desk.data(asked, token=revoked).status_code == 401
        expired = desk.ws.create_token("short", owner="a@b.example", permissions=["data:read"], expires="1h")
        assert desk.data(asked, token=expired).status_code == 200
        desk.now = moment("13:07:01")
        assert desk.data(asked, token=expired).status_code == 401

    def test_401_comes_before_404(self, desk: Desk) -> None:
        assert desk.data("none", token="").status_code == 401

    @pytest.mark.parametrize(
        "permissions",
        [["tasks:manage"], ["schedules:manage"], ["widgets:read", "tasks:view", "schedules:view"]],
    )
    def test_403_without_the_permission_whether_or_not_the_endpoint_exists(
        self, desk: Desk, asked: str, permissions: list[str]
    ) -> None:
        token = desk.served.token(*permissions)
        for endpoint_id in (asked, "none"):
            for method in ("POST", "GET"):
                answer = desk.ask(method, f"/api/v1/data/{endpoint_id}", token=token)
                assert answer.status_code == 403
                check_error("endpoints", answer)

    @pytest.mark.parametrize("permission", ["data:read", "admin"])
    def test_200_with_it(self, desk: Desk, asked: str, permission: str) -> None:
        assert desk.data(asked, token=desk.served.token(permission)).status_code == 200

    def test_404_of_an_endpoint_that_is_not_there_or_another_workspaces(self, desk: Desk, asked: str) -> None:
        other = desk.served.token("data:read", workspace="other")
        for endpoint_id in ("none", "e", asked[:-1], asked.upper(), "6ac74225-f32c-473f-baf6-14ed609a7166"):
            answer = desk.data(endpoint_id)
            assert answer.status_code == 404
            check_error("endpoints", answer)
        answer, nothing = (desk.data(endpoint_id, token=other) for endpoint_id in (asked, "zzz"))
        assert answer.status_code == 404
        assert answer.json()["message"] == nothing.json()["message"].replace("zzz", asked)

    def test_ids_are_of_one_endpoint_among_all_workspaces(self, desk: Desk, asked: str) -> None:
        other = desk.served.home.workspace("other")
        other.add_source("events", f"duckdb://{desk.file}", table="events", time="ts")
        other.add_filter("f", source="events", interval="1h")
        same = other.add_endpoint("e", filter="f", timing=DAY, fields=[Field("c", "events", "COUNT")])
        assert same.id != asked
        # A name that is another's id leads nowhere.
        named = other.add_endpoint(asked, filter="f", timing=DAY, fields=[Field("c", "events", "COUNT")])
        token = desk.served.token("data:read", workspace="other")
        assert desk.data(asked, token=token).status_code == 404
        assert desk.data(named.id, token=token).json() == [{"fields": {"c": 6}}]

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_405_of_another_method(self, desk: Desk, asked: str, method: str) -> None:
        answer = desk.ask(method, f"/api/v1/data/{asked}")
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}
        check_error("endpoints", answer)

    @pytest.mark.parametrize("path", ["/api/v1/data", "/api/v1/data/", "/api/v1/data/a/b"])
    def test_404_of_a_path_that_leads_nowhere(self, desk: Desk, path: str) -> None:
        answer = desk.post(path, content="{}")
        assert answer.status_code == 404
        check_error("endpoints", answer)

    def test_429_after_many_tokens_that_are_not_known(self, desk: Desk, asked: str) -> None:
        desk.served.stop_forgiving()
        statuses = {desk.data(asked, token=f"x{number}").status_code for number in range(200)}
        assert statuses == {401, 429}
        answer = desk.data(asked, token="y" * 3)
        assert int(answer.headers["Retry-After"]) > 0
        check_error("endpoints", answer)
        assert desk.data(asked).status_code == 200

    def test_503_where_the_source_is_needed_and_away(
        self, desk: Desk, asked: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is built is answered all the same; nothing is answered in part."""
        desk.build("11:00")

        def away(*_: Any) -> Any:
            raise SourceUnavailableError(f"cannot open {desk.file}: no route to host")

        monkeypatch.setattr(desk.ws._declarations, "open", away)
        assert desk.rows(asked, {"end": "2025-01-01T11:00:00Z"}) == [{"fields": {"count": 4}}]
        answer = desk.data(asked)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert str(desk.file) not in answer.text
        check_error("endpoints", answer)

    def test_every_answer_has_a_request_id(self, desk: Desk, asked: str) -> None:
        assert desk.data(asked).headers["X-Request-Id"]
        mine = desk.data("none", headers={"X-Request-Id": "mine.7"})
        assert mine.headers["X-Request-Id"] == mine.json()["requestId"] == "mine.7"


class TestChanges:
    """The documentation's considerations, as clients see them."""

    def series(self, desk: Desk, asked: str) -> list[tuple[Any, ...]]:
        rows = desk.rows(asked, {"end": "2025-01-01T14:00:00Z"})
        return [
            (row["dt"][11:16], *row.get("groupings", {}).values(), *row["fields"].values()) for row in rows
        ]

    def test_a_grouping_that_is_removed_keeps_its_values_and_has_none_from_then_on(self, desk: Desk) -> None:
        filled(desk, *SOME)
        desk.build("12:00")
        asked = desk.endpoint(timing=af.TimeSeries("24h"), groupings={"@.grp1": af.All()}, fields=[SUM])
        desk.now = moment("12:00")
        desk.filter(groupings=["@.grp2"], aggregations=AGGREGATIONS)
        desk.now = moment("13:30")
        assert self.series(desk, asked) == [
            ("09:00", "a", 3),
            ("10:00", "b", 12),
            ("11:00", None, 16),
            ("12:00", None, 32),
        ]

    def test_a_field_whose_aggregation_is_removed_is_null_while_another_is_left(self, desk: Desk) -> None:
        filled(desk, *SOME)
        asked = desk.endpoint(timing=DAY, fields=[SUM, Field("x", "x", "SUM")])
        assert desk.rows(asked) == [{"fields": {"sum": 63, "x": 32.0}}]
        desk.filter(groupings=BOTH, aggregations=AGGREGATIONS[:1])
        assert desk.rows(asked) == [{"fields": {"sum": 63, "x": None}}]
        assert desk.data(asked, {"format": "CSV"}).text == "sum,x\r\n63,\r\n"

    @pytest.mark.parametrize("built", [False, True])
    def test_a_more_frequent_interval_does_not_touch_a_lookback(self, desk: Desk, built: bool) -> None:
        filled(desk, *SOME)
        if built:
            desk.build("12:00")
        asked = desk.endpoint(timing=DAY, groupings={"@.grp1": af.All()}, fields=[SUM, COUNT])
        before = desk.data(asked).content
        desk.filter("30m", groupings=BOTH, aggregations=AGGREGATIONS)
        assert desk.data(asked).content == before

    def test_a_less_frequent_interval_is_told_and_never_cuts_a_bucket(self, desk: Desk) -> None:
        """Correctness is lost in the documentation's words: windows select whole, wider buckets."""
        filled(desk, *SOME)
        asked = desk.endpoint(timing=af.Lookback("3h"), fields=[SUM])
        assert desk.rows(asked, {"end": "2025-01-01T12:00:00Z"}) == [{"fields": {"sum": 31}}]
        told = desk.ws.add_filter(
            "f", source="events", interval="2h", groupings=BOTH, aggregations=AGGREGATIONS, dry_run=True
        )
        assert all(not effect.blocks for effect in told.effects)
        desk.filter("2h", groupings=BOTH, aggregations=AGGREGATIONS)
        # The bucket of 8:00, with the events from 9:00 on, begins before the window.
        assert desk.rows(asked, {"end": "2025-01-01T12:00:00Z"}) == [{"fields": {"sum": 28}}]

    def test_a_series_without_an_interval_of_its_own_follows_the_filters(self, desk: Desk) -> None:
        filled(desk, *SOME)
        asked = desk.endpoint(timing=af.TimeSeries("24h"), fields=[SUM])
        desk.filter("30m", groupings=BOTH, aggregations=AGGREGATIONS)
        assert [time for time, *_ in self.series(desk, asked)] == [
            "09:00",
            "09:30",
            "10:00",
            "10:30",
            "11:00",
            "12:00",
        ]


class TestGet:
    """Ours: the same by GET, with an ETag where the answer is of what is built alone."""

    PAST = "end=2025-01-01T11:00:00Z"

    @pytest.fixture
    def asked(self, desk: Desk) -> str:
        filled(desk, *SOME)
        desk.build("12:00")
        return desk.endpoint(timing=DAY, groupings={"@.grp1": af.QueryTime()}, fields=[SUM])

    def url(self, asked: str, query: str = PAST, values: str = '["a"]') -> str:
        return f'/api/v1/data/{asked}?groupingFilters={{"@.grp1":{values}}}&{query}'

    def test_it_is_the_post(self, desk: Desk, asked: str) -> None:
        answer = desk.get(self.url(asked))
        body = {"end": "2025-01-01T11:00:00Z", "groupingFilters": {"@.grp1": ["a"]}}
        assert answer.content == desk.data(asked, body).content
        assert answer.headers["ETag"].startswith('W/"')
        assert (
            desk.get(self.url(asked, "format=csv")).text
            == desk.data(asked, {**body, "end": None, "format": "CSV"}).text
        )

    def test_304_where_nothing_has_changed(self, desk: Desk, asked: str) -> None:
        tag = desk.get(self.url(asked)).headers["ETag"]
        for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            answer = desk.get(self.url(asked), headers={"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
        for known in ('"x"', "", tag[:-2] + '"'):
            assert desk.get(self.url(asked), headers={"If-None-Match": known}).status_code == 200

    def test_another_tag_after_a_build_a_change_or_for_another_question(self, desk: Desk, asked: str) -> None:
        tags = [desk.get(self.url(asked)).headers["ETag"]]
        # Of the same buckets.
        assert desk.get(self.url(asked, "end=2025-01-01T10:30:00Z")).headers["ETag"] == tags[0]
        tags.append(desk.get(self.url(asked, "end=2025-01-01T10:00:00Z")).headers["ETag"])
        tags.append(desk.get(self.url(asked, values='["b"]')).headers["ETag"])
        tags.append(desk.get(self.url(asked, self.PAST + "&format=CSV")).headers["ETag"])
        desk.add(("09:00", "a", "x", 100, None))
        desk.build("12:00", full=True)
        answer = desk.get(self.url(asked), headers={"If-None-Match": tags[0]})
        assert (answer.status_code, answer.json()[0]["fields"]) == (200, {"sum": 103})
        tags.append(answer.headers["ETag"])
        desk.endpoint(timing=DAY, groupings={"@.grp1": af.QueryTime()}, fields=[SUM], limit=7)
        tags.append(desk.get(self.url(asked)).headers["ETag"])
        assert len(set(tags)) == len(tags)

    def test_none_where_a_part_is_live(self, desk: Desk, asked: str) -> None:
        answer = desk.get(self.url(asked, ""), headers={"If-None-Match": "*"})
        assert answer.status_code == 200
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("end=x", "end"),
            ("format=xml", "format"),
            ("groupingFilters={", "groupingFilters"),
            ("groupingFilters=[]", "groupingFilters"),
            ("", "groupingFilters.@.grp1"),
        ],
    )
    def test_what_is_wrong_is_named(self, desk: Desk, asked: str, query: str, field: str) -> None:
        answer = desk.get(f"/api/v1/data/{asked}?{query}")
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        check_error("endpoints", answer)
