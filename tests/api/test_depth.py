"""Depth: what is nested too deeply, or goes on for too long, is a mistake of who sends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from served import Served
from shapes import check_error
from tenants import Names, settle

N = 3000
LINQ = {
    "not": f"where {'not ' * N}isnull(value) group",
    "sums": f"where value > {'+'.join(['value'] * N)} group",
    "functions": f"select {'lower(' * N}kind{')' * N} as k group by k",
}
JPATH = {"not": f"{'!(' * N}@.value > 1{')' * N}"}
Shop = tuple[Served, Names, str]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    served = Served(folder / "home")
    yield served, *settle(served, folder, "shop")
    served.home.close()


@pytest.mark.parametrize("kind", LINQ)
def test_of_linq(shop: Shop, kind: str) -> None:
    served, names, token = shop
    text = f"from {names.source} {LINQ[kind]}"
    asked = served.ask("POST", "/api/v1/linq", token, json={"linq": text})
    assert asked.status_code == 400, asked.text
    check_error("management", asked)
    task = {"name": kind, "query": {"linq": text}, "fromDate": 0}
    made = served.ask("POST", "/v2/aggrtasks/shop", token, json=task)
    assert made.status_code == 400, made.text
    check_error("tasks", made)


@pytest.mark.parametrize("kind", JPATH)
def test_of_jpath(shop: Shop, kind: str) -> None:
    served, names, token = shop
    asked = served.ask(
        "POST", "/api/v1/questions/cube", token, json={"cube": names.cube, "where": JPATH[kind]}
    )
    assert asked.status_code == 400, asked.text
    check_error("management", asked)


def test_of_json(shop: Shop) -> None:
    served, names, token = shop
    for path in (f"/api/v1/data/{names.endpoint_id}", "/api/v1/linq", "/api/v1/filters"):
        answer = served.ask("POST", path, token, content="[" * 100_000 + "]" * 100_000)
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (f"value <- {{{','.join(map(str, range(20_000)))}}}", 48),
        (f"{'(' * N}value{')' * N} > 1", 46),
        (f"value > {'-' * N}1", 46),
    ],
    ids=["a list", "parentheses", "signs"],
)
def test_what_is_long_but_not_deep_is_answered(shop: Shop, condition: str, count: int) -> None:
    served, names, token = shop
    linq = f"from {names.source} where {condition} group select count() as n"
    answer = served.ask("POST", "/api/v1/linq", token, json={"linq": linq})
    assert [row["fields"]["n"] for row in answer.json()["rows"]] == [count]


def test_a_predicate_of_many_tests_is_answered(shop: Shop) -> None:
    served, names, token = shop
    where = " && ".join(f"@.value != {number}" for number in range(47 - N, 47))
    question = {"cube": names.cube, "where": where, "fields": ["value:COUNT"]}
    answer = served.ask("POST", "/api/v1/questions/cube", token, json=question)
    assert [row["fields"] for row in answer.json()["rows"]] == [{"value:COUNT": 1}]
