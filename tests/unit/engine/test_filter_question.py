"""Questions to a filter without an endpoint: which buckets, which order, what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.errors import NotFoundError, QueryError, SpecError

VALUE = Aggregation("value", "value", ["COUNT", "SUM"])
TOTAL = [Field("n", "value", "COUNT"), Field("sum", "value", "SUM")]
EVENTS = [
    Event(at("09:10"), "b", "x", 1.0),
    Event(at("09:20"), "a", "x", 5.0),
    Event(at("09:50"), "c", None, None),
    Event(at("10:05"), "a", "y", 2.0),
    Event(at("10:55"), "b", "y", 7.0),
    Event(at("11:30"), None, "x", 3.0),
]


def opened(folder: Path, *more: Event) -> Shop:
    made = Shop(folder, at("11:45"))
    made.add(*EVENTS, *more)
    made.source()
    made.filter("30m", groupings=["team", "player"], aggregations=[VALUE])
    made.build(until=at("10:30"))
    return made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = opened(tmp_path_factory.mktemp("filter_question"))
    yield made
    made.close()


def ask(shop: Shop, fields: Any = TOTAL, **options: Any) -> list[dict[str, Any]]:
    whole: dict[str, Any] = {"start": at("09:00"), "end": at("12:00"), **options}
    return shop.ws.ask_filter("f", fields, **whole).rows


class TestWindow:
    @pytest.mark.parametrize(
        ("start", "end", "incomplete", "count"),
        [
            ("09:00", "12:00", True, 6),
            # A bucket counts whole where its start lies in between, and not at all where it does not.
            ("09:01", "10:01", True, 2),
            ("09:00", "10:01", False, 3),
            # What is left out is the bucket of the present, not only that of an end in the future.
            ("09:00", "12:00", False, 5),
            ("09:00", "23:00", False, 5),
            ("09:00", "11:30", False, 5),
        ],
    )
    def test_the_buckets_that_start_in_between(
        self, shop: Shop, start: str, end: str, incomplete: bool, count: int
    ) -> None:
        found = ask(shop, start=at(start), end=at(end), include_incomplete=incomplete)
        assert [row["fields"]["n"] for row in found] == [count]

    def test_the_end_is_now_by_default(self, shop: Shop) -> None:
        assert shop.ws.ask_filter("f", TOTAL, start=at("11:30")).rows == [{"fields": {"n": 1, "sum": 3.0}}]

    def test_where_no_bucket_starts_a_series_is_empty_and_a_total_refused(self, shop: Shop) -> None:
        assert ask(shop, start=at("09:01"), end=at("09:29"), interval="30m") == []
        with pytest.raises(QueryError, match="no bucket of 30m starts between"):
            ask(shop, start=at("09:01"), end=at("09:29"))


class TestSeries:
    def test_wider_buckets_are_those_of_the_wider_interval(self, shop: Shop) -> None:
        found = ask(shop, interval="1h")
        assert [(row["dt"][11:16], row["fields"]["n"]) for row in found] == [
            ("09:00", 3),
            ("10:00", 2),
            ("11:00", 1),
        ]

    @pytest.mark.parametrize(("interval", "message"), [("15m", "shorter than"), ("45m", "no whole multiple")])
    def test_others_do_not_fit(self, shop: Shop, interval: str, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            ask(shop, interval=interval)

    @pytest.mark.parametrize(
        ("direction", "expected"),
        [
            ("desc", [("09:00", "a"), ("09:00", "b"), ("10:00", "b"), ("10:00", "a"), ("11:00", None)]),
            ("asc", [("09:00", "b"), ("09:00", "a"), ("10:00", "a"), ("10:00", "b"), ("11:00", None)]),
        ],
    )
    def test_rows_of_each_bucket_are_limited_by_the_order(
        self, shop: Shop, direction: Any, expected: list[Any]
    ) -> None:
        """Nulls are last whichever way, so c, which has nothing to sum, is never among the first two."""
        found = ask(
            shop,
            interval="1h",
            groupings={"team": af.All()},
            sort=[af.Sort("dt"), af.Sort("sum", direction)],
            per_bucket=2,
        )
        assert [(row["dt"][11:16], row["groupings"]["team"]) for row in found] == expected

    def test_rows_without_a_name_are_left_out_before_others_are_limited(self, tmp_path: Path) -> None:
        """Their own limits count only what may be answered."""
        shop = opened(tmp_path, Event(at("09:15"), "", "x", 99.0))
        options: dict[str, Any] = {
            "interval": "1h",
            "groupings": {"team": af.All(), "player": af.All()},
            "sort": [af.Sort("dt"), af.Sort("sum", "desc")],
            "per_bucket": 1,
        }
        best = [[*row["groupings"].values()] for row in ask(shop, **options)]
        assert best == [["", "x"], ["b", "y"], [None, "x"]]
        named = [[*row["groupings"].values()] for row in ask(shop, **options, exclude_empty=True)]
        assert named == [["a", "x"], ["b", "y"]]
        shop.close()

    def test_what_is_cut_is_told(self, shop: Shop) -> None:
        found = shop.ws.ask_filter(
            "f",
            TOTAL,
            start=at("09:00"),
            end=at("12:00"),
            interval="1h",
            groupings={"team": af.All()},
            per_bucket=1,
        )
        assert found.explanation.cut == 3


class TestFit:
    @pytest.mark.parametrize(
        ("options", "path"),
        [
            ({"fields": []}, "fields"),
            ({"fields": [Field("n", "what", "COUNT")]}, "fields[0].aggregation"),
            ({"fields": [Field("n", "value", "MAX")]}, "fields[0].calculation"),
            ({"groupings": {"what": af.All()}}, "groupings.what"),
            ({"groupings": {"team": af.QueryTime()}}, "groupingFilters.team"),
            ({"sort": [af.Sort("what")]}, "sort[0].by"),
            ({"limit": 0}, "limit"),
            ({"interval": "30m", "per_bucket": 0}, "per_bucket"),
            ({"per_bucket": 1}, "per_bucket"),
            ({"end": at("09:00")}, "end"),
        ],
    )
    def test_what_does_not_is_named(self, shop: Shop, options: dict[str, Any], path: str) -> None:
        with pytest.raises(SpecError) as caught:
            ask(shop, **options)
        assert path in [problem.path for problem in caught.value.problems]

    def test_it_is_found_by_id_and_by_name(self, shop: Shop) -> None:
        by_id = shop.ws.ask_filter(shop.ws.filters["f"].id, TOTAL, start=at("09:00"), end=at("12:00"))
        assert by_id.rows == ask(shop)
        with pytest.raises(NotFoundError, match="'g'"):
            shop.ws.ask_filter("g", TOTAL, start=at("09:00"))


class TestValues:
    @pytest.mark.parametrize(
        ("grouping", "filters", "start", "expected"),
        [
            ("team", None, "09:00", ["a", "b", "c", None]),
            ("team", None, "10:30", ["b", None]),
            ("player", {"team": ["a", "c"]}, "09:00", ["x", "y", None]),
            ("player", {"team": ["none"]}, "09:00", []),
            ("player", {"player": ["y"]}, "09:00", ["y"]),
        ],
    )
    def test_those_that_have_events(
        self, shop: Shop, grouping: str, filters: Any, start: str, expected: list[Any]
    ) -> None:
        found = shop.ws.grouping_values(
            "f", grouping, start=at(start), end=at("12:00"), grouping_filters=filters
        )
        assert found == expected

    def test_of_a_filter_that_keeps_only_sketches_of_fewer_groupings(self, shop: Shop) -> None:
        """Values are told, stored and live, by what it keeps; by what it keeps nothing, none can be."""
        sketches: Any = [
            Aggregation("who", "player", ["APPROX_COUNT_DISTINCT"], sketch_groupings=["team"]),
            Aggregation("how", "value", ["PERCENTILES"], sketch_groupings=[]),
        ]
        both = ["team", "player"]
        shop.ws.add_filter("sketched", source="events", interval="1h", groupings=both, aggregations=sketches)
        live = shop.ws.grouping_values("sketched", "team", start=at("09:00"), end=at("11:00"))
        shop.ws.build("sketched", progress=False)
        stored = shop.ws.grouping_values("sketched", "team", start=at("09:00"), end=at("11:00"), live=False)
        assert live == stored == ["a", "b", "c"]
        with pytest.raises(SpecError, match="keeps nothing by 'player'"):
            shop.ws.grouping_values("sketched", "player", start=at("09:00"))

    def test_what_there_is_not_is_named(self, shop: Shop) -> None:
        with pytest.raises(SpecError, match="no grouping 'what'"):
            shop.ws.grouping_values("f", "what", start=at("09:00"))
        with pytest.raises(SpecError, match=r"no grouping 'teams'.*did you mean 'team'"):
            shop.ws.grouping_values("f", "team", start=at("09:00"), grouping_filters={"teams": ["a"]})
        with pytest.raises(QueryError, match="no bucket of 30m starts"):
            shop.ws.grouping_values("f", "team", start=at("09:01"), end=at("09:02"))
