"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import example_family
import pytest
from prometheus_client.parser import text_string_to_metric_families
from served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, [example_family])
    yield made
    made.home.close()


def samples(served: Served, name: str) -> dict[tuple[str, ...], float]:
    answer = served.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


def test_requests_are_counted_by_route_and_how_they_ended(served: Served) -> None:
    token = served.token()
    for thing in ("a", "b", "c"):
        served.ask("GET", f"/example/v1/things/{thing}", token)
    served.ask("GET", "/example/v1/things/a")
    served.ask("PATCH", "/example/v1/things", token)
    found = samples(served, "aggflow_requests_total")
    route = "/example/v1/things/{thing}"
    assert found["example", "GET", route, "200"] == 3
    assert found["example", "GET", route, "401"] == 1
    assert found["example", "PATCH", "/example/v1/things", "405"] == 1
    assert samples(served, "aggflow_request_seconds_count")["example", route] == 4


def test_paths_and_methods_that_do_not_exist_are_one(served: Served) -> None:
    for number in range(20):
        served.ask("GET", f"/none/{number}")
        served.ask(f"M{number}", "/example/v1/none")
    found = samples(served, "aggflow_requests_total")
    assert found["service", "GET", "", "404"] == 20
    assert found["example", "other", "", "404"] == 20


def test_nothing_of_any_workspace_is_told(served: Served) -> None:
    secret = served.token("data:read", workspace="acme")
    served.ask("GET", "/example/v1/things/delays", secret)
    text = served.ask("GET", "/metrics").text
    assert "acme" not in text
    assert "delays" not in text
