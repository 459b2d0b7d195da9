"""Whatever a request says, within what the service describes and beyond it, the service makes no mistake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from routes import family_of
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from served import Served
from shapes import check_error
from tenants import settle

pytestmark = pytest.mark.slow
EXAMPLES = 25


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("home"))
    yield made
    made.home.close()


@pytest.fixture(scope="module")
def token(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    return settle(served, tmp_path_factory.mktemp("events"), "horse")[1]


def is_asked(served: Served, token: str, operation: Any, mode: GenerationMode) -> None:
    """Ask one operation many times over."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        database=None,
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        got = case.call(headers={"Authorization": f"Bearer {token}"})
        headers = [(name, value) for name, values in got.headers.items() for value in values]
        headers = [header for header in headers if header[0] != "content-encoding"]  # it is unpacked
        answer = httpx.Response(got.status_code, headers=headers, content=got.content)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            # Hypothesis draws constants of the sources too, those that an error must not tell among them.
            check_error(
                family_of(served, urlsplit(got.request.url).path), answer, [got.request.url, case.body]
            )

    ask()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_is_a_mistake_of_the_service(served: Served, token: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", served.app)
    failed: list[str] = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        try:
            is_asked(served, token, operation, mode)
        except Unsatisfiable:
            continue  # it takes nothing that could be wrong
        except Exception as error:  # noqa: BLE001 - all that fail are to be seen
            failed.append(f"{operation.label}: {error}")
    assert not failed, "\n".join(failed)
