"""A remote workspace: what it answers and raises is what the workspace itself answers and raises."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from served import Served
from wire import Wire

import aggflow as af
from aggflow.api import management
from aggflow.engine.answer import Answer
from aggflow.engine.progress import Progress
from aggflow.errors import (
    AggflowError,
    CancelledError,
    ConflictError,
    NotCoveredError,
    NotFoundError,
    ParseError,
    QueryError,
    ServiceError,
    ServiceUnavailableError,
    SourceUnavailableError,
    SpecError,
)
from aggflow.remote import Remote

Aggregation: Any = af.Aggregation
Dimension: Any = af.Dimension
Field: Any = af.Field
END = "2025-01-01T10:00:00Z"
LINQ = "from flights where carrier = 'AA' group every 1h by origin select count() as n, avg(delay) as a"


def made(folder: Path) -> Served:
    file = folder / "flights.ddb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            "CREATE TABLE flights (time TIMESTAMP, carrier VARCHAR, origin VARCHAR, late BOOLEAN, delay INTEGER, "
            "fare DECIMAL(18, 2))"
        )
        con.execute(
            "INSERT INTO flights SELECT TIMESTAMP '2025-01-01' + INTERVAL (i) MINUTE, ['AA', 'UA', NULL][1 + i % 3], "
            "['JFK', '', 'a \"b\" 🛫'][1 + i % 7 % 3], i % 2 = 0, nullif(i, 3), 90071992547409.91 + i FROM range(600) t(i)"
        )
    served = Served(folder / "home", [management])
    ws = served.home.workspace("self")
    ws.add_source("flights", f"duckdb://{file}", table="flights", time="time")
    ws.add_filter(
        "delays",
        source="flights",
        interval="1h",
        groupings=["carrier", "origin", "late"],
        aggregations=[
            Aggregation("delay", "delay", ["COUNT", "AVG", "SUM", "PERCENTILES"]),
            Aggregation("fare", "fare", ["SUM", "MAX"]),
            Aggregation("team", "origin", ["FIRST"]),
        ],
    )
    fields = [
        Field("n", "delay", "COUNT"),
        Field("average", "delay", "AVG"),
        Field("p90", "delay", "PERCENTILES", 0.9),
        Field("fares", "fare", "SUM"),
        Field("first", "team", "FIRST"),
    ]
    every = {"carrier": af.All(), "origin": af.All(), "late": af.All()}
    ws.add_endpoint("all", filter="delays", timing=af.Lookback("2d"), fields=fields, groupings=every)
    ws.add_endpoint("total", filter="delays", timing=af.Lookback("2d"), fields=fields)
    ws.add_endpoint("series", filter="delays", timing=af.TimeSeries("1d", fill="null"), fields=fields)
    ws.add_endpoint(
        "asked",
        filter="delays",
        timing=af.Lookback("2d"),
        fields=fields[:1],
        groupings={"carrier": af.QueryTime()},
    )
    ws.add_cube(
        "c",
        source="flights",
        dimensions=["carrier", Dimension("date", levels=["day", "hour"])],
        measures=[
            Aggregation("delay", "delay", ["COUNT", "AVG"]),
            af.Ratio("r", "delay:COUNT", "delay:COUNT"),
        ],
    )
    ws.add_task("t", linq="from flights group every 1h by carrier", from_date="2025-01-01")
    ws.build("delays", until=END, progress=False)
    return served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = made(tmp_path)
    yield served
    served.home.close()


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One that is only asked."""
    served = made(tmp_path_factory.mktemp("unchanged"))
    yield served
    served.home.close()


@pytest.fixture
def ws(served: Served) -> af.Workspace:
    return served.home.workspace("self")


def connected(served: Served, *permissions: str) -> Remote:
    return af.connect("http://service", served.token(*permissions), transport=Wire(served.app))


@pytest.fixture
def remote(served: Served) -> Iterator[Remote]:
    with connected(served) as remote:
        yield remote


def same(found: Answer, expected: Answer) -> None:
    assert found.rows == expected.rows
    assert found.count == expected.count
    assert found.to_csv() == expected.to_csv()
    assert found.to_arrow() == expected.to_arrow()
    assert found.to_pandas().equals(expected.to_pandas())
    assert (found.name, found.explain().plan, found.explain().stored, found.explain().live) == (
        expected.name,
        expected.explain().plan,
        expected.explain().stored,
        expected.explain().live,
    )
    assert found.explain().candidates == expected.explain().candidates


