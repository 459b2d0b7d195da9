"""Events over HTTP: from what curl sends to what an endpoint answers, with no database anywhere."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served

import aggflow as af
from aggflow.api import management
from aggflow.errors import ConflictError, SourceUnavailableError, SpecError

Aggregation: Any = af.Aggregation
Field: Any = af.Field
SOURCE = {"name": "clicks", "url": "embedded://", "time": "at"}
EVENTS = "/api/v1/sources/clicks/events"


def click(minute: int, page: str = "/", ms: Any = 10, **more: Any) -> dict[str, Any]:
    return {"at": f"2025-01-01T12:{minute:02d}:00Z", "page": page, "ms": ms, **more}


class Sender:
    def __init__(self, served: Served) -> None:
        self.served = served
        self.ws = served.home.workspace("self")
        self.token = served.token()

    def __call__(self, content: Any, *, status: int = 200, path: str = EVENTS, **params: str) -> Any:
        body = content if isinstance(content, str | bytes) else json.dumps(content)
        answer = self.served.ask("POST", path, self.token, content=body, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def errors(self, content: Any, status: int = 400, **params: str) -> dict[str, str]:
        return {one["field"]: one["message"] for one in self(content, status=status, **params)["errors"]}

    def rows(self, linq: str = "from clicks group select count() as n") -> list[dict[str, Any]]:
        return self.ws.linq(linq, end="2030-01-01").rows

    @property
    def count(self) -> int:
        return self.rows()[0]["fields"]["n"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "home", [management])
    yield served
    served.home.close()


@pytest.fixture
def send(served: Served, monkeypatch: pytest.MonkeyPatch) -> Sender:
    sender = Sender(served)
    sender.ws._serving._tails._ttl = 0  # what was sent just now is to be seen at once
    answer = served.ask("POST", "/api/v1/sources", sender.token, json=SOURCE)
    assert answer.status_code == 201, answer.text
    return sender


# -- the four forms


@pytest.mark.parametrize(
    ("content", "params", "expected"),
    [
        ([click(1), click(2)], {}, 2),
        ([], {}, 0),
        (json.dumps(click(1)) + "\n" + json.dumps(click(2)), {}, 2),
        ("\n\n" + json.dumps(click(1)) + "\r\n\n" + json.dumps(click(2, "a\u2028b")) + "\n", {}, 2),
        (json.dumps(click(1)) + "\n", {}, 1),
        ({"meta": 1, "events": [click(1), click(2), click(3)]}, {"events": "@.events"}, 3),
        ({"body": {"events": [click(1)]}}, {"events": "@.body.events"}, 1),
        (click(1), {}, 1),
        (click(1) | {"events": [1, 2]}, {}, 1),
    ],
)
def test_events_come_in_four_forms(send: Sender, content: Any, params: Any, expected: int) -> None:
    told = send(content, **params)
    assert (told["accepted"], told["duplicates"]) == (expected, 0)
    assert told["arrived"].endswith("Z")
    assert send.count == expected


def test_what_was_sent_is_what_is_read(send: Sender) -> None:
    send([
        click(1, 'a "b" 🛫', 1.5, big=123456789012345678901234567890, nested={"a": [1, {"b": "c"}]}),
        click(2, "", -3, big=None, nested={"a": []}),
        click(3, "NULL", "apples"),
    ])  # fmt: skip
    pages = send.rows("from clicks group by page select sum(ms) as s")
    assert {row["groupings"]["page"]: row["fields"]["s"] for row in pages} == {
        'a "b" 🛫': 1.5,
        "": -3,
        "NULL": None,
    }
    big = send.rows("from clicks where page = 'a \"b\" 🛫' group by big")
    assert big[0]["groupings"] == {"big": "123456789012345678901234567890"}


# -- all or nothing


@pytest.mark.parametrize(
    ("content", "params", "field"),
    [
        ([click(1), {"page": "/"}], {}, "[1].at"),
        ([click(1), click(2) | {"at": "soon"}], {}, "[1].at"),
        ([click(1), click(2) | {"at": True}], {}, "[1].at"),
        ([click(1), click(2) | {"at": {}}], {}, "[1].at"),
        ([click(1), click(2) | {"at": 10**17}], {}, "[1].at"),
        ([click(1), 7], {}, "[1]"),
        ([click(1), [click(2)]], {}, "[1]"),
        ("7", {}, "[0]"),
        ("null", {}, "[0]"),
        ("", {}, "body"),
        ("{", {}, "body"),
        ("[1, 2", {}, "body"),
        (b"\xff", {}, "body"),
        (json.dumps(click(1)) + "\n{", {}, "[1]"),
        ('[{"at": 1, "x": NaN}]', {}, "body"),
        ('[{"at": 1, "x": 1e999}]', {}, "[0]"),
        ('[{"at": 1, "x": "\\ud800"}]', {}, "[0]"),
        ("[" * 100_000, {}, "body"),
        ({"events": 1}, {"events": "@.events"}, "events"),
        ([click(1)], {"events": "@.events"}, "events"),
        ({"events": [click(1)]}, {"events": "@.[["}, "events"),
        ([click(1)], {"event_id": "=lower(a)"}, "event_id"),
        ([click(1, id=1), click(2)], {"event_id": "id"}, "[1].id"),
        ([click(1, id=1), click(2, id=1.5)], {"event_id": "id"}, "[1].id"),
        ([click(1, id=1), click(2, id={})], {"event_id": "id"}, "[1].id"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_nothing_is_kept(
    send: Sender, content: Any, params: Any, field: str
) -> None:
    errors = send.errors(content, **params)
    assert field in errors, errors
    assert send.rows() == [{"fields": {"n": 0}}]


def test_a_body_of_more_than_a_megabyte_is_refused(send: Sender) -> None:
    event = json.dumps(click(1, "x" * 900))
    fits = "\n".join([event] * ((1 << 20) // (len(event) + 1)))
    assert send(fits)["accepted"] > 1000
    assert send(fits + "\n" + event, status=413)
    assert send.count == len(fits.split("\n"))


def test_many_mistakes_are_told_as_far_as_they_can_be_read(send: Sender) -> None:
    assert len(send.errors([{}] * 1000)) == 20


# -- again


def test_an_event_that_was_sent_before_is_left_out(send: Sender) -> None:
    first = [click(1, id="a"), click(2, id="b"), click(3, id="a"), click(4, id=5)]
    assert send(first, event_id="@.id") | {"arrived": ""} == {"accepted": 3, "duplicates": 1, "arrived": ""}
    assert send(first, event_id="id")["accepted"] == 0
    assert send([click(5, id="5"), click(6, id="c")], event_id="id")["accepted"] == 1
    assert send.count == 4
    # Without an id nothing is known of an event.
    assert send(first)["accepted"] == 4


def test_an_id_may_be_anywhere(send: Sender) -> None:
    events = [click(1, meta={"id": "a"}), click(2, meta={"id": "a"})]
    assert send(events, event_id="@.meta.id")["duplicates"] == 1


# -- times


def test_times_are_read_as_everywhere(send: Sender) -> None:
    times = [
        1735732800000,
        "1735732800000",
        "2025-01-01T13:00:00+01:00",
        "2025-01-01T12:00:00",
        1735732800000.0,
    ]
    send([{"at": at} for at in times])
    rows = send.rows("from clicks group every 1h")
    assert rows == [{"dt": "2025-01-01T12:00:00Z", "fields": {"count": 5}}]


def test_an_event_may_be_stamped_when_it_arrives(send: Sender) -> None:
    ws = send.ws
    ws.add_source("stamped", "embedded://", time="_arrived")
    before = time.time() * 1000
    told = send([{"at": "whenever"}], path="/api/v1/sources/stamped/events")
    (row,) = ws.linq("from stamped group every 1s").rows
    assert row["dt"][:19] == told["arrived"][:19]
    assert ws.linq("from stamped group select max(eventdate) as m").rows[0]["fields"]["m"] >= int(before)


@pytest.mark.parametrize("path", ["@.meta.sent", "@['meta']['sent']"])
def test_the_time_may_be_anywhere(send: Sender, path: str) -> None:
    send.ws.add_source("deep", "embedded://", time=path)
    send([{"meta": {"sent": "2025-01-01T12:00:00Z"}, "a": 1}], path="/api/v1/sources/deep/events")
    (row,) = send.ws.linq("from deep group every 1h select sum(a) as s", end="2026-01-01").rows
    assert row == {"dt": "2025-01-01T12:00:00Z", "fields": {"s": 1.0}}


# -- the source


def test_an_embedded_source_knows_its_columns_by_itself(send: Sender) -> None:
    for wrong in (
        {"table": "x"},
        {"sql": "SELECT 1"},
        {"ingestion_time": "x"},
        {"json": "x"},
        {"time_zone": "Europe/Berlin"},
        {"url": "embedded:///etc"},
        {"time": "=lower(a)"},
        {"time": "@.[["},
    ):
        with pytest.raises(SpecError, match=next(iter(wrong))):
            af.Source(**(SOURCE | wrong))


def test_a_source_that_is_read_where_it_is_takes_no_events(send: Sender, tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"at": [pd.Timestamp("2025-01-01")]}).to_parquet(tmp_path / "x.parquet")
    send.ws.add_source("file", str(tmp_path / "x.parquet"), time="at")
    answer = send([click(1)], path="/api/v1/sources/file/events", status=409)
    assert "embedded://" in answer["message"]
    send([click(1)], path="/api/v1/sources/nothing/events", status=404)


def test_how_events_are_read_cannot_be_changed_once_there_are_some(send: Sender, tmp_path: Path) -> None:
    ws = send.ws
    ws.add_source("clicks", "embedded://", time="sent")
    ws.add_source("clicks", "embedded://", time="at", description="again")
    send([click(1)])
    with pytest.raises(ConflictError, match="its time cannot be changed"):
        ws.add_source("clicks", "embedded://", time="sent")
    with pytest.raises(ConflictError, match="its url cannot be changed"):
        ws.add_source("clicks", str(tmp_path / "x.parquet"), time="at")
    ws.add_source("clicks", "embedded://", time="at", lateness="1h")
    assert send.count == 1


def test_with_the_source_its_events_are_removed(send: Sender, tmp_path: Path) -> None:
    send([click(1, id="a")], event_id="id")
    send.ws.remove("source", "clicks")
    assert not list((tmp_path / "home" / "events" / "self").iterdir())
    send.ws.add_source("clicks", "embedded://", time="at")
    assert send.rows() == [{"fields": {"n": 0}}]
    assert send([click(1, id="a")], event_id="id")["accepted"] == 1


def test_two_workspaces_have_their_own_events(send: Sender, served: Served) -> None:
    other = served.home.workspace("other")
    other.add_source("clicks", "embedded://", time="at")
    send([click(1)])
    assert other.linq("from clicks group select count() as n", end="2030-01-01").rows == [
        {"fields": {"n": 0}}
    ]


def test_events_move_with_their_home(send: Sender, tmp_path: Path) -> None:
    send([click(1)])
    send.served.home.close()
    shutil.copytree(tmp_path / "home", tmp_path / "moved")
    shutil.rmtree(tmp_path / "home")
    with af.open(tmp_path / "moved") as ws:
        assert ws.linq("from clicks group select count() as n", end="2030-01-01").rows == [
            {"fields": {"n": 1}}
        ]


def test_it_can_be_declared_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "defs.yaml").write_text("sources:\n- {name: clicks, url: 'embedded://', time: at}\n")
    with af.open(tmp_path / "home") as ws:
        ws.apply(tmp_path / "defs.yaml")
        ws.add_events("clicks", [click(1)])
        assert ws.export() == "sources:\n- name: clicks\n  url: embedded://\n  time: at\n"


def test_a_folder_that_cannot_be_written_is_unavailable(send: Sender, tmp_path: Path) -> None:
    send([click(1)])
    (folder,) = (tmp_path / "home" / "events" / "self").iterdir()
    (folder / "ledger.db").write_bytes(b"no ledger" * 1000)
    for suffix in ("-wal", "-shm"):
        (folder / f"ledger.db{suffix}").unlink(missing_ok=True)
    answer = send([click(2)], status=503)
    assert str(tmp_path) not in answer["message"]
    with pytest.raises((SourceUnavailableError, Exception), match="clicks"):
        send.rows()


# -- the whole way


def build(served: Served, token: str, name: str) -> dict[str, Any]:
    build = served.ask("POST", "/api/v1/builds", token, json={"name": name}).json()
    for _ in range(600):
        build = served.ask("GET", f"/api/v1/builds/{build['id']}", token).json()
        if build["status"] not in ("pending", "running"):
            return build
        time.sleep(0.05)
    raise AssertionError(build)


def test_late_events_are_found_by_the_next_build(send: Sender) -> None:
    ws = send.ws
    ws.add_filter("f", source="clicks", interval="1m", groupings=["@.page"])
    ws.add_endpoint("e", filter="f", timing=af.TimeSeries("1h"), fields=[Field("n", "events", "COUNT")])
    send([click(1), click(5)])
    assert ws.build("f", progress=False).rows_read == 2
    send([click(1, "/late"), click(30)])
    ws.build("f", progress=False)
    answer = ws.query("e", end="2025-01-01T13:00:00Z", live=False)
    assert [(row["dt"][11:16], row["fields"]["n"]) for row in answer.rows] == [
        ("12:01", 2),
        ("12:05", 1),
        ("12:30", 1),
    ]
    assert ws.verify("f").differences == ()


def test_the_whole_way_by_http_alone(tmp_path: Path) -> None:
    served = Served(tmp_path / "home")
    token = served.token()

    def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = served.ask(method, f"/api/v1/{path}", token, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    ask("POST", "sources", SOURCE, 201)
    sent = ask("POST", "sources/clicks/events", [click(n, "/a" if n % 3 else "/b", n) for n in range(60)])
    assert sent["accepted"] == 60
    filter_ = {
        "name": "pages",
        "source": "clicks",
        "interval": "1m",
        "where": "@.ms >= 10",
        "groupings": [{"path": "@.page", "alias": "page"}],
        "aggregations": [{"name": "ms", "field": "@.ms", "calculations": ["COUNT", "AVG", "PERCENTILES"]}],
    }
    ask("POST", "filters", filter_, 201)
    endpoint = {
        "name": "slow",
        "filter": "pages",
        "timing": {"kind": "lookback", "duration": "1h"},
        "groupings": {"page": {"kind": "all"}},
        "fields": [
            {"name": "views", "aggregation": "ms", "calculation": "COUNT"},
            {"name": "average", "aggregation": "ms", "calculation": "AVG"},
        ],
    }
    endpoint_id = ask("POST", "endpoints", endpoint, 201)["id"]
    assert build(served, token, "pages")["rows_read"] == 50
    rows = ask("POST", f"data/{endpoint_id}", {"end": "2025-01-01T13:00:00Z"})
    expected = {page: [n for n in range(10, 60) if (n % 3 != 0) == (page == "/a")] for page in ("/a", "/b")}
    assert rows == [
        {"groupings": {"page": page}, "fields": {"views": len(ns), "average": sum(ns) / len(ns)}}
        for page, ns in expected.items()
    ]
    served.home.close()
