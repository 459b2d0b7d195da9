"""What every family of routes has without doing anything for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import example_family
import pytest
from served import Served

from aggflow.errors import CatalogBusyError, NotFoundError, Problem, SourceUnavailableError, SpecError


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, [example_family])
    yield made
    made.home.close()


def test_a_token_is_taken_from_the_familys_header_and_as_bearer(served: Served) -> None:
    token = served.token("data:read")
    for headers in ({"x-example-token": token}, {"Authorization": f"bearer {token}"}):
        answer = served.ask("GET", "/example/v1/things/a", headers=headers)
        assert answer.json() == {"thing": "a", "limit": 10, "sources": []}
    assert served.ask("GET", "/example/v1/things/a", headers={"x-api-token": token}).status_code == 401


def test_without_a_valid_token_it_is_401(served: Served) -> None:
    good = served.token()
    ws = served.home.default
    short = ws.issue_token("short", owner="a@b.example", permissions=["admin"], expires="1h")
    ws.expire_token("short", "2020-01-01")
    ended = short.secret
    revoked = ws.issue_token("old", owner="a@b.example", permissions=["admin"])
    assert served.ask("PUT", "/example/v1/things", revoked.secret).status_code == 200
    ws.revoke_token("old")
    for token in ("", "wrong", good[:-1], ended, revoked.secret, "x" * 10_000):
        answer = served.ask("PUT", "/example/v1/things", token)
        assert answer.status_code == 401
        assert answer.json()["wrong"]["what"] == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert served.ask("PUT", "/example/v1/things", good).json() == {"owner": "a@b.example", "brands": []}


def test_a_missing_permission_is_refused_with_the_familys_code(served: Served) -> None:
    answer = served.ask("POST", "/example/v1/things", served.token("data:read"), json={"name": "x"})
    assert answer.status_code == 403
    assert answer.json()["wrong"] == {
        "code": 601,
        "what": "forbidden",
        "why": "the token lacks the permission admin",
    }


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        (b"", "body", "is required, as JSON"),
        (b"{", "body", "is not JSON"),
        (b"\xff", "body", "is not JSON"),
        (b"[]", "body", ""),
        (b"{}", "name", "is required"),
        (b'{"name": "x", "sizes": [1, "many"]}', "sizes[1]", "input should be a valid integer"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(served: Served, body: bytes, field: str, why: str) -> None:
    answer = served.ask("POST", "/example/v1/things", served.token(), content=body)
    assert answer.status_code == 400
    assert answer.json()["wrong"]["what"] == "validation_error"
    [[found, message]] = answer.json()["where"]
    assert found == field
    assert message.startswith(why)


def test_a_body_is_json_whatever_its_content_type_says(served: Served) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = served.ask(
        "POST", "/example/v1/things", served.token(), content=b'{"name":"x"}', headers=headers
    )
    assert answer.status_code == 201


def test_a_wrong_parameter_is_400_and_named(served: Served) -> None:
    answer = served.ask("GET", "/example/v1/things/a?limit=0", served.token())
    assert answer.status_code == 400
    assert answer.json()["where"] == [["limit", "input should be greater than or equal to 1"]]


def test_errors_of_the_tree_have_their_status_and_the_familys_shape(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = {
        "spec": SpecError("filter 'x'", [Problem("groupings[0]", "is empty", "name a column")]),
        "missing": NotFoundError("filter", "dely", ["delay"]),
        "away": SourceUnavailableError("source 'x': cannot open /data/secret.db"),
        "busy": CatalogBusyError("the catalog postgresql://db/x is locked"),
        "bug": ZeroDivisionError("SELECT 1 / 0"),
    }
    monkeypatch.setattr(example_family, "ERRORS", errors)
    found = {name: served.ask("GET", f"/example/v1/fail/{name}") for name in [*errors, "root"]}
    assert {name: answer.status_code for name, answer in found.items()} == {
        "spec": 400,
        "missing": 404,
        "away": 503,
        "busy": 503,
        "bug": 500,
        "root": 500,
    }
    assert found["spec"].json()["where"] == [["groupings[0]", "is empty (name a column)"]]
    assert "did you mean 'delay'" in found["missing"].json()["wrong"]["why"]
    assert {name: answer.headers.get("Retry-After") for name, answer in found.items()} == {
        "spec": None,
        "missing": None,
        "away": "5",
        "busy": "1",
        "bug": None,
        "root": None,
    }
    for answer in found.values():
        assert answer.json()["id"] == answer.headers["X-Request-Id"]
        for secret in ("SELECT", "postgresql", "/data", "Traceback", "secret"):
            assert secret not in answer.text


def test_paths_and_methods_that_a_family_lacks_have_its_shape(served: Served) -> None:
    for method, path in [
        ("GET", "/example/v1"),
        ("POST", "/example/v1/none/x"),
        ("GET", "/example/v1/things/"),
    ]:
        answer = served.ask(method, path)
        assert answer.status_code == 404
        assert answer.json()["wrong"] == {
            "code": 404,
            "what": "not_found",
            "why": f"there is nothing at {path}",
        }
    answer = served.ask("DELETE", "/example/v1/things")
    assert answer.status_code == 405
    assert answer.json()["wrong"]["what"] == "method_not_allowed"
    assert answer.headers["Allow"] == "POST, PUT"


def test_what_no_family_owns_has_the_shape_of_the_service(served: Served) -> None:
    for path in ("/none", "/example", "/example/v10", "/healthz/x"):
        answer = served.ask("GET", path)
        assert answer.status_code == 404
        assert answer.json() == {
            "message": f"there is nothing at {path}",
            "errors": [],
            "requestId": answer.headers["X-Request-Id"],
        }
    assert served.ask("DELETE", "/healthz").headers["Allow"] == "GET"


def test_one_address_may_not_guess_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGFLOW_FAILED_ATTEMPTS", "5")
    served = Served(tmp_path, [example_family])
    answers = [served.ask("PUT", "/example/v1/things", f"guess{number}") for number in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert answers[-1].json()["wrong"]["what"] == "too_many_requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    # Neither who has a token nor who sends none is a guesser.
    assert served.ask("PUT", "/example/v1/things", served.token()).status_code == 200
    assert served.ask("PUT", "/example/v1/things").status_code == 401
    served.home.close()


def test_a_larger_answer_is_compressed_for_who_takes_it(served: Served) -> None:
    plain = served.ask("GET", "/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = served.ask("GET", "/openapi.json", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    assert packed.json() == plain.json()


@pytest.mark.parametrize("path", ["/healthz", "/none", "/example/v1/fail/root", "/docs", "/metrics"])
def test_every_answer_carries_the_id_of_its_request(served: Served, path: str) -> None:
    answer = served.ask("GET", path, headers={"X-Request-Id": "mine-1"})
    assert answer.headers["X-Request-Id"] == "mine-1"