@pytest.mark.parametrize("endpoint", ["all", "total", "series"])
@pytest.mark.parametrize("end", [END, "2025-01-01T09:30:00Z", "2020-01-01"])
def test_an_endpoint_answers_the_same(unchanged: Served, endpoint: str, end: str) -> None:
    ws, remote = unchanged.home.workspace("self"), connected(unchanged)
    same(remote.query(endpoint, end=end), ws.query(endpoint, end=end))


def test_values_keep_their_types(remote: Remote) -> None:
    answer = remote.query("all", end=END)
    assert {type(v) for v in answer.fields["n"].to_list()} == {int}
    assert {type(v) for v in answer.fields["average"].to_list()} == {float}
    assert {type(v) for v in answer.fields["fares"].to_list()} == {Decimal}
    fares: Any = answer.fields["fares"].to_list()
    assert sum(fares) == 600 * Decimal("90071992547409.91") + sum(range(600))
    assert {type(v) for v in answer.groupings["late"]} == {bool}
    assert None in answer.groupings["carrier"]
    assert '"a ""b"" 🛫"' in answer.to_csv()


def test_query_time_values_go_along(remote: Remote, ws: af.Workspace) -> None:
    filters: Any = {"carrier": ["AA", None]}
    found = remote.query("asked", end=END, grouping_filters=filters)
    same(found, ws.query("asked", end=END, grouping_filters=filters))
    assert len(found) == 2


def test_linq_answers_the_same_and_says_why(remote: Remote, ws: af.Workspace) -> None:
    found = remote.linq(LINQ, end=END)
    same(found, ws.linq(LINQ, end=END))
    assert found.explain().rollup == "filter delays"
    assert "hit   filter delays" in str(found.explain())
    live = remote.linq(
        "from flights group by late select sum(fare) as s", start="2025-01-01", end="2025-01-02"
    )
    same(
        live,
        ws.linq("from flights group by late select sum(fare) as s", start="2025-01-01", end="2025-01-02"),
    )
    assert live.explain().plan in ("mixed", "source")


def test_cubes_and_tasks_answer_the_same(remote: Remote, ws: af.Workspace) -> None:
    asked: list[dict[str, Any]] = [
        {"dimensions": ["carrier"], "sort": ("delay:AVG", "desc")},
        {"dimensions": "date.day", "fields": {"x": "r"}},
        {"dimensions": ["carrier"], "fields": ["r", "delay:COUNT"], "filters": {"carrier": ["AA", None]}},
        {"fields": [Field("n", "delay", "COUNT")], "where": "@.late == true", "limit": 1},
    ]
    for question in asked:
        same(remote.ask_cube("c", end=END, **question), ws.ask_cube("c", end=END, **question))
    same(remote.ask_task("t", end=END), ws.ask_task("t", end=END))


def test_a_widget_query_answers_the_same(served: Served, remote: Remote, ws: af.Workspace) -> None:
    with pytest.raises(ConflictError, match="event source"):
        remote.aggregate(af.WidgetQuery(None, "none", "count", 7))
    ws.set_event_source("flights", event_type="carrier", session_id="origin", values={"value": "delay"})
    for group, aggregation in (("none", "count"), ("event_type", "avg"), ("hour", "count_distinct")):
        query = af.WidgetQuery(None, group, aggregation, 7, "value", 5)  # type: ignore[arg-type] - wrong on purpose
        found, expected = remote.aggregate(query, now=END), ws.aggregate(query, now=END)
        assert (found.rows, found.plan, found.query) == (expected.rows, expected.plan, expected.query)
        assert found.generated_at == expected.generated_at
        assert expected.cache_hit
    with pytest.raises(SpecError, match="brand"):
        remote.aggregate(query, brand="b")
    with pytest.raises(ServiceError, match="widgets:read"):
        connected(served, "data:read").aggregate(query)


def test_an_answer_draws_itself(remote: Remote) -> None:
    pytest.importorskip("altair")
    assert remote.query("series", end=END).chart().to_dict()
    assert "rows" in remote.query("all", end=END)._repr_html_()


