"""Widgets of a workspace: the event source, what is refused, what is kept and what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from widget_shop import BRANDS, CATALOGS, COLUMNS, NOW, VALUES, WidgetShop

import aggflow as af
from aggflow.engine.answer import Answer
from aggflow.engine.inquiry import Inquiry
from aggflow.errors import ConflictError, NotFoundError, QueryError, SourceUnavailableError, SpecError

COUNT = af.WidgetQuery(["agent_view"], "day", "count", 7)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WidgetShop]:
    made = WidgetShop(tmp_path, count=2000)
    yield made
    made.close()


# ---------------------------------------------------------------------------------------
# The event source


def test_without_an_event_source_it_is_said_how_to_name_one(shop: WidgetShop) -> None:
    shop.ws.remove_event_source()
    assert shop.ws.event_source is None
    with pytest.raises(ConflictError, match=r"names no event source.*ws\.set_event_source"):
        shop.ws.aggregate(COUNT)
    with pytest.raises(NotFoundError):
        shop.ws.remove_event_source()


def test_a_workspace_has_one_event_source(shop: WidgetShop) -> None:
    stored = shop.ws.event_source
    assert stored is not None
    other = shop.ws.set_event_source("events", event_type="kind")
    assert (other.id, other.session_id) == (stored.id, None)
    assert shop.ws.event_source == other
    whole = shop.ws.set_event_source(stored.spec)
    assert whole.spec == stored.spec
    changed = shop.ws.set_event_source(stored.spec, brand=None)
    assert (changed.brand, changed.catalog) == (None, "catalog_id")


def test_columns_that_cannot_play_their_part_are_all_named(shop: WidgetShop) -> None:
    wrong: dict[str, Any] = {"event_type": "kinds", "metadata": "amount", "brand": "@.meta.x"}
    with pytest.raises(SpecError) as raised:
        shop.ws.set_event_source("events", **wrong, values={"amount": "kind", "price": "no"})
    found = {problem.path: problem for problem in raised.value.problems}
    assert sorted(found) == ["event_type", "metadata", "values.amount", "values.price"]
    assert found["event_type"].hint == "did you mean 'kind'?"
    assert shop.ws.event_source is not None
    assert shop.ws.event_source.event_type == "kind"


def test_its_source_must_be_there_and_stays(shop: WidgetShop) -> None:
    with pytest.raises(NotFoundError):
        shop.ws.set_event_source("event")
    with pytest.raises(ConflictError, match="the event source needs source 'events'"):
        shop.ws.remove("source", "events")
    shop.ws.remove_event_source()
    shop.ws.remove("source", "events")


def test_yaml_carries_it_to_another_home(shop: WidgetShop, tmp_path: Path) -> None:
    text = tmp_path / "all.yaml"
    shop.ws.export(text)
    with af.open(tmp_path / "other") as other:
        other.apply(text)
        assert other.event_source is not None
        assert other.event_source.spec == shop.ws.event_source.spec  # pyright: ignore[reportOptionalMemberAccess] - it was set
        assert other.export() == text.read_text()


def test_yaml_is_checked_before_anything_is_added(shop: WidgetShop, tmp_path: Path) -> None:
    text = tmp_path / "wrong.yaml"
    text.write_text("event_sources:\n- {source: events, session_id: nowhere}\n- {source: events}\n")
    with pytest.raises(SpecError) as raised:
        shop.ws.apply(text)
    # A workspace has one.
    assert [problem.path for problem in raised.value.problems] == [
        "event_sources",
        "the event source.session_id",
    ]
    assert shop.ws.event_source is not None
    assert shop.ws.event_source.session_id == "sid"


# ---------------------------------------------------------------------------------------
# What is refused


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        (("none", "sum", "score"), "value_field", "has no 'score'"),
        (("none", "sum", "session_id"), "value_field", "'sid' is string"),
        (("none", "avg", "product_id"), "value_field", "'product' is string"),
        (("metadata.x", "count", None), "group_by", "names no metadata column"),
        (("product_id", "count", None), "group_by", "names no product_id column"),
        (("session", "sum", "price"), "group_by", "names no session_id column"),
        (("none", "count_distinct", None), "aggregation", "names no session_id column"),
    ],
)
def test_what_the_event_source_lacks_is_named(
    shop: WidgetShop, query: tuple[Any, ...], path: str, message: str
) -> None:
    roles = dict(COLUMNS, product_id=None) if "no product_id" in message else COLUMNS
    if "no session_id" in message:
        roles = dict(COLUMNS, session_id=None)
    shop.ws.set_event_source("events", **roles, values=VALUES)
    group, aggregation, field = query
    with pytest.raises(QueryError) as raised:
        shop.ws.aggregate(af.WidgetQuery(None, group, aggregation, 7, field))
    assert isinstance(raised.value, SpecError)
    assert [problem.path for problem in raised.value.problems] == [path]
    assert message in raised.value.problems[0].message


def test_every_problem_is_told_at_once(shop: WidgetShop) -> None:
    shop.ws.set_event_source("events")
    with pytest.raises(SpecError) as raised:
        shop.ws.aggregate(af.WidgetQuery(["agent_view"], "session", "sum", 7, "price"))
    assert [problem.path for problem in raised.value.problems] == ["group_by", "value_field", "event_types"]


@pytest.mark.parametrize("role", ["brand", "catalog"])
def test_what_cannot_be_narrowed_is_not_answered_for_all(shop: WidgetShop, role: str) -> None:
    shop.ws.set_event_source("events", **(COLUMNS | {role: None}))
    narrowed: Any = {role: BRANDS[0]}
    with pytest.raises(ConflictError, match=f"names no {role} column"):
        shop.ws.aggregate(COUNT, **narrowed)


def test_a_column_that_the_source_lost_is_told(shop: WidgetShop) -> None:
    with duckdb.connect(str(shop.file)) as con:
        con.execute("create table other as select ts, sid, brand_id from events")
    shop.ws.add_source("events", f"duckdb://{shop.file}", table="other", time="ts")
    assert shop.ask(None, "session", "count", 7).rows
    with pytest.raises(SpecError, match="event_types: there is no column 'kind'"):
        shop.ws.aggregate(COUNT)
    with pytest.raises(ConflictError, match="names no catalog column"):
        shop.ws.aggregate(af.WidgetQuery(None, "none", "count", 7), catalog=CATALOGS[0])


def test_ids_that_are_numbers_are_summed(shop: WidgetShop) -> None:
    query = af.WidgetQuery(None, "none", "sum", 365, "agent_id")
    assert shop.ws.aggregate(query).rows == shop.expected(query)


# ---------------------------------------------------------------------------------------
# Metadata


def test_metadata_that_is_a_struct_has_the_keys_of_its_fields(shop: WidgetShop) -> None:
    with duckdb.connect(str(shop.file)) as con:
        con.execute(
            "create table structured as select ts, "
            "{'campaign': 'c' || amount % 2, 'many': [1, 2]} as meta from events"
        )
    shop.ws.add_source("structured", f"duckdb://{shop.file}", table="structured", time="ts")
    shop.ws.set_event_source("structured", metadata="meta")
    keys = {row["key"] for row in shop.ask(None, "metadata.campaign", "count", 365).rows}
    assert keys == {"c0", "c1", "c-1", "unknown"}
    for key in ("many", "campagne"):
        with pytest.raises(SpecError, match=f"group_by: the metadata has no single value '{key}'"):
            shop.ask(None, f"metadata.{key}", "count", 365)


def test_a_rollup_that_names_keys_of_the_sources_json_by_themselves_answers(shop: WidgetShop) -> None:
    shop.ws.add_source("events", f"duckdb://{shop.file}", table="events", time="ts", json="meta")
    shop.ws.add_filter("short", source="events", interval="1h", groupings=["@.campaign", "@.amount"])
    shop.ws.build("short", until=NOW - timedelta(hours=2), progress=False)
    query = af.WidgetQuery(None, "metadata.campaign", "count", 7)
    answer = shop.ws.aggregate(query)
    assert (answer.plan, answer.explain().rollup) == ("mixed", "filter short")
    assert answer.rows == shop.expected(query)
    # A column of the name is not the key of the metadata.
    rows = shop.ask(None, "metadata.amount", "count", 7).rows
    assert [row["key"] for row in rows] == ["unknown"]


# ---------------------------------------------------------------------------------------
# Answers


def test_an_answer_says_when_and_from_where(shop: WidgetShop) -> None:
    answer = shop.ws.aggregate(COUNT)
    assert answer.generated_at == "2026-03-11T10:17:23.456789Z"
    assert list(answer.to_plain()) == ["rows", "generated_at", "cache_hit"]
    assert answer.rows
    assert list(answer.rows[0]) == ["key", "value"]
    assert "Rollups of the source" in str(answer.explain())
    assert "2026-03-0" in repr(answer)
    assert "<table" in answer._repr_html_()
    assert list(answer.to_pandas()["key"]) == [row["key"] for row in answer.rows]


def test_rows_that_were_given_away_are_the_callers(shop: WidgetShop) -> None:
    shop.ws.aggregate(COUNT).rows[0]["value"] = -1
    assert shop.ws.aggregate(COUNT).rows == shop.expected(COUNT)


def test_the_end_of_the_window_can_be_named(shop: WidgetShop) -> None:
    end = NOW - timedelta(days=2)
    answer = shop.ws.aggregate(COUNT, now=end)
    assert answer.generated_us == shop.ws.now_us()
    shop.now = end
    assert answer.rows == shop.expected(COUNT)
    assert not shop.ws.aggregate(COUNT).cache_hit


# ---------------------------------------------------------------------------------------
# What is kept


def hits(shop: WidgetShop, *queries: af.WidgetQuery, **narrowed: Any) -> list[bool]:
    return [shop.ws.aggregate(query, **narrowed).cache_hit for query in queries or (COUNT,)]


def test_an_equal_question_is_answered_with_what_is_kept(shop: WidgetShop) -> None:
    first = shop.ws.aggregate(COUNT)
    shop.now += timedelta(seconds=30)
    shop.sql("delete from events")
    second = shop.ws.aggregate(COUNT)
    assert (first.cache_hit, second.cache_hit) == (False, True)
    assert (second.rows, second.generated_at, second.plan) == (first.rows, first.generated_at, first.plan)
    same = af.WidgetQuery(["agent_view", "agent_view"], "day", "count", 7, "price")
    assert hits(shop, same) == [True]
    found = shop.ws.find_aggregate(same)
    assert found is not None
    assert (found.query, found.cache_hit) == (same, True)


def test_another_question_is_not(shop: WidgetShop) -> None:
    assert hits(shop) == [False]
    others = [
        af.WidgetQuery(["agent_atc"], "day", "count", 7),
        af.WidgetQuery(["agent_view"], "hour", "count", 7),
        af.WidgetQuery(["agent_view"], "day", "count_distinct", 7),
        af.WidgetQuery(["agent_view"], "day", "count", 8),
        af.WidgetQuery(["agent_view"], "day", "count", 7, limit=99),
    ]
    assert hits(shop, *others) == [False] * 5
    for narrowed in ({"brand": BRANDS[0]}, {"brand": BRANDS[1]}, {"catalog": CATALOGS[0]}):
        assert shop.ws.find_aggregate(COUNT, **narrowed) is None
        assert hits(shop, **narrowed) == [False]
        assert hits(shop, **narrowed) == [True]


def test_a_build_that_changes_a_covering_rollup_ends_it(shop: WidgetShop) -> None:
    shop.ws.add_filter("by kind", source="events", interval="1h", groupings=["kind"])
    shop.ws.add_filter("by sid", source="events", interval="1h", groupings=["sid"])
    assert shop.ws.aggregate(COUNT).plan == "source"
    assert hits(shop) == [True]
    # One that could not answer.
    shop.ws.build("by sid", until=NOW, progress=False)
    assert hits(shop) == [True]
    shop.ws.build("by kind", until=NOW - timedelta(days=1), progress=False)
    assert shop.ws.find_aggregate(COUNT) is None
    answer = shop.ws.aggregate(COUNT)
    assert (answer.plan, answer.cache_hit) == ("mixed", False)
    shop.sql("delete from events")
    shop.ws.build("by kind", until=NOW, full=True, progress=False)
    assert shop.ws.aggregate(COUNT).rows == []
    assert hits(shop) == [True]


def test_a_build_of_another_process_ends_it(shop: WidgetShop, tmp_path: Path) -> None:
    shop.ws.add_filter("by kind", source="events", interval="1h", groupings=["kind"])
    assert hits(shop, COUNT, COUNT) == [False, True]
    other = WidgetShop(tmp_path)
    other.ws.build("by kind", until=NOW, progress=False)
    other.close()
    assert shop.ws.find_aggregate(COUNT) is None
    assert hits(shop) == [False]


def test_definitions_end_it_where_it_is_theirs(shop: WidgetShop) -> None:
    assert hits(shop, COUNT, COUNT) == [False, True]
    shop.ws.add_filter("by sid", source="events", interval="1h", groupings=["sid"])
    assert hits(shop) == [True]
    shop.ws.add_filter("by kind", source="events", interval="1h", groupings=["kind"])
    assert hits(shop, COUNT, COUNT) == [False, True]
    shop.ws.remove("filter", "by kind")
    # As it was at first.
    assert hits(shop, COUNT, COUNT) == [False, True]
    shop.ws.set_event_source("events", **(COLUMNS | {"event_type": "sid"}))
    assert shop.ws.aggregate(COUNT).rows == []
    shop.ws.set_event_source("events", **COLUMNS)
    assert shop.ws.aggregate(COUNT).rows == shop.expected(COUNT)
    with duckdb.connect(str(shop.file)) as con:
        con.execute("create table none as from events limit 0")
    shop.ws.add_source("events", f"duckdb://{shop.file}", table="none", time="ts")
    assert shop.ws.aggregate(COUNT).rows == []


def test_it_is_kept_for_a_minute_if_nothing_else_is_said(tmp_path: Path) -> None:
    shop = WidgetShop(tmp_path, count=10)
    assert shop.ws.settings.widget_ttl == 60
    shop.close()
    shop = WidgetShop(tmp_path, widget_ttl=0.05)
    assert hits(shop, COUNT) == [False]
    time.sleep(0.06)
    assert hits(shop, COUNT) == [False]
    shop.close()
    shop = WidgetShop(tmp_path, widget_ttl=0)
    assert hits(shop, COUNT, COUNT) == [False, False]
    shop.close()


def test_equal_questions_at_once_share_one_computation(
    shop: WidgetShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving, asked, begin = shop.ws._serving, list[Inquiry](), threading.Barrier(8)
    inquire = serving.inquire

    def slow(inquiry: Inquiry) -> Answer:
        asked.append(inquiry)
        time.sleep(0.5)
        return inquire(inquiry)

    def ask(_: int) -> tuple[bool, str, Any]:
        begin.wait(10)
        answer = shop.ws.aggregate(COUNT)
        return answer.cache_hit, answer.generated_at, answer.rows

    monkeypatch.setattr(serving, "inquire", slow)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(asked) == 1
    assert sorted(hit for hit, _, _ in found) == [False] + [True] * 7
    assert len({at for _, at, _ in found}) == 1
    assert all(rows == found[0][2] for _, _, rows in found)


def test_a_source_that_is_away_is_an_error_and_not_kept(
    shop: WidgetShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Inquiry) -> Answer:
        raise SourceUnavailableError("it is away")

    with monkeypatch.context() as patched:
        patched.setattr(shop.ws._serving, "inquire", away)
        with pytest.raises(SourceUnavailableError):
            shop.ws.aggregate(COUNT)
    assert shop.ws.aggregate(COUNT).rows == shop.expected(COUNT)
