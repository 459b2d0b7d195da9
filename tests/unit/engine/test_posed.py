"""Posed questions: what their fingerprint tells, and what is answered without waiting."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.engine import inquiry, reader
from aggflow.engine.at_hand import NotAtHandError
from aggflow.engine.plan import exact_pieces
from aggflow.timeline import Window

VALUE = Aggregation("value", "value", ["COUNT", "SUM"])
FIELDS = [Field("n", "value", "COUNT")]
TEN = at("10:00")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, at("11:45"), live_ttl=60)
    made.add(Event(at("08:10"), "b", "x", 1.0), Event(at("09:20"), "a", "x", 5.0))
    made.source()
    made.filter("1h", groupings=["team"], aggregations=[VALUE])
    made.build(until=at("11:00"))
    endpoint(made)
    yield made
    made.close()


def endpoint(shop: Shop, **options: Any) -> None:
    wanted: dict[str, Any] = {"timing": af.Lookback("24h"), "fields": FIELDS, **options}
    shop.ws.add_endpoint("e", filter="f", **wanted)


def fingerprint(shop: Shop, end: Any = TEN, **options: Any) -> str | None:
    return shop.ws.pose("e", end=end, **options).fingerprint


class TestFingerprint:
    def test_it_stays_while_the_answer_does(self, shop: Shop) -> None:
        first = fingerprint(shop)
        assert first is not None
        # The same buckets: an end within the last of them.
        assert fingerprint(shop, at("09:01")) == fingerprint(shop, at("09:59")) == first
        assert fingerprint(Shop(shop.folder, shop.now)) == first

    def test_it_changes_with_the_buckets(self, shop: Shop) -> None:
        assert fingerprint(shop, at("10:01")) != fingerprint(shop)

    def test_it_changes_with_a_build(self, shop: Shop) -> None:
        before = fingerprint(shop)
        shop.add(Event(at("09:30"), "a", "x", 1.0))
        shop.build(until=at("11:00"), full=True)
        assert fingerprint(shop) != before

    @pytest.mark.parametrize(
        "change",
        [
            lambda shop: endpoint(shop, limit=10),
            lambda shop: shop.filter("1h", groupings=["team", "player"], aggregations=[VALUE]),
            lambda shop: shop.source(description="the same events"),
        ],
        ids=["endpoint", "filter", "source"],
    )
    def test_it_changes_with_a_definition(self, shop: Shop, change: Any) -> None:
        before = fingerprint(shop)
        change(shop)
        assert fingerprint(shop) != before

    def test_it_changes_with_the_values_of_the_question(self, shop: Shop) -> None:
        endpoint(shop, groupings={"team": af.QueryTime()})
        asked = [["a"], ["b"], ["a", "b"], [None], ["null"], ["None"], [""]]
        found = {fingerprint(shop, grouping_filters={"team": values}) for values in asked}
        assert len(found) == len(asked)

    def test_there_is_none_where_a_part_is_live(self, shop: Shop) -> None:
        assert fingerprint(shop, at("11:01")) is None
        assert fingerprint(shop, at("11:00")) is not None


class TestKept:
    def test_an_equal_question_gets_the_same_values_and_its_own_time(self, shop: Shop) -> None:
        first, second = (shop.ws.query("e", end=end) for end in (TEN, at("09:01")))
        assert second.fields is first.fields
        assert second.explanation.milliseconds != first.explanation.milliseconds
        assert second.explanation.cells == first.explanation.cells == 2
        assert str(second.explanation.candidates) == str(first.explanation.candidates)

    def test_nobody_can_change_what_others_get(self, shop: Shop) -> None:
        with pytest.raises(ValueError, match="read-only"):
            shop.ws.query("e", end=TEN).fields["n"].data[0] = 7

    def test_it_holds_nothing_of_what_was_built(self, shop: Shop) -> None:
        posed: Any = shop.ws.pose("e", end=TEN)
        coverage, answer = weakref.ref(posed.served), shop.ws.answer(posed)
        del posed
        shop.build(until=at("11:00"), full=True)
        shop.ws.query("e", end=at("09:00"))
        gc.collect()
        assert coverage() is None
        assert [one.name for one in answer.explanation.candidates] == ["filter f"]

    def test_a_build_ends_it(self, shop: Shop) -> None:
        assert shop.ws.query("e", end=TEN).rows == [{"fields": {"n": 2}}]
        shop.add(Event(at("09:30"), "a", "x", 1.0))
        shop.build(until=at("11:00"), full=True)
        assert shop.ws.query("e", end=TEN).rows == [{"fields": {"n": 3}}]

    def test_what_is_live_is_not_kept(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shop.ws._serving._tails, "_ttl", 0.0)
        assert shop.ws.query("e").rows == [{"fields": {"n": 2}}]
        shop.add(Event(at("11:20"), "a", "x", 1.0))
        assert shop.ws.query("e").rows == [{"fields": {"n": 3}}]

    def test_questions_to_a_filter_are_told_apart(self, shop: Shop) -> None:
        """They are not declared, so nothing says that two of them are equal."""
        asked: dict[str, Any] = {"start": at("08:00"), "end": TEN}
        for field, value in (("COUNT", 2), ("SUM", 6.0)):
            found = shop.ws.ask_filter("f", [Field("v", "value", field)], **asked)
            assert found.rows == [{"fields": {"v": value}}]


class TestAtHand:
    def test_what_is_not_in_memory_is_not_waited_for(self, shop: Shop) -> None:
        with pytest.raises(NotAtHandError):
            shop.ws.pose("e", end=TEN, wait=False)
        posed = shop.ws.pose("e", end=TEN)
        with pytest.raises(NotAtHandError):
            shop.ws.answer(posed, wait=False)
        expected = shop.ws.answer(posed).rows
        assert shop.ws.answer(shop.ws.pose("e", end=TEN, wait=False), wait=False).rows == expected

    def test_a_changed_definition_and_a_build_are_read_before(self, shop: Shop) -> None:
        shop.ws.query("e", end=TEN)
        endpoint(shop, limit=10)
        with pytest.raises(NotAtHandError):
            shop.ws.pose("e", end=TEN, wait=False)
        shop.ws.query("e", end=TEN)
        shop.build(until=at("11:30"))
        with pytest.raises(NotAtHandError):
            shop.ws.pose("e", end=TEN, wait=False)

    def test_a_live_tail_is_taken_where_it_is_kept(self, shop: Shop) -> None:
        shop.add(Event(at("11:20"), "a", "x", 1.0))
        with pytest.raises(NotAtHandError):
            shop.ws.answer(shop.ws.pose("e"), wait=False)
        assert shop.ws.query("e").rows == [{"fields": {"n": 3}}]
        assert shop.ws.answer(shop.ws.pose("e"), wait=False).rows == [{"fields": {"n": 3}}]

    def test_a_tail_that_is_not_kept_is_not_computed(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.ws.query("e")
        monkeypatch.setattr(shop.ws._serving._tails, "_ttl", 0.0)
        with pytest.raises(NotAtHandError):
            shop.ws.answer(shop.ws.pose("e"), wait=False)

    def test_what_takes_long_is_not_at_hand(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        shop.ws.query("e", end=TEN)
        other = shop.ws.pose("e", end=at("09:00"))
        monkeypatch.setattr(reader, "MOST_CELLS", 0)
        with pytest.raises(NotAtHandError):
            shop.ws.answer(other, wait=False)
        monkeypatch.setattr(reader, "MOST_CELLS", 10)
        assert shop.ws.answer(other, wait=False).rows == [{"fields": {"n": 1}}]


def test_where_windows_of_a_task_are_read_from_is_found_once_a_question(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Window] = []

    def counted(versions: Any, coverage: Any, window: Window, source: Any) -> Any:
        found.append(window)
        return exact_pieces(versions, coverage, window, source)

    shop.ws.add_task("t", linq="from events group every 1h select max(value) as n", from_date=0)
    fields = [Field("n", "n"), Field("before", "n", duration="2h")]
    shop.ws.add_endpoint("of task", task="t", timing=af.Lookback("24h"), fields=fields)
    shop.ws.run_tasks()
    monkeypatch.setattr(inquiry, "exact_pieces", counted)
    posed = shop.ws.pose("of task", end=TEN)
    assert (posed.is_live, posed.fingerprint is None) == (False, False)
    assert shop.ws.answer(posed).rows == [{"fields": {"n": 5.0, "before": 5.0}}]
    # One rollup can answer, about two windows.
    assert sorted(found) == sorted(posed.distinct_windows)
    assert len(found) == 2