ASKED: dict[str, Any] = {
    "no endpoint": lambda ws: ws.query("al"),
    "no time": lambda ws: ws.query("all", end="soon"),
    "no values": lambda ws: ws.query("asked"),
    "other values": lambda ws: ws.query("all", grouping_filters={"carrier": ["AA"]}),
    "not covered": lambda ws: ws.query("all", end="2025-01-01T15:30:00Z", live=False),
    "no LINQ": lambda ws: ws.linq("from flights gruop by carrier"),
    "no column": lambda ws: ws.linq("from flights group by carier"),
    "no source": lambda ws: ws.linq("from flihgts group by carrier"),
    "no zone": lambda ws: ws.linq(LINQ, time_zone="Nowhere"),
    "no such cube": lambda ws: ws.ask_cube("d"),
    "no dimension": lambda ws: ws.ask_cube("c", dimensions=["carier"]),
    "no task": lambda ws: ws.ask_task("tt"),
    "not built": lambda ws: ws.build("delay", progress=False),
    "upside down": lambda ws: ws.linq(LINQ, start="2025-01-02", end="2025-01-01"),
    "needed": lambda ws: ws.remove("source", "flights"),
    "wrong filter": lambda ws: ws.add_filter("x", source="flights", interval="1h", groupings=["a", "a"]),
    "no such column": lambda ws: ws.add_filter("x", source="flights", interval="1h", groupings=["carier"]),
    "no such source": lambda ws: ws.add_filter("x", source="f", interval="1h"),
    "last field": lambda ws: ws.add_filter(
        "delays", source="flights", interval="1h", aggregations=[Aggregation("other")]
    ),
    "nothing to remove": lambda ws: ws.remove("filter", "x"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_what_goes_wrong_is_the_same_error(unchanged: Served, ask: Any) -> None:
    ws, remote = unchanged.home.workspace("self"), connected(unchanged)
    with pytest.raises(AggflowError) as there:
        ask(ws)
    with pytest.raises(AggflowError) as here:
        ask(remote)
    assert type(here.value) is type(there.value)
    assert str(here.value) == str(there.value)
    if isinstance(there.value, ParseError):
        assert vars(here.value) == vars(there.value)


def test_each_kind_of_error_is_among_those() -> None:
    assert {NotFoundError, QueryError, NotCoveredError, ParseError, SpecError, ConflictError}


def test_what_an_operator_has_to_see_to_is_told_without_where_it_is(
    remote: Remote, ws: af.Workspace, tmp_path: Path
) -> None:
    (tmp_path / "flights.ddb").rename(tmp_path / "gone.ddb")
    with pytest.raises(SourceUnavailableError) as raised:
        remote.linq("from flights group select sum(delay) as s", end="2025-01-02")
    assert raised.value.retryable
    assert str(tmp_path) not in str(raised.value)


# -- definitions


def test_definitions_are_the_same(remote: Remote, ws: af.Workspace) -> None:
    for name in ("sources", "filters", "endpoints", "projects", "cubes"):
        assert dict(getattr(remote, name)) == dict(getattr(ws, name)), name
        assert "<table" in getattr(remote, name)._repr_html_()
    assert remote.cubes["c"].project_id == ws.cubes["c"].project_id
    with pytest.raises(NotFoundError, match="did you mean 'delays'"):
        remote.filters["delay"]


def test_definitions_are_added_changed_and_removed(remote: Remote, ws: af.Workspace, tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path / 'flights.ddb'}"
    assert remote.add_source("more", url, time="time", table="flights") == ws.sources["more"]
    assert remote.add_source("more", url, time="time", table="flights", lateness="1h").lateness == "1h"
    remote.add_filter("f", source="more", interval="1h", groupings=["carrier"])
    remote.add_endpoint("e", filter="f", timing=af.Lookback("1d"), fields=[Field("n", "events", "COUNT")])
    changed = remote.add_filter("f", source="more", interval="1d", dry_run=True)
    assert [effect.endpoint for effect in changed.effects] == ["e"]
    assert ws.filters["f"].interval == "1h"
    assert remote.add_filter("f", source="more", interval="30m", rebuild=True) == ws.filters["f"]
    remote.add_project("p", description="of p")
    cube = remote.add_cube("d", source="more", dimensions=["carrier"], project="p")
    assert cube == ws.cubes["d"]
    assert remote.add_cube("d", source="more", dimensions=["carrier", "late"], project="p") == ws.cubes["d"]
    for kind, name in (
        ("cube", "d"),
        ("project", "p"),
        ("endpoint", "e"),
        ("filter", "f"),
        ("source", "more"),
    ):
        remote.remove(kind, name)
    assert list(ws.sources) == ["flights"]


# -- builds


def test_a_build_is_waited_for_and_its_progress_told(remote: Remote, ws: af.Workspace) -> None:
    told: list[Progress] = []
    report = remote.build("delays", full=True, progress=told.append)
    assert (report.rows_read, report.windows) == (600, 1)
    assert told[-1].rollup == "filter delays"
    assert told[-1].windows_done == 1
    assert remote.builds[report.build_id].status == "done"
    assert next(iter(ws.builds)) == report.build_id
    assert remote.build("delays", since="2025-01-01", until="2025-01-01T01:00Z", progress=False).windows == 0


def test_a_build_that_fails_raises_what_stopped_it(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "flights.ddb").rename(tmp_path / "gone.ddb")
    with pytest.raises(SourceUnavailableError, match="there is no file"):
        remote.build("delays", full=True, progress=False)


def test_a_build_that_is_cancelled_says_so(
    remote: Remote, ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = threading.Event()
    monkeypatch.setattr("aggflow.api.build_thread.BuildThread.wake", lambda *_: waiting.set())

    def cancel() -> None:
        waiting.wait(10)
        remote.cancel(next(iter(ws.builds)))

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(CancelledError):
        remote.build("delays", progress=False)
    thread.join()
    with pytest.raises(ConflictError, match="has ended"):
        remote.cancel(next(iter(ws.builds)))


def test_a_cube_is_built_by_the_next_run(remote: Remote, ws: af.Workspace) -> None:
    assert remote.request_build("c", full=True).status == "pending"
    assert [batch.cube for batch in ws.open_batches()] == ["c"]
    with pytest.raises(SpecError, match="request_build"):
        remote.build("cube c")
    assert remote.build("cube c/all", progress=False).rows_read == 600


# -- the connection


def test_a_reader_may_ask_endpoints_and_nothing_else(served: Served) -> None:
    remote = connected(served, "data:read")
    answer = remote.query("total", end="2025-01-01T10:30:00Z")
    assert answer.rows[0]["fields"]["n"] == 600
    assert answer.explain().sql == ()
    for ask in (
        lambda: remote.linq(LINQ),
        lambda: remote.ask_cube("c"),
        lambda: remote.ask_task("t"),
        lambda: dict(remote.sources),
        lambda: remote.build("delays", progress=False),
    ):
        with pytest.raises(ServiceError, match="permission admin"):
            ask()


def test_an_administrator_sees_what_was_sent_to_the_source(remote: Remote) -> None:
    answer = remote.linq("from flights group select sum(delay) as s", end="2025-01-02")
    assert any("SELECT" in one for one in answer.explain().sql)


def test_a_token_for_some_brands_asks_of_no_other_events(served: Served) -> None:
    secret = served.token("admin", brands=["0f8fad5b-d9cb-469f-a165-70867728950e"])
    remote = af.connect("http://service", secret, transport=Wire(served.app))
    with pytest.raises(ServiceError, match="some brands only"):
        remote.linq(LINQ)


def test_it_says_whom_it_talks_to_and_never_with_what(served: Served) -> None:
    secret = served.token("data:read")
    remote = af.connect("http://service", secret, transport=Wire(served.app))
    assert repr(remote) == "Remote workspace 'self' at http://service"
    assert secret not in repr(vars(remote))
    with pytest.raises(ServiceError, match="the token is not valid") as raised:
        af.connect("http://service", "wrong", transport=Wire(served.app))
    assert not isinstance(raised.value, ServiceUnavailableError)


@pytest.mark.parametrize(
    ("status", "content", "error", "message"),
    [
        (200, b"<html>", ServiceError, "is no aggflow"),
        (502, b"<html>", ServiceError, "is no aggflow"),
        (503, b"{}", ServiceUnavailableError, "answered 503"),
        (429, b'{"message": "too many"}', ServiceUnavailableError, "too many"),
        (500, b'{"message": "a mistake", "requestId": "r1"}', ServiceError, "request r1"),
        (413, b'{"message": "too large"}', QueryError, "too large"),
        (400, b'{"message": "x", "errors": [{"field": "f", "message": "m"}]}', SpecError, "f: m"),
        (409, b'{"message": "taken"}', ConflictError, "taken"),
        (400, b"[]", QueryError, "answered 400"),
    ],
)
def test_other_answers_are_errors_too(
    status: int, content: bytes, error: type[AggflowError], message: str
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    with pytest.raises(error, match=message):
        af.connect("http://service", "token", transport=transport)


def test_what_cannot_be_reached_may_be_later() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(ServiceUnavailableError, match="did not answer GET in time"):
        af.connect("http://service", "token", transport=httpx.MockTransport(fail))
    with pytest.raises(ServiceUnavailableError, match=r"http://me:\*\*\*@127.0.0.1:9 cannot be reached"):
        af.connect("http://me:secret@127.0.0.1:9", "token")
    with pytest.raises(SpecError, match="no address"):
        af.connect("127.0.0.1:9", "token")
