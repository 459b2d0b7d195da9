"""Tasks that endpoints ask: a change of one, in whatever state it is, keeps their numbers and what is built."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Field, Shop, at

import aggflow as af
from aggflow.errors import ConflictError

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
