"""Unit tests of the plan: what is missing, where buckets are read from, why a rollup cannot answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from shop import Aggregation

import aggflow as af
from aggflow.catalog.coverage import Coverage
from aggflow.catalog.coverage_row import CoverageRow
from aggflow.engine.plan import Need, miss, missing, pieces, stored_rows
from aggflow.engine.question import Asked, Question
from aggflow.engine.version import Version
from aggflow.measures.registry import StateKey, state_keys
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Interval, Window, WindowSet, Zone

MINUTE, HOUR = 60_000_000, 3_600_000_000
VALUE = Aggregation("value", "value", ["COUNT", "SUM", "PERCENTILES"])


def rollup(interval: str = "1h", **options: Any) -> Rollup:
    wanted: dict[str, Any] = {"groupings": ["team"], "aggregations": [VALUE], **options}
    return rollup_of(af.Filter("f", "events", interval, **wanted))


def version(number: int = 1, validity: Window = ALWAYS, interval: str = "1h") -> Version:
    return Version("r", number, rollup(interval), None, validity)


def hours(*pairs: tuple[float, float]) -> WindowSet:
    return WindowSet(Window(round(start * HOUR), round(end * HOUR)) for start, end in pairs)


def hour(start: float, end: float) -> Window:
    return Window(round(start * HOUR), round(end * HOUR))


NOTHING = WindowSet()


class TestMissing:
    def test_at_first_everything_is_missing(self) -> None:
        found = missing(version(), NOTHING, Window(BEGINNING, round(12.5 * HOUR)), NOTHING)
        assert found == WindowSet.of(Window(BEGINNING, round(12.5 * HOUR)))

    def test_nothing_is_missing_of_what_is_built(self) -> None:
        assert not missing(version(), hours((0, 12)), hour(0, 12), NOTHING)

    def test_a_partial_bucket_is_made_again_whole(self) -> None:
        assert missing(version(), hours((0, 11.5)), hour(0, 12.25), NOTHING) == hours((11, 12.25))

    def test_a_partial_bucket_that_grows_little_is_made_again_whole(self) -> None:
        assert missing(version(), hours((0, 11.25)), hour(0, 11.75), NOTHING) == hours((11, 11.75))

    def test_gaps_are_missing(self) -> None:
        assert missing(version(), hours((0, 2), (3, 5), (7, 8)), hour(0, 8), NOTHING) == hours((2, 3), (5, 7))

    def test_what_is_stale_is_made_again_in_whole_buckets(self) -> None:
        assert missing(version(), hours((0, 12)), hour(0, 12), hours((3.25, 3.5))) == hours((3, 4))

    def test_what_is_stale_and_not_built_is_only_missing_where_it_is_wanted(self) -> None:
        assert not missing(version(), hours((0, 12)), hour(0, 12), hours((12, 13)))

    def test_what_is_stale_is_made_again_wanted_or_not(self) -> None:
        assert missing(version(), hours((0, 12)), hour(0, 6), hours((9, 10))) == hours((9, 10))

    def test_an_end_inside_a_built_bucket_does_not_cut_it(self) -> None:
        found = missing(version(), hours((0, 12)), hour(0, 6.5), hours((0, 6.5)))
        assert found == hours((0, 7))

    def test_an_end_inside_a_partial_bucket_replaces_all_that_is_built_of_it(self) -> None:
        found = missing(version(), hours((0, 6.75)), hour(0, 6.5), hours((0, 6.5)))
        assert found == hours((0, 6.75))

    @pytest.mark.parametrize(
        ("validity", "expected"),
        [
            (Window(BEGINNING, 5 * HOUR), hours((0, 5))),
            (Window(5 * HOUR, FOREVER), hours((5, 8))),
            (Window(8 * HOUR, FOREVER), NOTHING),
            (Window(BEGINNING, 0), NOTHING),
        ],
    )
    def test_a_form_is_only_built_for_its_time(self, validity: Window, expected: WindowSet) -> None:
        assert missing(version(validity=validity), NOTHING, hour(0, 8), hours((0, 8))) == expected


def covered(*parts: tuple[int, float, float, str | None]) -> Coverage:
    rows = (
        CoverageRow(i, "r", number, hour(start, end), file, 7, 0, "", 0, None)
        for i, (number, start, end, file) in enumerate(parts)
    )
    return Coverage(1, tuple(rows))


def where(found: Iterable[Any]) -> list[tuple[int, float, float, str]]:
    return [
        (
            piece.version.number,
            piece.window.start / HOUR,
            piece.window.end / HOUR,
            "live" if piece.is_live else str(piece.row.file),
        )
        for piece in found
    ]


class TestPieces:
    def test_each_bucket_is_read_from_one_place(self) -> None:
        coverage = covered((1, 0, 3, "a"), (1, 3, 4, None), (1, 5, 7, "b"))
        found = pieces([version()], coverage, hour(1, 8))
        assert where(found) == [
            (1, 1, 3, "a"),
            (1, 3, 4, "None"),
            (1, 5, 7, "b"),
            (1, 4, 5, "live"),
            (1, 7, 8, "live"),
        ]

    def test_a_bucket_that_is_built_in_part_is_live_and_whole(self) -> None:
        found = pieces([version()], covered((1, 0, 3.5, "a")), hour(2, 4))
        assert where(found) == [(1, 2, 3, "a"), (1, 3, 4, "live")]

    def test_buckets_belong_to_a_window_by_their_starts(self) -> None:
        found = pieces([version()], covered((1, 0, 9, "a")), hour(1.5, 3.5))
        assert where(found) == [(1, 2, 4, "a")]

    def test_each_form_answers_for_its_own_time(self) -> None:
        chain = [version(1, Window(BEGINNING, 4 * HOUR)), version(2, Window(4 * HOUR, FOREVER), "30m")]
        coverage = covered((1, 0, 4, "a"), (2, 4, 5.25, "b"))
        assert where(pieces(chain, coverage, hour(2, 6))) == [
            (1, 2, 4, "a"),
            (2, 4, 5, "b"),
            (2, 5, 6, "live"),
        ]


def question(**options: Any) -> Question:
    keys = state_keys(rollup())
    asked = [Asked(key.measure, key, Calculation.COUNT, None, hour(0, 24)) for key in keys]
    return replace(Question(tuple(asked)), **options)


def need(of: Question, where: str = "") -> Need:
    keys: list[StateKey] = [asked.key for asked in of.fields if asked.key]
    return Need("events", where, tuple(keys), of)


class TestMiss:
    def test_a_rollup_that_has_everything_answers(self) -> None:
        assert miss(rollup(), need(question(groupings={"team": "team"}))) == ""

    @pytest.mark.parametrize(
        ("options", "asked", "why"),
        [
            ({"source": "others"}, {}, "source: it is made of 'others'"),
            ({"where": "@.team == 'a'"}, {}, "where: it keeps only @.team == 'a'"),
            ({"groupings": ["team"]}, {"groupings": {"player": "player"}}, "groupings: it has no player"),
            ({"groupings": ["team"]}, {"filters": {"player": ("x",)}}, "groupings: it has no player"),
            (
                {"aggregations": [Aggregation("value", "value", ["COUNT"])]},
                {},
                "aggregations: it keeps no",
            ),
            (
                {"aggregations": [replace(VALUE, sketch_groupings=[])]},
                {"groupings": {"team": "team"}},
                "aggregations: it keeps no quantile",
            ),
            ({"interval": "7h"}, {"series": Interval.of("1d")}, "interval: 7h does not divide 1d"),
            ({"interval": "1d"}, {"series": Interval.of("1h")}, "interval: 1d does not divide 1h"),
            (
                {"interval": "1h"},
                {"series": Interval.of("1d"), "zone": Zone.of("Asia/Kathmandu")},
                "interval: 1h does not divide 1d in Asia/Kathmandu",
            ),
            (
                {"interval": "1d"},
                {"series": Interval.of("1d"), "zone": Zone.of("Europe/Berlin")},
                "interval: 1d in UTC does not divide 1d in Europe/Berlin",
            ),
            ({"interval": "7h"}, {}, "interval: a bucket of 7h crosses an edge of the window"),
        ],
    )
    def test_a_rollup_that_lacks_something_says_what(
        self, options: dict[str, Any], asked: dict[str, Any], why: str
    ) -> None:
        made = rollup(**{key: value for key, value in options.items() if key != "source"})
        made = replace(made, source=options.get("source", "events"))
        assert miss(made, need(question(**asked))).startswith(why)

    def test_a_narrower_question_is_answered_where_groupings_tell_its_events(self) -> None:
        made = rollup(where="@.team == 'a'", groupings=["team", "player"])
        asked = need(question(), "@.team == 'a' && @.player == 'x'")
        assert miss(made, asked).startswith("where: its groupings do not tell")
        assert miss(made, replace(asked, plain=frozenset({"player"}))) == ""

    def test_a_narrower_question_of_a_value_that_is_no_grouping_is_not_answered(self) -> None:
        asked = replace(need(question(), "@.value > 0"), plain=frozenset({"value"}))
        assert miss(rollup(), asked).startswith("where: its groupings do not tell @.value > 0")

    def test_a_question_whose_edges_cut_buckets_is_answered_where_it_may(self) -> None:
        made = rollup(interval="7h")
        assert miss(made, need(question())).startswith("interval")
        assert miss(made, replace(need(question()), cuts=True)) == ""

    def test_stored_rows_are_those_of_the_segments_that_are_touched(self) -> None:
        coverage = covered((1, 0, 3, "a"), (1, 3, 4, "b"), (1, 5, 7, "c"))
        assert stored_rows(coverage, [hour(2, 3.5)]) == 14
