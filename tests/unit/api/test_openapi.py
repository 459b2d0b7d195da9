"""What the service says of itself, and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import example_family
import pytest
from pydantic import BaseModel
from served import Served

from aggflow.api.openapi import answer_of, body_of


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, [example_family])
    yield made
    made.home.close()


@pytest.fixture
def document(served: Served) -> dict[str, Any]:
    return served.ask("GET", "/openapi.json").json()


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for one in part.values():
            yield from references(one)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


def test_it_is_of_the_version_that_was_promised(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_its_routes_are_beside_it_whatever_stands_before_both(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "."}]


def test_routes_of_a_family_need_a_token_and_say_how_they_fail(document: dict[str, Any]) -> None:
    operation = document["paths"]["/example/v1/things/{thing}"]["get"]
    assert operation["tags"] == ["example"]
    assert operation["security"] == [{"bearer": []}, {"x-example-token": []}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "x-example-token"}
    example = operation["responses"]["4XX"]["content"]["application/json"]["example"]
    assert example["wrong"] == {
        "code": 400,
        "what": "validation_error",
        "why": "limit: must be at least 1",
    }
    assert "security" not in document["paths"]["/healthz"]["get"]


def test_no_route_says_422_which_none_answers(document: dict[str, Any]) -> None:
    assert "422" not in str(document["paths"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(served: Served) -> None:
    class Part(BaseModel):
        size: int

    class Whole(BaseModel):
        parts: list[Part]

    @served.app.post("/whole", openapi_extra=body_of(Whole), responses={200: answer_of(list[Whole])})
    async def whole() -> None:
        pass

    document = served.ask("GET", "/openapi.json").json()
    found = set(references(document))
    assert {"#/components/schemas/Part", "#/components/schemas/Whole"} <= found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert "$defs" not in str(document)


def test_the_docs_fetch_nothing_from_elsewhere(served: Served) -> None:
    page = served.ask("GET", "/docs").text
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page)
    assert {"openapi.json", "docs/static/swagger-ui-bundle.js", "docs/static/swagger-ui.css"} <= set(
        addresses
    )
    assert "//" not in "".join(addresses)
    for address in addresses:
        answer = served.ask("GET", f"/{address}")
        assert answer.status_code == 200
        assert len(answer.content) > 1000
    assert served.ask("GET", "/docs/static/none.js").status_code == 404
    assert served.ask("GET", "/redoc").status_code == 404
