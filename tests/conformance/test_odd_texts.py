"""Odd texts: whatever a value of a grouping is, it comes out of every surface as it was sent, and finds itself.

Everything goes over HTTP, the events as well: from the JSON that is sent to the JSON, or CSV, that is answered.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from served import Served
from wire import Wire

import aggflow as af

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TEXTS = [
    "żółć Ωmega — «guillemets»",
    "北京 العربية עברית",
    "🛒👩‍👩‍👧‍👦 𐍈",
    "e\u0301 \u200d \ufeff \u202e",
    """it's "quoted" `back` \\ slash""",
    "a,b;c\td\ne\r\nf",
    " spaces ",
    "'; DROP TABLE events; --",
    '" OR 1=1 --',
    "%_*?[a]",
    "$__agg not alone",
    '=HYPERLINK("http://example.com";"x")',
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "{{7*7}} ${jndi:ldap://x} %s {0}",
    "nul \x00 and \x1f and \x7f",
    "\\u0041",
    "null",
    "0",
    "1e3",
    "true",
    "all",
    "x" * 10_000,
    "é" * 10_000,
]
END = "2026-03-02T00:00:00Z"
START = "2026-03-01T00:00:00Z"


class Stall(NamedTuple):
    """A service with the events, and what is asked of it."""

    served: Served
    token: str
    filter_id: str
    all_id: str
    one_id: str

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self.served.ask(method, path, self.token, **options)
        assert answer.status_code in (200, 201), answer.text
        return answer if "csv" in answer.headers["content-type"] else answer.json()


@pytest.fixture(scope="module", params=["live", "built"])
def stall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stall]:
    served = Served(tmp_path_factory.mktemp("stall") / "home")
    served.home._clock = lambda: round(NOW.timestamp() * 1_000_000)
    made = Stall(served, served.token("admin"), "", "", "")
    made.ask("POST", "/api/v1/sources", json={"name": "events", "url": "embedded://", "time": "at"})
    events = [
        {"at": f"2026-03-01T10:{number:02}:00Z", "text": text, "meta": {"key": text}, "n": number + 1}
        for number, text in enumerate(TEXTS)
    ]
    made.ask("POST", "/api/v1/sources/events/events", json=events)
    declared: dict[str, Any] = {
        "name": "f",
        "source": "events",
        "interval": "1h",
        "groupings": [{"path": "@.text", "alias": "text"}],
        "aggregations": [{"name": "n", "field": "@.n", "calculations": ["SUM"]}],
    }
    filter_id = made.ask("POST", "/api/v1/filters", json=declared)["id"]
    question: dict[str, Any] = {
        "filter": "f",
        "timing": {"kind": "lookback", "duration": "1d"},
        "fields": [{"name": "n", "aggregation": "n", "calculation": "SUM"}],
    }
    every, asked = {"text": {"kind": "all"}}, {"text": {"kind": "query_time"}}
    all_id = made.ask("POST", "/api/v1/endpoints", json={"name": "all", **question, "groupings": every})["id"]
    one_id = made.ask("POST", "/api/v1/endpoints", json={"name": "one", **question, "groupings": asked})["id"]
    cube = {"name": "c", "source": "events", "dimensions": [{"name": "text", "path": "@.text"}]}
    measures = {"measures": declared["aggregations"]}
    made.ask("POST", "/api/v1/projects/default/cubes", json=cube | measures)
    roles = {"source": "events", "event_type": "@.text", "product_id": "@.text", "values": {"value": "@.n"}}
    made.ask("PUT", "/api/v1/event-source", json=roles | {"session_id": "@.text", "metadata": "@.meta"})
    if request.param == "built":
        ws = served.home.workspace("self")
        ws.build("f", progress=False)
        ws.build_cube("c", progress=False)
    yield made._replace(filter_id=filter_id, all_id=all_id, one_id=one_id)
    served.home.close()


EXPECTED = {text: number + 1 for number, text in enumerate(TEXTS)}


def by_text(rows: Any) -> dict[str, Any]:
    return {next(iter(row["groupings"].values())): row["fields"]["n"] for row in rows}


def test_of_an_endpoint(stall: Stall) -> None:
    assert by_text(stall.ask("POST", f"/api/v1/data/{stall.all_id}", json={"end": END})) == EXPECTED
    remote = af.connect("http://service", stall.token, transport=Wire(stall.served.app))
    assert by_text(remote.query("all", end=END).rows) == EXPECTED


