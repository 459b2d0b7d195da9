"""Widgets: from rollups, built as far as may be, the numbers are those of the source, and of SQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from widget_shop import BRANDS, CATALOGS, DAYS, NOW, WidgetShop

from aggflow.spec.widget import WidgetQuery

TYPES = ["agent_view", "agent_atc", "agent_purchase", "never_seen"]
GROUPS = ["none", "event_type", "session", "day", "hour", "product_id"]
KEYS = ["campaign", "step", "gone", "never"]
FIELDS = ["amount", "price", "rating", "agent_id", "customer_id"]
WHOLE = ["kind", "sid", "product", "brand_id", "catalog_id", "@.meta.campaign", "@.meta.step"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WidgetShop]:
    made = WidgetShop(tmp_path, widget_ttl=0)
    yield made
    made.close()


def queries(seed: int, count: int) -> Iterator[tuple[WidgetQuery, dict[str, str]]]:
    """Questions of all kinds, and to what they are narrowed."""
    dice = random.Random(seed)
    for _ in range(count):
        aggregation: Any = dice.choice(["count", "count_distinct", "sum", "avg"])
        field: Any = dice.choice(FIELDS) if aggregation in ("sum", "avg") else None
        query = WidgetQuery(
            dice.choice([None, [], dice.sample(TYPES, dice.randint(1, 3))]),
            dice.choice([*GROUPS, *(f"metadata.{key}" for key in KEYS)]),
            aggregation,
            dice.choice([1, 2, 7, DAYS, 365]),
            field,
            dice.choice([1, 3, 10, 100, 1000]),
        )
        narrowed = {"brand": dice.choice(BRANDS), "catalog": dice.choice(CATALOGS)}
        yield query, {name: value for name, value in narrowed.items() if dice.random() < 0.3}


def check(shop: WidgetShop, query: WidgetQuery, narrowed: dict[str, str]) -> str:
    """The rows are those of SQL; distinct sessions, of which a sketch is kept, about those. Says the plan."""
    answer = shop.ws.aggregate(query, **narrowed)
    if query.aggregation == "count_distinct":
        check_distinct(shop, query, narrowed, answer.rows)
    else:
        expected = shop.expected(query, **narrowed)
        assert [row["key"] for row in answer.rows] == [row["key"] for row in expected], (query, narrowed)
        for row, right in zip(answer.rows, expected, strict=True):
            # Averages are rounded once by us, and once or twice by DuckDB.
            value = pytest.approx(float(right["value"]), rel=1e-14 if query.aggregation == "avg" else 0)
            assert row == right | {"value": value}, (query, narrowed)
    return answer.plan


def check_distinct(
    shop: WidgetShop, query: WidgetQuery, narrowed: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    # How rows of about the same value are ordered is the sketch's to say: all are compared, by key.
    everything = WidgetQuery(
        query.event_types, query.group_by, query.aggregation, query.time_window_days, limit=1000
    )
    exact = {row["key"]: row for row in shop.expected(everything, **narrowed)}
    for row in rows:
        assert row["secondary"] == exact[row["key"]]["secondary"]
        assert row["value"] == pytest.approx(exact[row["key"]]["value"], rel=0.05, abs=1)
    assert len(rows) == min(len(exact), query.limit)
    if query.series is None:
        assert rows == sorted(rows, key=lambda row: (-row["value"], row["key"]))


def test_from_the_source_alone_it_is_what_sql_says(shop: WidgetShop) -> None:
    assert {check(shop, *query) for query in queries(1, 60)} == {"source"}


@pytest.mark.parametrize(
    "built_until",
    [NOW, NOW - timedelta(hours=1), NOW - timedelta(days=3), NOW - timedelta(days=DAYS + 400)],
    ids=["all", "but an hour", "but three days", "hardly"],
)
def test_from_rollups_it_is_what_sql_and_the_source_say(
    shop: WidgetShop, tmp_path: Path, built_until: datetime
) -> None:
    shop.rollup("whole", "1h", built_until, *WHOLE)
    shop.rollup("daily", "1d", built_until, "kind", "@.meta.gone")
    shop.rollup("bought", "5m", built_until, "brand_id", where="@.kind in ['agent_atc', 'agent_purchase']")
    shop.rollup("total", "1h", built_until)
    bare = WidgetShop(tmp_path, name="bare", widget_ttl=0)
    plans: set[str] = set()
    read: set[str] = set()
    of_one_rollup = [
        (WidgetQuery(["agent_purchase", "agent_atc"], "day", "sum", 7, "amount"), {"brand": BRANDS[0]}),
        (WidgetQuery(None, "metadata.gone", "count_distinct", DAYS), {}),
        (WidgetQuery(None, "hour", "avg", 9, "price", 1000), {}),
        (WidgetQuery(TYPES, "session", "count", 9, limit=1000), {"catalog": CATALOGS[1]}),
    ]
    for query, narrowed in [*queries(2, 30), *of_one_rollup]:
        plans.add(check(shop, query, narrowed))
        answer = shop.ws.aggregate(query, **narrowed)
        read.add(answer.explain().rollup)
        alone = bare.ws.aggregate(query, **narrowed)
        assert alone.plan == "source"
        assert answer.rows == alone.rows, (query, narrowed)
    bare.close()
    if built_until > NOW - timedelta(days=DAYS):
        assert "mixed" in plans
        assert read >= {"filter whole", "filter daily", "filter bought", "filter total"}
    else:
        assert plans == {"source"}


def test_where_no_bucket_is_cut_the_rollup_answers_alone(shop: WidgetShop) -> None:
    shop.now = NOW.replace(minute=0, second=0, microsecond=0)
    shop.rollup("whole", "1h", shop.now, *WHOLE)
    for query, narrowed in queries(3, 30):
        plan = check(shop, query, narrowed)
        assert plan == ("source" if query.group_by in ("metadata.gone", "metadata.never") else "rollup")


def test_the_edges_of_the_window_are_exact(shop: WidgetShop) -> None:
    shop.sql("delete from events")
    edge = NOW - timedelta(days=7)
    for i, moment in enumerate(
        [edge - timedelta(microseconds=1), edge, NOW - timedelta(microseconds=1), NOW]
    ):
        shop.sql(f"insert into events (ts, amount) values (timestamp '{moment:%F %T.%f}', {10**i})")
    shop.rollup("total", "1h", NOW)
    assert shop.ask(None, "none", "sum", 7, "amount").rows == [{"key": "all", "value": 110, "secondary": 2}]


def test_what_is_missing_and_what_is_called_unknown_are_one_row(shop: WidgetShop) -> None:
    query = WidgetQuery(None, "product_id", "count_distinct", DAYS, limit=1000)
    rows = shop.ws.aggregate(query).rows
    assert [row["key"] for row in rows].count("unknown") == 1
    shop.rollup("whole", "1h", NOW - timedelta(hours=30), *WHOLE)
    assert shop.ws.aggregate(query).plan == "mixed"
    assert shop.ws.aggregate(query).rows == rows


def test_keys_that_are_no_texts_are_ordered_by_their_texts(shop: WidgetShop) -> None:
    shop.ws.set_event_source("events", event_type="kind", session_id="agent", product_id="customer")
    shop.sql("delete from events")
    shop.sql(
        "insert into events (ts, customer, agent) select ts, unnest([10, 9, 101, null]), 5 from (select timestamp '2026-03-11 10:00:00' as ts)"
    )
    assert [row["key"] for row in shop.ask(None, "product_id", "count", 1).rows] == [
        "10",
        "101",
        "9",
        "unknown",
    ]
    assert shop.ask(None, "session", "count", 1).rows == [{"key": "5", "value": 4}]


def test_nothing_is_0_for_counts_and_sums_and_no_row_for_averages(shop: WidgetShop) -> None:
    shop.sql("update events set amount = null, kind = 'quiet'")
    for aggregation in ("count", "count_distinct", "sum"):
        (row,) = shop.ask(["never_seen"], "none", aggregation, 7, "amount").rows
        assert (row["key"], row["value"]) == ("all", 0)
        assert shop.ask(["never_seen"], "product_id", aggregation, 7, "amount").rows == []
    assert shop.ask(["never_seen"], "none", "avg", 7, "amount").rows == []
    for group in ("product_id", "day", "none"):
        assert shop.ask(None, group, "avg", 7, "amount").rows == []
        rows = shop.ask(None, group, "sum", 7, "amount").rows
        assert rows
        assert all(row["value"] == 0 and row["secondary"] > 0 for row in rows)


def test_a_sum_of_nothing_stands_above_negative_ones(shop: WidgetShop) -> None:
    shop.sql("delete from events")
    shop.sql(
        "insert into events (ts, product, amount) select timestamp '2026-03-11 10:00:00', p, a from "
        "(values ('a', -5), ('b', null), ('c', 5), ('d', 0)) t(p, a)"
    )
    rows = shop.ask(None, "product_id", "sum", 1, "amount", 3).rows
    assert [(row["key"], row["value"]) for row in rows] == [("c", 5), ("b", 0), ("d", 0)]


def test_the_limit_of_a_series_of_averages_counts_rows_that_are_there(shop: WidgetShop) -> None:
    shop.sql("update events set amount = null where extract(day from ts) % 2 = 0")
    query = WidgetQuery(None, "day", "avg", DAYS, "amount", 4)
    rows = shop.ws.aggregate(query).rows
    assert len(rows) == 4
    assert rows == shop.expected(query)
    assert len(shop.ws.aggregate(query).to_pandas()) == len(shop.ws.aggregate(query)) == 4
