"""Unit tests of shapes: how requests bind values, and the order and limits of rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from oracle import Event
from shop import NOON, Aggregation, Field, Shop, at, micros

import aggflow as af
from aggflow.engine.shape import Shape, checked_rows
from aggflow.errors import QueryError, SpecError

VALUE = Aggregation("value", "value", ["COUNT", "SUM", "FIRST"])
FILTER = af.Filter(
    "f", "events", "1h", groupings=[af.Grouping("team"), af.Grouping("player", "who")], aggregations=[VALUE]
)
FIELDS = [Field("n", "value", "COUNT"), Field("sum", "value", "SUM")]


def shape(**options: Any) -> Shape:
    wanted: dict[str, Any] = {"timing": af.Lookback("24h"), "fields": FIELDS, **options}
    return Shape.of(af.Endpoint("e", "f", **wanted), FILTER)


class TestQueryTime:
    def test_values_are_bound_by_name_or_path(self) -> None:
        of = shape(groupings={"who": af.QueryTime(), "team": af.Fixed(["a"], returned=False)})
        for name in ("who", "player"):
            question = of.ask(micros(NOON), {name: ["x", None]})
            assert question.filters == {"team": ("a",), "player": ("x", None)}
            assert question.groupings == {"who": "player"}

    @pytest.mark.parametrize(
        ("given", "path", "message"),
        [
            (None, "groupingFilters.who", "needs its values"),
            ({"team": ["a"]}, "groupingFilters.team", "takes no values"),
            ({"who": []}, "groupingFilters.who", "at least one value"),
            ({"who": "x"}, "groupingFilters.who", "a list of values"),
            ({"who": ["x"], "what": ["y"]}, "groupingFilters.what", "takes no values"),
            (["who"], "groupingFilters", "each with a list of its values"),
            ("who", "groupingFilters", "each with a list of its values"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, given: Any, path: str, message: str) -> None:
        with pytest.raises(QueryError, match=message) as caught:
            shape(groupings={"who": af.QueryTime()}).ask(micros(NOON), given)
        assert isinstance(caught.value, SpecError)
        assert path in [problem.path for problem in caught.value.problems]


class TestLimits:
    def test_a_lookback_has_a_thousand_rows_unless_it_says_otherwise(self) -> None:
        assert shape().ask(micros(NOON)).limit == 1000
        assert shape(limit=5000).ask(micros(NOON)).limit == 5000

    def test_a_series_has_no_limit_but_a_most(self) -> None:
        series = shape(timing=af.TimeSeries("24h"))
        assert series.ask(micros(NOON)).limit is None
        checked_rows(series.question, 100_000)
        with pytest.raises(QueryError, match="100,001 rows; at most 100,000") as caught:
            checked_rows(series.question, 100_001)
        assert "shorten the duration" in caught.value.hint
        checked_rows(shape(limit=200_000).question, 200_000)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shape"))
    rows = [
        ("b", "y", 1.0),
        ("b", "x", 1.0),
        ("a", "z", None),
        ("a", "x", 2.0),
        (None, "x", 1.0),
        ("c", None, None),
    ]
    made.add(
        *(
            Event(at(f"{9 + i % 3:02}:10"), team, player, value)
            for i, (team, player, value) in enumerate(rows)
        )
    )
    made.source()
    made.filter("1h", groupings=["team", "player"], aggregations=[VALUE])
    made.build(until=at("10:00"))
    yield made
    made.close()


def ask(shop: Shop, *shown: str, **options: Any) -> list[tuple[Any, ...]]:
    both = {"team": af.All(), "player": af.All()}
    options = {"timing": af.Lookback("24h"), "fields": FIELDS, "groupings": both, **options}
    shop.ws.add_endpoint("e", filter="f", **options)
    shop.check("e")
    return [
        tuple(
            row[name][2:16] if name == "dt" else {**row["groupings"], **row["fields"]}[name] for name in shown
        )
        for row in (dict(row) for row in shop.ask("e"))
    ]


class TestOrder:
    def test_by_default_groupings_in_the_filters_order_nulls_last(self, shop: Shop) -> None:
        assert ask(shop, "team", "player") == [
            ("a", "x"),
            ("a", "z"),
            ("b", "x"),
            ("b", "y"),
            ("c", None),
            (None, "x"),
        ]

    def test_nulls_are_last_whichever_way(self, shop: Shop) -> None:
        assert [s for (s,) in ask(shop, "sum", sort=[af.Sort("sum")])] == [1.0, 1.0, 1.0, 2.0, None, None]
        assert [s for (s,) in ask(shop, "sum", sort=[af.Sort("sum", "desc")])] == [
            2.0,
            1.0,
            1.0,
            1.0,
            None,
            None,
        ]
        assert [t for (t,) in ask(shop, "team", sort=[af.Sort("team", "desc")])] == [
            "c",
            "b",
            "b",
            "a",
            "a",
            None,
        ]

    def test_ties_go_by_groupings(self, shop: Shop) -> None:
        found = ask(shop, "team", "player", sort=[af.Sort("n", "desc")])
        assert found == ask(shop, "team", "player")

    def test_ties_of_a_series_go_by_time_first(self, shop: Shop) -> None:
        series = af.TimeSeries("5h")
        found = ask(shop, "dt", "team", timing=series, sort=[af.Sort("n")])
        assert found == sorted(found, key=lambda row: (row[0], row[1] is None, row[1]))
        backwards = ask(shop, "dt", timing=series, sort=[af.Sort("dt", "desc")])
        assert [dt for (dt,) in backwards] == sorted((dt for (dt,) in found_times(found)), reverse=True)

    def test_the_limit_cuts_the_sorted_rows(self, shop: Shop) -> None:
        assert ask(shop, "team", "player", sort=[af.Sort("sum", "desc")], limit=2) == [("a", "x"), ("b", "x")]

    def test_equal_requests_give_equal_bytes(self, shop: Shop) -> None:
        ask(shop, "n", sort=[af.Sort("n")])
        first = shop.ws.query("e").to_csv()
        assert all(shop.ws.query("e").to_csv() == first for _ in range(3))


def found_times(rows: list[tuple[Any, ...]]) -> list[tuple[Any]]:
    return [(row[0],) for row in rows]


class TestRows:
    def test_a_total_is_one_row_whatever_happened(self, shop: Shop) -> None:
        shop.ws.add_endpoint("e", filter="f", timing=af.Lookback("1h"), fields=FIELDS)
        assert shop.ask("e", at("2020-01-01")) == [{"fields": {"n": 0, "sum": None}}]

    def test_groups_without_events_are_left_out(self, shop: Shop) -> None:
        assert ask(shop, "team", timing=af.Lookback("24h"), groupings={"team": af.Fixed(["none", "a"])}) == [
            ("a",)
        ]

    def test_values_are_asked_for_by_their_canonical_text(self, shop: Shop) -> None:
        shop.ws.add_endpoint(
            "e", filter="f", timing=af.Lookback("24h"), fields=FIELDS, groupings={"team": af.QueryTime()}
        )
        found = shop.ask("e", grouping_filters={"team": [None, "c", "none"]})
        assert [row["groupings"]["team"] for row in found] == ["c", None]

    def test_fields_with_windows_of_their_own_share_their_groups(self, shop: Shop) -> None:
        fields = [
            Field("early", "value", "COUNT", offset="2h", duration="1h", include_incomplete=False),
            Field("late", "value", "SUM", duration="2h"),
        ]
        found = ask(
            shop, "team", "early", "late", fields=fields, groupings={"team": af.All()}, sort=[af.Sort("late")]
        )
        assert found == [("b", 1, 1.0), (None, 0, 1.0), ("a", 1, None), ("c", 0, None)]

    @pytest.mark.parametrize("fill", ["null", "zero"])
    def test_empty_buckets_are_filled_where_that_is_wanted(self, shop: Shop, fill: Any) -> None:
        shop.ws.add_endpoint(
            "e",
            filter="f",
            timing=af.TimeSeries("5h", fill=fill),
            fields=[*FIELDS, Field("first", "value", "FIRST")],
            groupings={"team": af.Fixed(["b"])},
        )
        found = shop.ask("e")
        empty = {"null": (0, None, None), "zero": (0, 0.0, 0.0)}[fill]
        assert [row["dt"] for row in found] == [f"2025-01-01T{hour:02}:00:00Z" for hour in range(7, 12)]
        assert [tuple(row["fields"].values()) for row in found] == [
            empty,
            empty,
            (1, 1.0, 1.0),
            (1, 1.0, 1.0),
            empty,
        ]

    def test_a_filled_series_has_just_the_buckets_of_its_window(self, shop: Shop) -> None:
        """A duration that is no multiple of the interval selects the buckets that start in it."""
        shop.ws.add_endpoint("e", filter="f", timing=af.TimeSeries("150m", "2h", fill="zero"), fields=FIELDS)
        assert [row["dt"] for row in shop.ask("e", NOON + timedelta(minutes=5))] == ["2025-01-01T10:00:00Z"]
