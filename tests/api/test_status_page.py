"""The status page: who sees it, what it shows, and that nothing of it comes from elsewhere."""

from __future__ import annotations

import html
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import Served

import aggflow as af
from aggflow.api.coverage_picture import Bar, bars_of
from aggflow.api.overview import Overview
from aggflow.api.viewer import COOKIE, Viewer
from aggflow.catalog import Catalog
from aggflow.engine.status import RollupStatus
from aggflow.errors import BuildError
from aggflow.timeline import BEGINNING, Window, WindowSet, parse_instant

Aggregation: Any = af.Aggregation
Field: Any = af.Field
ODD = "<script>alert(\"x\")</script> & 'y' {{ 7 * 7 }}"
HERE = {"Host": "127.0.0.1:8787"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    served = Served(tmp_path / "home")
    yield served
    served.home.close()


@pytest.fixture
def ws(served: Served) -> af.Workspace:
    return served.home.workspace("self")


def declare(ws: af.Workspace, name: str = "clicks", *, hours: int = 10) -> None:
    """A source with a year-old day, a filter, and endpoints of each shape."""
    ws.add_source(name, "embedded://", time="at")
    ws.add_events(
        name,
        [
            {"at": f"2025-01-01T{i % hours:02d}:{i % 60:02d}:00Z", "page": ODD if i % 2 else "/", "ms": i}
            for i in range(600)
        ],
    )
    ws.add_filter(
        f"f {name}",
        source=name,
        interval="1h",
        groupings=[af.Grouping("@.page", "page")],
        aggregations=[Aggregation("ms", "@.ms", ["COUNT", "AVG"])],
    )
    fields = [Field("views", "ms", "COUNT"), Field("average", "ms", "AVG")]
    of: dict[str, Any] = {"filter": f"f {name}", "fields": fields}
    ws.add_endpoint(f"total {name}", timing=af.Lookback("1d"), description=f"All of it {ODD}", **of)
    ws.add_endpoint(f"pages {name}", timing=af.Lookback("1d"), groupings={"page": af.All()}, **of)
    ws.add_endpoint(f"series {name}", timing=af.TimeSeries("1d"), **of)
    ws.add_endpoint(f"asked {name}", timing=af.Lookback("1d"), groupings={"page": af.QueryTime()}, **of)


def page(served: Served, token: str = "", cookie: str = "") -> str:
    headers = HERE | ({"Cookie": f"{COOKIE}={cookie}"} if cookie else {})
    answer = served.ask("GET", "/", token, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


class Read(HTMLParser):
    """What a page refers to, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "srcset"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        self.text += data


def is_form(text: str) -> bool:
    return 'type="password"' in text


# -- who sees it


def test_on_a_fresh_home_it_is_shown_to_who_sits_at_the_machine(served: Served) -> None:
    assert "Rollups" in page(served)
    for headers in ({"Host": "aggflow.example"}, {"Host": "evil.example:8787"}, {"Host": "10.0.0.1"}):
        assert is_form(served.ask("GET", "/", headers=headers).text), headers
    for host in ("localhost:8787", "[::1]:8787"):
        assert not is_form(served.ask("GET", "/", headers={"Host": host}).text), host


def test_from_elsewhere_nobody_sees_it_without_a_token(served: Served, ws: af.Workspace) -> None:
    declare(ws)
    transport = httpx.ASGITransport(served.app, client=("10.1.2.3", 5000))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/")

    import asyncio

    text = asyncio.run(ask()).text
    assert is_form(text)
    assert "clicks" not in text


def test_once_there_is_a_token_it_is_asked_for(served: Served, ws: af.Workspace) -> None:
    declare(ws)
    token = served.token()
    text = page(served)
    assert is_form(text)
    assert "clicks" not in text
    assert "f clicks" in page(served, token)


@pytest.mark.parametrize("permission", ["data:read", "widgets:read", "tasks:manage", "schedules:manage"])
def test_a_token_that_may_not_manage_sees_nothing(served: Served, ws: af.Workspace, permission: str) -> None:
    declare(ws)
    answer = served.ask("GET", "/", served.token(permission), headers=HERE)
    assert answer.status_code == 403
    assert "lacks the permission admin" in answer.text
    assert "clicks" not in answer.text
    endpoint = ws.endpoints["pages clicks"].id
    assert served.ask("GET", f"/status/endpoints/{endpoint}.svg", served.token(permission)).status_code == 403
    assert served.ask("GET", f"/status/endpoints/{endpoint}.svg").status_code == 401


def test_a_token_is_entered_once_and_kept_where_no_script_reads_it(served: Served) -> None:
    token = served.token()
    entered = served.ask("POST", "/sign-in", headers=HERE, content=f"token={token}", follow_redirects=False)
    assert (entered.status_code, entered.headers["Location"]) == (303, "./")
    cookie = entered.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}={token}")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path" not in cookie
    text = page(served, cookie=token)
    assert "Sign out" in text
    assert token not in text
    left = served.ask("POST", "/sign-out", headers=HERE)
    assert left.headers["Location"] == "./"
    assert f'{COOKIE}="";' in left.headers["Set-Cookie"]
    assert "Max-Age=0" in left.headers["Set-Cookie"]


def test_a_token_in_the_address_does_not_stay_there(served: Served) -> None:
    token = served.token()
    answer = served.ask("GET", "/", headers=HERE, params={"token": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "./")
    assert token in answer.headers["Set-Cookie"]


def test_a_cookie_is_only_good_for_the_page(served: Served) -> None:
    assert (
        served.ask("GET", "/api/v1/tokens", headers={"Cookie": f"{COOKIE}={served.token()}"}).status_code
        == 401
    )


def test_a_token_that_is_not_valid_is_refused_and_not_kept(served: Served) -> None:
    secret = served.token()
    served.home.workspace("self").revoke_token("test")
    served.token()
    for body in ("token=wrong", f"token={secret}", "", "token=", "token=%ff%00", "x" * 10_000):
        answer = served.ask("POST", "/sign-in", headers=HERE, content=body)
        assert answer.status_code == 401, body
        assert "Set-Cookie" not in answer.headers
        assert "the token is not valid" in answer.text
    answer = served.ask("GET", "/", headers=HERE | {"Cookie": f"{COOKIE}={secret}"})
    assert answer.status_code == 401
    assert is_form(answer.text)


def test_the_command_for_a_token_makes_one_that_lets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from aggflow.cli import app

    with monkeypatch.context() as patch:
        patch.setenv("AGGFLOW_WORKSPACE", "shop")
        served = Served(tmp_path / "a home")
    declare(served.home.workspace("shop"))
    served.token()
    command = shlex.split(command_of(page(served)))
    assert command[0] == "aggflow"
    made = CliRunner().invoke(app, command[1:])
    assert made.exit_code == 0, made.output
    assert "f clicks" in page(served, made.stdout.strip())
    served.home.close()


def test_where_the_home_is_is_told_on_this_machine_alone(served: Served, tmp_path: Path) -> None:
    served.token()
    assert str(tmp_path) in page(served)
    away = served.ask("GET", "/", headers={"Host": "aggflow.example"}).text
    assert str(tmp_path) not in away
    assert command_of(away).endswith("--home HOME")


def test_the_command_for_a_token_hides_the_password_of_a_catalog(served: Served) -> None:
    served.token()
    served.home._place = "postgresql://me:pa5sword@db/shop"
    text = page(served)
    assert command_of(text).endswith("--home 'postgresql://me:***@db/shop'")
    assert "in place of ***" in text
    assert "pa5sword" not in text


def command_of(text: str) -> str:
    (found,) = re.findall(r"<code>(aggflow token .*?)</code>", text)
    return html.unescape(found)


def test_trying_many_tokens_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGFLOW_FAILED_ATTEMPTS", "3")
    served = Served(tmp_path)
    served.token()
    statuses = [served.ask("POST", "/sign-in", content=f"token={i}").status_code for i in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    served.home.close()


def test_of_another_workspace_nothing_is_shown(served: Served, ws: af.Workspace) -> None:
    declare(ws, "mine")
    other = served.home.workspace("other")
    declare(other, "theirs")
    token = served.token(workspace="other")
    text = page(served, token)
    assert "f theirs" in text
    assert "mine" not in text
    mine = ws.endpoints["pages mine"].id
    assert served.ask("GET", f"/status/endpoints/{mine}.svg", token).status_code == 404


# -- what it shows


def test_it_shows_what_is_built_and_what_endpoints_answer(served: Served, ws: af.Workspace) -> None:
    declare(ws)
    token = served.token()
    before = Read(page(served, token)).text
    assert "nothing is built yet" in before
    assert before.count("nothing of filter 'f clicks' is built yet") == 4
    ws.build("f clicks", progress=False)
    text = page(served, token)
    read = Read(text)
    assert 'class="events"' in text
    assert "10 cells" in read.text
    assert "2025-01-01 00:00" in read.text
    # One row is written large, all else is drawn.
    assert re.search(r"<dd>600</dd><dt>views</dt>", text)
    pictures = [address for address in read.addresses if address.startswith("status/endpoints/")]
    assert len(pictures) == 2 * 3
    for address in pictures:
        answer = served.ask("GET", f"/{html.unescape(address)}", token)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
        assert "<svg" in answer.text
        assert "<script>" not in answer.text


def test_a_preview_asks_no_source_and_is_no_question(served: Served, ws: af.Workspace) -> None:
    declare(ws)
    ws.build("f clicks", progress=False)
    token = served.token()

    def fail(*_: object) -> Any:
        raise AssertionError("a source was opened")

    ws._declarations.open = fail  # type: ignore[method-assign] - fails on purpose
    page(served, token)
    for endpoint in ws.endpoints.values():
        assert served.ask("GET", f"/status/endpoints/{endpoint.id}.svg", token).status_code == 200
    assert ws.slowest_questions() == []


def test_the_command_is_what_a_shell_understands(served: Served, ws: af.Workspace) -> None:
    declare(ws)
    ws.build("f clicks", progress=False)
    text = page(served, served.token())
    commands = [html.unescape(found) for found in re.findall(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)]
    assert len(commands) == 4
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", f"curl() {{ printf '%s\\0' \"$@\"; }}; {command}"],
            capture_output=True, text=True, check=True, env={"AGGFLOW_TOKEN": "secret"},
        )  # fmt: skip
        url, _, header, _, body, _ = done.stdout.split("\0")
        assert header == "x-api-token: secret"
        answer = served.ask(
            "POST",
            httpx.URL(url).path,
            headers={"x-api-token": served.token("data:read")},
            content=body,
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()
    assert sum("groupingFilters" in command for command in commands) == 1


def test_builds_under_way_and_failures_are_shown(served: Served, ws: af.Workspace) -> None:
    declare(ws)
    token = served.token()
    catalog = ws._catalog
    rollup = ws._targets.get("f clicks").rollup_id
    failed = catalog.start_build(ws._id, "full", ws.now_us(), rollup_id=rollup)
    why = BuildError("cannot reach postgresql://me:pa5sword@db/shop")
    catalog.finish_build(failed.id, "error", ws.now_us(), error=why)
    running = catalog.start_build(ws._id, "incremental", ws.now_us(), rollup_id=rollup)
    catalog.progress_build(running.id, windows_done=1, windows_total=4, rows_read=1234)
    waiting = ws.queue_build("f clicks", full=True)
    text = page(served, token)
    read = Read(text)
    assert '<progress max="100" value="25">' in text
    assert "25 % · 1,234 rows read" in read.text
    assert "pending" in read.text
    assert "me:***@db" in read.text
    assert "pa5sword" not in text
    assert "data-busy" in text
    # What was made up for is no failure any more.
    catalog.finish_build(running.id, "done", ws.now_us())
    ws.cancel(waiting.build.id)
    text = page(served, token)
    assert "Failed" not in text
    assert "data-busy" not in text


def test_schedules_and_slow_questions_are_shown(
    served: Served, ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(ws)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    ws.add_cube(
        "c", source="clicks", dimensions=[af.Dimension("page", "@.page")], measures=[Aggregation("events")]
    )
    job = ws.add_schedule("c", "0 25 06 ? * *").job_id
    ws.linq("from clicks group by page", end="2026-01-01")
    text = Read(page(served, served.token())).text
    assert "every day at 06:25:00 UTC" in text
    assert re.search(r"in (\d+ h )?\d+ min", text)
    assert "fire" not in text
    assert "LINQ by page" in text or "LINQ by @.page" in text
    monkeypatch.delenv("PREFECT_API_URL")
    text = page(served, served.token())
    assert ">does not fire: no Prefect</td>" in text
    assert "so no schedule fires" in Read(text).text
    assert not re.search(r"in (\d+ h )?\d+ min", text)
    ws.note_schedule(job, paused=True)
    assert ">paused</td>" in page(served, served.token())


def test_without_charts_installed_the_first_rows_are_shown(
    served: Served, ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(ws)
    ws.build("f clicks", progress=False)
    monkeypatch.setattr("aggflow.api.card.draws", lambda: False)
    text = page(served, served.token())
    assert "status/endpoints" not in text
    assert "<th>average</th>" in text
    assert "<td>2025-01-01 00:00</td>" in text
    assert "1d of f clicks · shown: 5 of 10 rows" in Read(text).text


def test_of_a_preview_that_is_cut_it_says_how_much_is_shown(served: Served, ws: af.Workspace) -> None:
    ws.add_source("flights", "embedded://", time="at")
    ws.add_events("flights", [{"at": "2025-01-01T00:30:00Z", "carrier": f"c{i}"} for i in range(16)])
    ws.add_filter("f", source="flights", interval="1h", groupings=[af.Grouping("@.carrier", "carrier")])
    of: dict[str, Any] = {"filter": "f", "fields": [Field("n", "events", "COUNT")]}
    ws.add_endpoint("over time", timing=af.TimeSeries("1d"), groupings={"carrier": af.All()}, **of)
    ws.add_endpoint("bars", timing=af.Lookback("1d"), groupings={"carrier": af.All()}, **of)
    ws.add_endpoint("whole", timing=af.Lookback("1d"), **of)
    ws.build("f", progress=False)
    text = Read(page(served, served.token())).text
    assert "1d of f, by carrier · shown: 4 of 16 values of carrier" in text
    assert "1d of f, by carrier · shown: 8 of 16 values of carrier" in text
    assert text.count("shown:") == 2


def test_many_endpoints_are_no_more_loads_and_no_more_previews(
    served: Served, ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(ws)
    ws.build("f clicks", progress=False)
    fields = [Field("views", "ms", "COUNT")]

    def loads(last: int) -> tuple[Counter[str], Overview]:
        while len(ws.endpoints) < last:
            ws.add_endpoint(
                f"e{len(ws.endpoints):03}", filter="f clicks", timing=af.Lookback("1d"), fields=fields
            )
        counted: Counter[str] = Counter()
        with monkeypatch.context() as patch:
            for name in ("list_definitions", "get_definition", "definition_by_id"):
                patch.setattr(Catalog, name, counting(counted, name))
            return counted, Overview.of(Viewer(ws), "http://here/")

    few, first = loads(24)
    many, second = loads(40)
    assert (len(first.cards), len(first.others)) == (24, 0)
    assert (len(second.cards), len(second.others)) == (24, 16)
    assert not any(card.missing for card in second.cards)
    names = [*(card.name for card in second.cards), *(name for name, _, _ in second.others)]
    assert names == list(ws.endpoints.keys())
    assert many["list_definitions"] <= few["list_definitions"] <= 20
    for counted in (few, many):
        assert counted["get_definition"] + counted["definition_by_id"] <= 24 * 7
    text = Read(page(served, served.token())).text
    assert "and 16 more" in text
    assert all(name in text for name in names)


def counting(counted: Counter[str], name: str) -> Callable[..., Any]:
    """A method of the catalog that counts how often it is called."""
    method = getattr(Catalog, name)

    def count(*args: Any) -> Any:
        counted[name] += 1
        return method(*args)

    return count


def test_an_empty_workspace_says_what_could_be_there(served: Served) -> None:
    text = Read(page(served)).text
    assert "a filter, a task or a cube has rollups" in text
    assert "an endpoint is a saved question" in text


def test_where_prefect_is_is_linked_unless_that_holds_a_password(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Prefect" not in page(served)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert 'href="http://127.0.0.1:9"' in page(served)
    monkeypatch.setenv("PREFECT_API_URL", "http://me:secret@127.0.0.1:9/api")
    assert "secret" not in page(served)


# -- what it is made of


def test_nothing_comes_from_elsewhere_and_nothing_runs_that_is_not_its_own(
    served: Served, ws: af.Workspace
) -> None:
    declare(ws, ODD)
    ws.build(f"f {ODD}", progress=False)
    token = served.token()
    for text in (page(served, token), page(served)):
        read = Read(text)
        assert read.handlers == []
        assert all(not re.match(r"([a-z]+:|//|/)", address) for address in read.addresses), read.addresses
        assert len(read.ids) == len(set(read.ids))
        for address in read.addresses:
            if address.startswith("status/page"):
                answer = served.ask("GET", f"/{address}")
                assert answer.status_code == 200
                assert "immutable" in answer.headers["Cache-Control"]
    text = page(served, token)
    assert "<script>alert" not in text
    assert "{{ 7 * 7 }}" in Read(text).text
    answer = served.ask("GET", "/", token, headers=HERE)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert served.ask("GET", "/status/nothing.css").status_code == 404
    assert served.ask("GET", "/status/..%2fstatus.html").status_code == 404


# -- bars


def status(covered: WindowSet, data: WindowSet, events: Window | None) -> RollupStatus:
    return RollupStatus("f", "s", "1h", covered, data, events, 1, 1, 1, 1, None)


def at(hour: int) -> int:
    return parse_instant("2025-01-01") + hour * 3_600_000_000


def test_bars_tell_events_from_none_and_from_gaps() -> None:
    covered = WindowSet([Window(BEGINNING, at(4)), Window(at(6), at(10))])
    data = WindowSet([Window(BEGINNING, at(4)), Window(at(6), at(8))])
    found = status(covered, data, Window(at(0), at(8)))
    assert found.extent == Window(at(0), at(8))
    bars = bars_of(found, Window(at(0), at(10)))
    assert bars == [
        Bar(800, 200, "empty"),
        Bar(0, 400, "events"),
        Bar(600, 200, "events"),
        Bar(400, 200, "gap"),
    ]


def test_many_short_windows_are_few_bars_and_a_short_gap_is_still_seen() -> None:
    minute = 60_000_000
    data = WindowSet(Window(at(0) + i * 2 * minute, at(0) + i * 2 * minute + minute) for i in range(10_000))
    assert data.span is not None
    bars = bars_of(status(data, data, data.span), data.span)
    assert len(bars) < 1500
    year = Window(at(0), at(8760))
    covered = WindowSet.of(year) - WindowSet.of(Window(at(100), at(101)))
    (gap,) = (bar for bar in bars_of(status(covered, covered, year), year) if bar.kind == "gap")
    assert gap.width >= 1.5


def test_without_events_there_is_nothing_to_draw() -> None:
    assert status(WindowSet(), WindowSet(), None).extent is None
