from __future__ import annotations

from typing import Any

import pytest

from aggflow.errors import SpecError
from aggflow.spec.declaration import plain, read
from aggflow.spec.definitions import Definitions, from_yaml
from aggflow.spec.event_source import EventSource

WHOLE = EventSource(
    "events",
    event_type="@.payload.type",
    session_id="=lower(sid)",
    product_id="product",
    agent_id="agent",
    customer_id="customer",
    brand="brand_id",
    catalog="catalog_id",
    metadata="payload",
    values={"amount": "revenue", "price": "price"},
)


LISTED: Any = ["price", "score"]


@pytest.mark.parametrize("spec", [WHOLE, EventSource("events"), EventSource("events", values=LISTED)])
def test_yaml_gives_the_same_value_back(spec: EventSource) -> None:
    definitions = Definitions(event_sources=(spec,))
    assert from_yaml(definitions.to_yaml()) == definitions
    assert read(EventSource, plain(spec)) == spec


def test_a_list_of_values_names_columns_of_the_same_names() -> None:
    spec = EventSource("events", values=LISTED)
    assert spec == EventSource("events", values={"price": "price", "score": "score"})
    assert plain(spec, defaults=False) == {"source": "events", "values": ["price", "score"]}


def test_paths_are_canonical() -> None:
    assert WHOLE.path("event_type") == "@.payload.type"
    assert EventSource("e", event_type="@.kind").path("event_type") == "kind"
    assert (WHOLE.path("amount"), WHOLE.path("score"), EventSource("e").path("brand")) == (
        "revenue",
        None,
        None,
    )
    assert WHOLE.metadata_path("a") == "@.payload.a"
    assert WHOLE.metadata_path("length") == "@.payload['length']"
    assert EventSource("e").metadata_path("a") is None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"values": {"revenue": "revenue"}}, "values.revenue"),
        ({"values": "price"}, "values"),
        ({"values": [5]}, "values"),
        ({"values": [["price"]]}, "values"),
        ({"values": {"price": "a b"}}, "values.price"),
        ({"metadata": "=lower(a)"}, "metadata"),
        ({"event_type": "@."}, "event_type"),
        ({"source": ""}, "source"),
        ({"time": "ts"}, "time"),
    ],
)
def test_what_is_refused_names_its_place(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(SpecError) as raised:
        read(EventSource, {"source": "events"} | changes)
    assert [problem.path for problem in raised.value.problems] == [path]
