"""Unit tests of grouping limits: so many players a team, teams ranked as teams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af

FIELDS = [
    Field("avg", "value", "AVG"),
    Field("n", "value", "COUNT"),
    Field("p", "value", "PERCENTILES", percentile=1),
]
BEST = [af.Sort("avg", "desc")]
# Reds: (1 + 1 + 1 + 9) / 4 = 3, though their players' averages are 1 and 9.
# Blues: (4 + 4) / 2 = 4, greens: 3.5, and those without a team 0.
SCORES = {
    ("red", "ann"): [1, 1, 1],
    ("red", "bob"): [9],
    ("blue", "cat"): [4],
    ("blue", "dan"): [4],
    ("green", "eve"): [2],
    ("green", "fay"): [5],
    (None, "gus"): [0],
}


@pytest.fixture(scope="module", params=[["team", "player"], ["player", "team"]], ids="-".join)
def league(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same league by two filters: the order of a filter's groupings is not the order of limits."""
    folder: Path = tmp_path_factory.mktemp("league")
    shop = Shop(folder)
    shop.add(
        *(
            Event(at(f"{9 + i:02}:00"), team, player, float(score))
            for (team, player), scores in SCORES.items()
            for i, score in enumerate(scores)
        )
    )
    shop.source()
    shop.filter(
        "1h",
        groupings=request.param,
        aggregations=[Aggregation("value", "value", ["AVG", "COUNT", "PERCENTILES"])],
    )
    shop.build(until=at("10:00"))
    yield shop
    shop.close()


def board(shop: Shop, limits: list[tuple[str, int]], **options: Any) -> list[tuple[Any, Any]]:
    both = {"team": af.All(), "player": af.All()}
    options = {"timing": af.Lookback("24h"), "sort": BEST, "groupings": both, "fields": FIELDS, **options}
    shop.ws.add_endpoint("board", filter="f", grouping_limits=limits, **options)
    shop.check("board")
    return [tuple(row["groupings"].get(name) for name in ("team", "player")) for row in shop.ask("board")]


def test_teams_are_ranked_by_the_average_of_their_events(league: Shop) -> None:
    """By the average of averages the reds would win: (1 + 9) / 2 = 5."""
    assert {team for team, _ in board(league, [("team", 1)])} == {"blue"}
    assert {team for team, _ in board(league, [("team", 2)])} == {"blue", "green"}
    assert {team for team, _ in board(league, [("team", 3)])} == {"blue", "green", "red"}


def test_so_many_players_a_team(league: Shop) -> None:
    found = board(league, [("team", 3), ("player", 1)])
    assert found == [("red", "bob"), ("green", "fay"), ("blue", "cat")]


def test_the_rows_that_are_left_are_sorted_flat(league: Shop) -> None:
    found = board(league, [("team", 2), ("player", 2)])
    assert found == [("green", "fay"), ("blue", "cat"), ("blue", "dan"), ("green", "eve")]


def test_the_other_way_round_players_come_first(league: Shop) -> None:
    assert board(league, [("player", 2), ("team", 1)]) == [("red", "bob"), ("green", "fay")]


def test_groupings_that_are_not_named_are_innermost_and_unlimited(league: Shop) -> None:
    found = board(league, [("player", 3)])
    assert [player for _, player in found] == ["bob", "fay", "cat"]


def test_without_a_sort_field_values_are_ranked_upwards_and_null_last(league: Shop) -> None:
    teams = {"team": af.All()}
    assert [t for t, _ in board(league, [("team", 2)], sort=[], groupings=teams)] == ["blue", "green"]
    assert [t for t, _ in board(league, [("team", 4)], sort=[], groupings=teams)] == [
        "blue",
        "green",
        "red",
        None,
    ]
    by_name = [af.Sort("team", "desc")]
    assert [t for t, _ in board(league, [("team", 2)], sort=by_name, groupings=teams)] == ["green", "blue"]


def test_the_ranking_is_by_the_first_sort_term_that_is_a_field(league: Shop) -> None:
    sort = [af.Sort("team"), af.Sort("n", "desc"), af.Sort("avg", "desc")]
    assert board(league, [("player", 1)], sort=sort) == [("red", "ann")]


def test_the_worst_are_found_too(league: Shop) -> None:
    assert board(league, [("team", 2), ("player", 1)], sort=[af.Sort("avg")]) == [
        (None, "gus"),
        ("red", "ann"),
    ]


def test_the_limit_of_rows_cuts_after_the_limits_of_groupings(league: Shop) -> None:
    assert board(league, [("team", 2), ("player", 1)], limit=1) == [("green", "fay")]


def test_a_series_is_ranked_over_its_whole_window(league: Shop) -> None:
    """At nine o'clock the reds have a five on average, on the whole a three."""
    timing = af.TimeSeries("6h", include_incomplete=True)
    found = board(league, [("team", 2)], timing=timing, groupings={"team": af.All()})
    assert {team for team, _ in found} == {"blue", "green"}


def test_the_ranking_fields_own_window_ranks(league: Shop) -> None:
    """From ten o'clock on only one player has events: the others have nothing to be ranked by."""
    fields = [Field("avg", "value", "AVG", duration="2h"), Field("n", "value", "COUNT")]
    found = board(league, [("team", 2)], fields=fields, groupings={"team": af.All()})
    assert [team for team, _ in found] == ["red", "blue"]