def test_of_csv_in_which_no_cell_is_altered(stall: Stall) -> None:
    """A formula stays what it is: who reads CSV as data gets the data; nothing is quoted for one program."""
    answer = stall.ask("POST", f"/api/v1/data/{stall.all_id}", json={"end": END, "format": "CSV"})
    text = answer.content.decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == ["text", "n"]
    assert {text: float(n) for text, n in rows} == EXPECTED
    for formula in ("+1", "=cmd|' /C calc'!A0"):
        assert f"\r\n{formula},{EXPECTED[formula]}.0\r\n" in text


def test_of_metrics(stall: Stall) -> None:
    query = {
        "filterId": stall.filter_id,
        "aggregationId": 1,
        "calculation": "SUM",
        "startTime": START,
        "endTime": END,
    }
    points = stall.ask("POST", "/api/v1/metrics/results", json=query)
    assert {point["groupings"]["text"]: point["value"] for point in points} == EXPECTED
    compact = stall.ask("POST", "/api/v1/metrics/results?multi=true", json=[query | {"optimized": True}])
    pairs = zip(compact[::2], compact[1::2], strict=True)
    assert {start["groupings"]["text"]: point["val"] for start, point in pairs} == EXPECTED
    named = stall.ask("POST", "/api/v1/metrics/groupings", json=query | {"groupingName": "text"})
    assert {one["value"] for one in named} == set(TEXTS)


def test_of_a_cube_and_of_linq(stall: Stall) -> None:
    times = {"start": START, "end": END}
    cube = {"cube": "c", "fields": {"n": "n:SUM"}, "dimensions": ["text"], **times}
    assert by_text(stall.ask("POST", "/api/v1/questions/cube", json=cube)["rows"]) == EXPECTED
    linq = {"linq": "from events group by text select sum(n) as n", **times}
    assert by_text(stall.ask("POST", "/api/v1/linq", json=linq)["rows"]) == EXPECTED


@pytest.mark.parametrize("group_by", ["product_id", "session", "event_type", "metadata.key"])
def test_of_a_widget(stall: Stall, group_by: str) -> None:
    query = {"event_types": None, "group_by": group_by, "aggregation": "sum", "value_field": "value"}
    sent = query | {"time_window_days": 1, "limit": 1000}
    rows = stall.ask("POST", "/api/workspace/ws_self/dashboards/aggregate", json=sent)["rows"]
    assert {row["key"]: row["value"] for row in rows} == EXPECTED


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:24])
def test_each_finds_itself_and_nothing_else(stall: Stall, text: str) -> None:
    filters = {"text": [text]}
    mine = {text: EXPECTED[text]}
    assert (
        by_text(
            stall.ask("POST", f"/api/v1/data/{stall.one_id}", json={"end": END, "groupingFilters": filters})
        )
        == mine
    )
    if len(text) < 1000:
        params = {"end": END, "groupingFilters": json.dumps(filters)}
        assert by_text(stall.ask("GET", f"/api/v1/data/{stall.one_id}", params=params)) == mine
    chosen = [{"grouping": "text", "filters": [text], "returnGroupingValues": True}]
    query = {
        "filterId": stall.filter_id,
        "aggregationId": 1,
        "calculation": "SUM",
        "startTime": START,
        "endTime": END,
    }
    (point,) = stall.ask("POST", "/api/v1/metrics/results", json=query | {"groupingFilters": chosen})
    assert {point["groupings"]["text"]: point["value"]} == mine


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:24])
def test_each_finds_itself_in_what_is_read_of_the_source(stall: Stall, text: str) -> None:
    times = {"start": START, "end": END}
    quoted = "".join(
        {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c, c) for c in text
    )
    linq = {"linq": f'from events where text = "{quoted}" group by text select sum(n) as n', **times}
    if "\x00" in text:  # which no statement can hold: told, and not searched for another text
        refused = stall.served.ask("POST", "/api/v1/linq", stall.token, json=linq)
        assert (refused.status_code, "NUL" in refused.text) == (400, True)
        return
    mine = {text: EXPECTED[text]}
    assert by_text(stall.ask("POST", "/api/v1/linq", json=linq)["rows"]) == mine
    cube = {"cube": "c", "fields": {"n": "n:SUM"}, "dimensions": ["text"], "filters": {"text": [text]}}
    assert by_text(stall.ask("POST", "/api/v1/questions/cube", json=cube | times)["rows"]) == mine
