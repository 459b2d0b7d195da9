"""Tasks that endpoints ask: a change of one, in whatever state it is, keeps their numbers and what is built."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.errors import ConflictError, SpecError
from aggflow.spec.definitions import Definitions

BY_TEAM = "from events group every 1h by team select count() as n, sum(points) as total"
BY_PLAYER = BY_TEAM.replace("by team", "by player")
MANY = BY_TEAM.replace("group", "where points > 20 group")
TOTAL = [Field("total", "total")]
DAY = af.Lookback("1d")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, at("12:30"))
    made.source()
    made.add(
        *(
            Event(at("00:10") + timedelta(minutes=17 * i), "ab"[i % 2], "xyz"[i % 3], 1.0, i)
            for i in range(40)
        )
    )
    yield made
    made.close()


def add(shop: Shop, name: str = "t", linq: str = BY_TEAM) -> Any:
    return shop.ws.add_task(name, linq=linq, from_date=0)


def add_endpoint(shop: Shop, name: str = "e", task: str = "t", **options: Any) -> Any:
    wanted: dict[str, Any] = {"timing": DAY, "fields": TOTAL, **options}
    return shop.ws.add_endpoint(name, task=task, **wanted)


def total(shop: Shop, more_than: int = -1) -> list[dict[str, Any]]:
    """What an endpoint without groupings answers."""
    points = [event.points or 0 for event in shop.events]
    return [{"fields": {"total": sum(one for one in points if one > more_than)}}]


# -- a new name


def test_a_name_is_not_free_while_what_is_built_has_it(shop: Shop) -> None:
    add(shop)
    add(shop, "v")
    add_endpoint(shop)
    shop.ws.run_tasks()
    shop.ws.update_task("t", name="u", linq=BY_PLAYER)
    assert shop.ask("e") == total(shop)
    message = "what is built of task 'u' is still called 't'"
    with pytest.raises(ConflictError, match=message):
        add(shop, linq=MANY)
    with pytest.raises(ConflictError, match=message):
        shop.ws.update_task("v", name="t")
    assert shop.ask("e") == total(shop)
    shop.ws.run_tasks()
    add(shop, linq=MANY)
    shop.ws.run_tasks()
    add_endpoint(shop, "many")
    assert (shop.ask("e"), shop.ask("many")) == (total(shop), total(shop, more_than=20))
    shop.ws.remove("endpoint", "many")
    shop.ws.remove("task", "t")
    shop.ws.run_tasks()
    assert shop.ask("e") == total(shop)
    assert set(shop.ws.tasks) == {"u", "v"}


def test_an_endpoint_follows_a_new_name_that_was_cut_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shop)
    add_endpoint(shop)
    shop.ws.run_tasks()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shop.ws._declarations, "carry", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.ws.update_task("t", name="u", linq=MANY)
    assert shop.ws.endpoints["e"].spec.subject == ("task", "t")
    assert shop.ask("e") == total(shop)
    shop.ws.run_tasks()
    assert shop.ws.endpoints["e"].spec.subject == ("task", "u")
    assert shop.ask("e") == total(shop, more_than=20)


# -- an endpoint that is added as its task goes


def test_a_task_that_an_endpoint_asks_meanwhile_is_not_dropped(shop: Shop) -> None:
    add(shop)
    shop.ws.run_tasks()
    shop.ws.delete_task("t")
    # Another process looked before the task was to be deleted.
    shop.ws._declarations.put_endpoint(endpoint(task="t"))
    (failed,) = shop.ws.run_tasks().failed
    assert isinstance(failed.error, ConflictError)
    stays = shop.ws.tasks["t"]
    assert (stays.status, stays.status_data and stays.status_data["message"]) == (
        "PENDING_DELETE",
        "endpoint 'e' needs task 't'",
    )
    assert shop.ask("e") == total(shop)
    shop.ws.remove("endpoint", "e")
    shop.ws.run_tasks()
    assert "t" not in shop.ws.tasks


@pytest.mark.parametrize("kind", ["task", "cube"])
def test_no_endpoint_is_kept_of_what_is_removed_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    add(shop)
    shop.ws.add_cube("t", source="events", dimensions=["team"], measures=[Aggregation("total")])
    fields = TOTAL if kind == "task" else [Field("n", "total", "COUNT")]
    put = shop.ws._declarations._put

    def too_late(*given: Any, **options: Any) -> Any:
        shop.ws.remove(kind, "t")
        return put(*given, **options)

    with monkeypatch.context() as patched:
        patched.setattr(shop.ws._declarations, "_put", too_late)
        with pytest.raises(ConflictError, match="what endpoint 'e' needs was removed meanwhile"):
            shop.ws._put_endpoint(endpoint("", fields, **{kind: "t"}))
    assert not shop.ws.endpoints


@pytest.mark.parametrize("kind", ["task", "cube", "filter"])
def test_nothing_is_removed_that_an_endpoint_asks_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    add(shop)
    shop.ws.add_cube("t", source="events", dimensions=["team"], measures=[Aggregation("total")])
    shop.ws.add_filter("t", source="events", interval="1h", aggregations=[Aggregation("total")])
    fields = TOTAL if kind == "task" else [Field("n", "total", "COUNT")]
    monkeypatch.setattr(shop.ws._declarations, "check_removal", lambda *_: None)
    shop.ws._put_endpoint(endpoint("", fields, **{kind: "t"}))
    with pytest.raises(ConflictError, match=f"endpoint 'e' needs {kind} 't'"):
        shop.ws.remove(kind, "t")
    assert len(shop.ask("e")) == 1


# -- what is pending as an endpoint is added


@pytest.mark.parametrize("ask", ["start", "stop"])
def test_an_endpoint_leaves_what_else_is_asked_of_a_task_to_the_next_run(shop: Shop, ask: str) -> None:
    add(shop)
    shop.ws.run_tasks()
    pending = shop.ws.start_task("t", 0) if ask == "start" else shop.ws.stop_task("t")
    with pytest.raises(SpecError, match="the task selects no 'totl'"):
        add_endpoint(shop, fields=[Field("total", "totl")])
    add_endpoint(shop)
    assert shop.ws.tasks["t"].record == pending.record
    rollup = shop.catalog.rollup_of(pending.id)
    assert rollup
    assert shop.catalog.coverage(rollup.id).rows
    assert shop.ask("e") == total(shop)
    shop.ws.run_tasks()
    assert shop.ws.tasks["t"].status == ("RUNNING" if ask == "start" else "STOPPED")
    assert shop.ask("e") == total(shop)


def test_an_endpoint_is_seen_beside_the_query_that_was_declared_last(shop: Shop) -> None:
    add(shop)
    shop.ws.run_tasks()
    add_endpoint(shop, fields=[Field("n", "n")])
    before = shop.ask("e")
    shop.ws.update_task("t", linq=MANY.replace("total", "sum"))
    with pytest.raises(SpecError, match="the task selects no 'total'"):
        add_endpoint(shop, "other")
    # One that is refused takes nothing up.
    assert shop.ask("e") == before
    shop.ws.start_task("t", 0)
    add_endpoint(shop, "other", fields=[Field("total", "sum")])
    assert shop.ask("other") == total(shop, more_than=20)
    shop.ws.run_tasks()
    assert shop.ask("other") == total(shop, more_than=20)


def test_an_applied_endpoint_is_seen_beside_the_query_that_was_declared_last(shop: Shop) -> None:
    add(shop)
    shop.ws.run_tasks()
    shop.ws.update_task("t", linq=BY_PLAYER)
    apply(shop, endpoints=[endpoint("player", task="t")])
    assert {row["groupings"]["player"] for row in shop.ask("e")} == {"x", "y", "z"}


# -- definitions that are applied together

SECOND = af.Filter("f2", "events", "1h")


def apply(shop: Shop, **found: Any) -> None:
    """Definitions from a file, a filter first among them."""
    file = shop.folder / "defs.yaml"
    wanted = Definitions(filters=(SECOND,)) + Definitions(**{kind: tuple(of) for kind, of in found.items()})
    file.write_text(wanted.to_yaml())
    shop.ws.apply(file)


def task(linq: str, name: str = "t") -> Any:
    return af.Task(name, linq, 0)


def endpoint(grouping: str = "", fields: Any = TOTAL, **asked: str) -> Any:
    groupings = {grouping: af.All()} if grouping else {}
    return af.Endpoint("e", **asked, timing=DAY, fields=fields, groupings=groupings)  # type: ignore[arg-type]  # one name


def test_a_task_and_its_endpoint_change_together(shop: Shop) -> None:
    for linq, grouping, values in ((BY_TEAM, "team", set("ab")), (BY_PLAYER, "player", set("xyz"))):
        apply(shop, tasks=[task(linq)], endpoints=[endpoint(grouping, task="t")])
        assert {row["groupings"][grouping] for row in shop.ask("e")} == values
        shop.ws.run_tasks()
        assert {row["groupings"][grouping] for row in shop.ask("e")} == values


def test_a_cube_and_its_endpoint_change_together(shop: Shop) -> None:
    for grouping in ("team", "player"):
        cube = af.Cube("c", "events", [af.Dimension(grouping)], measures=[Aggregation("n")])
        fields = [Field("n", "n", "COUNT")]
        apply(shop, cubes=[cube], endpoints=[endpoint(grouping, fields, cube="c")])
        assert shop.ask("e")[0]["groupings"].keys() == {grouping}


def test_a_filter_and_its_endpoint_change_together(shop: Shop) -> None:
    for name in ("value", "points"):
        kept = af.Filter("f", "events", "1h", aggregations=[Aggregation(name, name, ["SUM"])])
        apply(shop, filters=[kept], endpoints=[endpoint("", [Field("x", name, "SUM")], filter="f")])
        assert [field.aggregation for field in shop.ws.endpoints["e"].spec.fields] == [name]
        assert [one.name for one in shop.ws.filters["f"].aggregations] == [name]


def refused(shop: Shop, message: str, **found: Any) -> None:
    """Definitions that are refused, and nothing is there of them."""
    before = shop.ws.export()
    with pytest.raises(ConflictError, match=message):
        apply(shop, **found)
    assert shop.ws.export() == before


def test_nothing_is_applied_where_an_endpoint_beside_needs_what_is_lost(shop: Shop) -> None:
    add(shop)
    shop.ws.run_tasks()
    shop.ws.add_cube("c", source="events", dimensions=["team"], measures=[Aggregation("n")])
    add_endpoint(shop, groupings={"team": af.All()})
    shop.ws.add_endpoint(
        "of cube", cube="c", timing=DAY, fields=[Field("n", "n", "COUNT")], groupings={"team": af.All()}
    )
    refused(shop, "endpoint 'e': grouping 'team'", tasks=[task(BY_PLAYER)])
    cube = af.Cube("c", "events", [af.Dimension("player")], measures=[Aggregation("n")])
    refused(shop, "endpoint 'of cube': grouping 'team'", cubes=[cube])
    # Of one that is applied with them, too, what it asks counts: here another task.
    apply(shop, tasks=[task(BY_PLAYER), task(BY_TEAM, "u")], endpoints=[endpoint("team", task="u")])


def test_nothing_is_applied_where_a_task_goes_or_its_name_is_held(shop: Shop) -> None:
    add(shop)
    add(shop, "u")
    shop.ws.run_tasks()
    shop.ws.delete_task("t")
    refused(shop, "task 't' is about to be deleted", endpoints=[endpoint(task="t")])
    assert shop.ws.tasks["t"].status == "PENDING_DELETE"
    shop.ws.update_task("u", name="v", linq=BY_PLAYER)
    refused(shop, "what is built of task 'v' is still called 'u'", tasks=[task(BY_TEAM, "u")])
    # What is declared with its endpoint is made anew.
    apply(shop, tasks=[task(BY_TEAM)], endpoints=[endpoint(task="t")])
    assert shop.ask("e") == total(shop)


def test_nothing_is_applied_where_events_were_sent_to_a_source(shop: Shop) -> None:
    shop.ws.add_source("sent", "embedded://", time="time")
    shop.ws.add_events("sent", [{"time": "2025-01-01T00:00:00Z"}])
    refused(
        shop,
        "source 'sent' has events",
        sources=[
            af.Source("more", f"duckdb://{shop.file}", "time", "events"),
            af.Source("sent", "embedded://", "when"),
        ],
    )
