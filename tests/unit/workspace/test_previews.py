from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Field, Shop, at, micros

import aggflow as af
from aggflow.errors import NotCoveredError, NotFoundError

COUNT = Field("n", "events", "COUNT")


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    shop = Shop(tmp_path)
    shop.source()
    shop.add(
        Event(at("08:10"), "a", "x", 1.0, 1),
        Event(at("09:30"), "b", "y", 2.0, 2),
        Event(at("11:59"), "c", "y", 2.0, 2),
    )
    shop.ws.add_filter("f", source="events", interval="1h", groupings=["team"])
    yield shop
    shop.close()


@pytest.fixture
def ws(shop: Shop) -> af.Workspace:
    return shop.ws


def endpoint(ws: af.Workspace, timing: Any, **options: Any) -> str:
    return ws.add_endpoint("e", filter="f", timing=timing, fields=[COUNT], **options).id


def test_it_is_of_whole_buckets_that_are_built(shop: Shop, ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"))
    with pytest.raises(NotCoveredError, match="nothing of filter 'f' is built yet"):
        ws.preview("e")
    ws.build("f", until=at("11:30"), progress=False)
    preview = ws.preview("e")
    assert preview.end_us == micros(at("11:00"))
    assert preview.answer.rows == [{"fields": {"n": 2}}]
    shop.file.unlink()
    again = ws.preview("e")
    assert (again.answer.rows, again.fingerprint) == (preview.answer.rows, preview.fingerprint)


def test_where_only_the_bucket_that_fills_has_events_it_says_so(shop: Shop, ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"))
    ws.build("f", until=at("08:30"), progress=False)
    shop.now = at("08:59")
    with pytest.raises(NotCoveredError, match="are in the bucket that is still filling"):
        ws.preview("e")


def test_where_that_bucket_is_over_it_says_since_when_nothing_is_built(shop: Shop, ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"))
    ws.build("f", until=at("08:30"), progress=False)
    shop.now = at("09:00")
    with pytest.raises(NotCoveredError, match=r"filter 'f' is not built since 2025-01-01 08:30 UTC"):
        ws.preview("e")


def test_by_its_id_and_by_nothing_else(ws: af.Workspace) -> None:
    found = endpoint(ws, af.Lookback("4h"))
    ws.build("f", progress=False)
    assert ws.preview(found).answer.rows == ws.preview("e").answer.rows
    with pytest.raises(NotFoundError, match="there is no endpoint 'g'"):
        ws.preview("g")


def test_another_build_is_another_fingerprint(shop: Shop, ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"))
    ws.build("f", until=at("11:00"), progress=False)
    before = ws.preview("e")
    ws.build("f", progress=False)
    after = ws.preview("e")
    assert after.fingerprint != before.fingerprint
    assert after.answer.rows == [{"fields": {"n": 3}}]


@pytest.mark.parametrize("offset", ["0s", "2h"])
def test_events_of_long_ago_are_looked_at_where_they_were(shop: Shop, ws: af.Workspace, offset: str) -> None:
    endpoint(ws, af.TimeSeries("4h", offset=offset))
    shop.now = at("2025-03-01 12:00")
    ws.build("f", progress=False)
    preview = ws.preview("e")
    assert [(row["dt"][:13], row["fields"]["n"]) for row in preview.answer.rows] == [
        ("2025-01-01T08", 1),
        ("2025-01-01T09", 1),
        ("2025-01-01T11", 1),
    ]


def test_values_that_a_question_has_to_name_are_found(ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"), groupings={"team": af.QueryTime()})
    ws.build("f", progress=False)
    preview = ws.preview("e")
    assert preview.grouping_filters == {"team": ("a", "b", "c")}
    assert [row["groupings"]["team"] for row in preview.answer.rows] == ["a", "b", "c"]


def test_a_gap_in_what_is_built_is_said(ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"))
    ws.build("f", since=at("11:00"), progress=False)
    with pytest.raises(NotCoveredError, match="a time that is not built yet"):
        ws.preview("e")


def test_the_slowest_questions_come_first_and_previews_are_none(ws: af.Workspace) -> None:
    endpoint(ws, af.Lookback("4h"))
    ws.build("f", progress=False)
    ws.preview("e")
    assert ws.slowest_questions() == []
    for _ in range(3):
        ws.query("e")
    ws.linq("from events group by player")
    found = ws.slowest_questions()
    assert {(one.text.removeprefix("LINQ by "), one.asked) for one in found} == {("e", 3), ("player", 1)}
    assert found == sorted(found, key=lambda one: -one.milliseconds)
    assert ws.slowest_questions(most=1) == found[:1]
