"""Long values: a request is refused in a few sentences, however much stands where a name should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asking import NAMELESS, body_of_route, values_of
from routes import Asked, routes_of
from served import Served
from tenants import Names, settle

LONG = "x" * 20_000
SPACED = 'it\'s "so" ' * 2_000
MOST = 5_000
Shop = tuple[Served, Names, str]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    served = Served(folder / "home")
    yield served, *settle(served, folder, "shop")
    served.home.close()


def spoilt(body: Any, value: Any) -> Iterator[Any]:
    """A body with a value in the place of each that is in it, and with a key of that name."""
    if isinstance(body, dict):
        for key, inner in body.items():
            yield from ({**body, key: one} for one in spoilt(inner, value))
        if isinstance(value, str):
            yield {**body, value: 1}
    elif isinstance(body, list):
        for place, inner in enumerate(body):
            yield from ([*body[:place], one, *body[place + 1 :]] for one in spoilt(inner, value))
    yield value


def told(answer: Any) -> int:
    """Characters of a refusal; what clients of our own make the error of again is data, no sentence."""
    body = answer.json()
    error = body.pop("error", None) if "requestId" in body else None
    said = error["message"] if error else ""
    return len(str(body)) + len(said)


def bodies(shop: Shop) -> Iterator[tuple[Asked, Any]]:
    served, names, _ = shop
    for asked in routes_of(served.app):
        body = body_of_route(asked)
        if body is None or asked.path.startswith(("/aggregations", "/v2/aggrtasks/aggr")):
            continue
        for value in (LONG, SPACED, {"a": [LONG] * 5}, [LONG]):
            for sent in spoilt(body(names), value):
                yield asked, sent


def test_no_refusal_says_again_all_that_was_sent(shop: Shop) -> None:
    served, names, token = shop
    refused = 0
    for asked, sent in bodies(shop):
        answer = served.ask(asked.method, asked.filled(values_of(asked, names)), token, json=sent)
        if answer.status_code >= 400:
            assert told(answer) < MOST, (asked, answer.status_code, answer.text[:500])
            refused += 1
    assert refused > 200


def test_no_path_is_said_again_whole(shop: Shop) -> None:
    served, names, token = shop
    for asked in routes_of(served.app):
        if asked.path in NAMELESS:
            continue
        for parameter in asked.parameters:
            values = {**values_of(asked, names), parameter: LONG}
            body = body_of_route(asked)
            options: dict[str, Any] = {} if body is None else {"json": body(names)}
            answer = served.ask(asked.method, asked.filled(values), token, **options)
            assert answer.status_code >= 400, asked
            assert told(answer) < MOST, (asked, answer.text[:500])


def test_the_place_is_kept_and_what_stands_around_it_shown(shop: Shop) -> None:
    served, names, token = shop
    linq = f"from {names.source} where kind = '{LONG}' wher value = 1 group every 1h"
    answer = served.ask("POST", "/api/v1/linq", token, json={"linq": linq})
    column = linq.index("wher value") + 1
    message = answer.json()["message"]
    assert f"line 1, column {column}" in message
    _, shown, caret, *_ = message.splitlines()
    assert shown[caret.index("^") :].startswith("wher value = 1")
    assert shown.strip().startswith("…")


@pytest.mark.parametrize("kind", ["filter", "question", "widget", "groupings"])
def test_of_many_mistakes_the_first_are_told(shop: Shop, kind: str) -> None:
    served, names, token = shop
    many = {f"k{number}": [1] for number in range(5_000)}
    new = {"name": "new", "source": names.source, "interval": "1h"}
    path, sent = {
        "filter": ("/api/v1/filters", new | many),
        "groupings": ("/api/v1/filters", new | {"groupings": ["a b"] * 5_000}),
        "question": (f"/api/v1/data/{names.endpoint_id}", {"groupingFilters": many}),
        "widget": (
            f"/api/workspace/{names.workspace_id}/dashboards/aggregate",
            {"event_types": ["A"] * 5_000, "group_by": "none", "aggregation": "count", "time_window_days": 1},
        ),
    }[kind]
    answer = served.ask("POST", path, token, json=sent)
    assert answer.status_code == 400
    body = answer.json()
    assert len(body["error"]["details"] if kind == "widget" else body["errors"]) == 100
    assert ("more than 100 problems" in answer.text) == (kind != "widget")
