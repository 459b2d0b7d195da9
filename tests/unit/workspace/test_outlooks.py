"""What drafts of tasks and cubes would do, and that looking at them changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Shop, at

import aggflow as af
from aggflow.errors import ParseError, SourceError
from aggflow.spec.cube import Cube
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.spec.task import Task

LINQ = "from events group every 1h by team select sum(points) as points"


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    shop = Shop(tmp_path)
    shop.source()
    yield shop
    shop.close()


@pytest.fixture
def ws(shop: Shop) -> af.Workspace:
    return shop.ws


def task(linq: str = LINQ, **options: Any) -> Task:
    return Task("t", linq, options.pop("from_date", "2025-01-01"), **options)


def told(ws: af.Workspace, draft: Task) -> list[tuple[str, bool]]:
    return [(effect.what, effect.blocks) for effect in ws.effects_of_task(draft)]


def test_a_query_is_read_against_its_source(ws: af.Workspace) -> None:
    assert list(ws.read_linq(LINQ).groupings) == ["team"]
    with pytest.raises(ParseError, match="no column 'teem'") as caught:
        ws.read_linq(LINQ.replace("team", "teem"))
    assert (caught.value.line, caught.value.column) == (1, LINQ.index("team") + 1)
    assert "team" in caught.value.hint
    with pytest.raises(ParseError, match="no table 'event'"):
        ws.read_linq(LINQ.replace("events", "event"))
    with pytest.raises(ParseError, match="need numbers"):
        ws.read_linq("from events group select sum(team)")


def test_a_source_that_is_gone_is_told(shop: Shop, ws: af.Workspace) -> None:
    shop.file.unlink()
    with pytest.raises(SourceError):
        ws.read_linq(LINQ)
    with pytest.raises(SourceError):
        ws.misfits_of_cube(Cube("c", "events"))


def test_a_new_task_is_begun_by_the_next_run(ws: af.Workspace) -> None:
    ((text, blocks),) = told(ws, task())
    assert "2025-01-01T00:00:00Z" in text
    assert not blocks
    assert "all events" in told(ws, task(from_date=0))[0][0]
    assert len(ws.tasks) == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"description": "more"}, "holds at once"),
        ({"delay": 60}, "holds at once"),
        ({"min_grain": "15m"}, "built anew"),
        ({"linq": LINQ.replace("sum", "avg")}, "built anew"),
        ({"from_date": "2024-01-01"}, "earlier beginning"),
        ({"from_date": "2025-02-01"}, "holds at once"),
    ],
)
def test_what_a_change_of_a_task_does(ws: af.Workspace, changed: dict[str, Any], said: str) -> None:
    ws.add_task("t", linq=LINQ, from_date="2025-01-01")
    ws.run_tasks()
    before = ws.task("t")
    found = told(ws, task(**changed))
    assert [said in text for text, _ in found] == ([True] if said else [])
    assert ws.task("t") == before


def test_a_task_that_takes_no_change_now_blocks_it(ws: af.Workspace) -> None:
    ws.add_task("t", linq=LINQ, from_date="2025-01-01")
    ws.run_tasks()
    ws.delete_task("t")
    ((text, blocks),) = told(ws, task(description="more"))
    assert blocks
    assert "PENDING_DELETE" in text


def cube(**options: Any) -> Cube:
    known: dict[str, Any] = {
        "dimensions": ["team", "player"],
        "measures": [Aggregation("points", field="points", calculations=["SUM"])],
        "aggregates": [
            CubeAggregate("hourly", "1h", ["team"]),
            CubeAggregate("daily", "1d", ["team", "player"]),
        ],
    }
    return Cube("c", "events", **(known | options))


def test_what_a_change_of_a_cube_does_to_its_aggregates(shop: Shop, ws: af.Workspace) -> None:
    shop.add(Event(at("10:00"), "red", "ann", 1.0, 1, at("10:00")))

    def effects(draft: Cube) -> dict[str, str]:
        return {effect.endpoint: effect.what for effect in ws.effects_of_cube(draft)}

    assert effects(cube()) == {"c/hourly": "is to be built", "c/daily": "is to be built"}
    spec = cube()
    ws.add_cube(
        "c", source="events", dimensions=spec.dimensions, measures=spec.measures, aggregates=spec.aggregates
    )
    ws.build_cube("c", progress=False)
    assert set(effects(cube()).values()) == {"stays as it is built"}
    changed = cube(
        aggregates=[CubeAggregate("hourly", "1h", ["team"]), CubeAggregate("daily", "1d", ["team"])]
    )
    assert effects(changed)["c/hourly"] == "stays as it is built"
    assert "built anew" in effects(changed)["c/daily"]
    assert "dropped" in effects(cube(aggregates=[CubeAggregate("hourly", "1h", ["team"])]))["c/daily"]
    assert "built anew" in effects(cube(where="@.team == 'red'"))["c/hourly"]


def test_what_of_a_cube_cannot_be_served(ws: af.Workspace) -> None:
    assert ws.misfits_of_cube(cube()) == []
    (problem,) = ws.misfits_of_cube(cube(dimensions=["teem"], aggregates=None))
    assert problem.path == "dimensions[0]"
    assert "teem" in problem.message
    paths = [problem.path for problem in ws.misfits_of_cube(Cube("c", "nowhere", project="none"))]
    assert paths == ["source", "project"]


def test_endpoints_that_lose_something_are_told_before_a_task_or_a_cube_is_saved(ws: af.Workspace) -> None:
    both = LINQ + ", count() as n"
    stored = ws.add_task("t", linq=both, from_date="2025-01-01").spec
    points = Aggregation("points", "points", ["SUM"])
    ws.add_cube("c", source="events", dimensions=["team"], measures=[points, Aggregation("events")])
    of_task: Any = [af.Field("n", "n"), af.Field("points", "points")]
    of_cube: Any = [af.Field("n", "events"), af.Field("points", "points")]
    ws.add_endpoint("e", task="t", timing=af.Lookback("1d"), fields=of_task)
    ws.add_endpoint("d", cube="c", timing=af.Lookback("1d"), fields=of_cube, groupings={"team": af.All()})
    lost = "'n' will be null: what it is made of is no longer kept"
    assert told(ws, task(LINQ))[1:] == [(lost, False)]
    gone = "it would lose its last valid field ('n', 'points')"
    assert told(ws, task("from events group every 1h by team select max(points) as most"))[1:] == [
        (gone, True)
    ]
    fewer: Any = {"source": "events", "dimensions": ["player"], "measures": [points]}
    effects = [one for one in ws.effects_of_cube(Cube("c", **fewer)) if one.endpoint == "d"]
    assert [(one.what, one.blocks) for one in effects] == [
        ("grouping 'team', which it needs, is no longer kept", True),
        (lost, False),
    ]
    assert ws.tasks["t"].spec == stored
