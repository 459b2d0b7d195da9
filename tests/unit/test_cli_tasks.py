"""The commands of tasks, cubes and schedules, as people type them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import aggflow as af
from aggflow.cli import app

HOURLY = "from sold where price > 5 group every 1h by shop select count() as n, avg(price) as mean"


class Run:
    """Runs commands in a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *args: str | Path, code: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(arg) for arg in args])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A workspace with a source of four days of sales, one every ten minutes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "PY_COLORS", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    count = 4 * 24 * 6
    times = [datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=10 * i) for i in range(count)]
    columns = {
        "at": pa.array(times, pa.timestamp("us", "UTC")),
        "shop": ["north" if i % 3 else "south" for i in range(count)],
        "price": [float(i % 50) for i in range(count)],
    }
    pq.write_table(pa.table(columns), tmp_path / "sold.parquet")
    made = Run(tmp_path)
    made("source", "add", "sold", "sold.parquet", "--time", "at")
    return made


@pytest.mark.parametrize(
    "command",
    [
        *(f"task {verb}" for verb in ("add", "ls", "show", "ask", "update", "stop", "resume", "start", "rm")),
        *(f"cube {verb}" for verb in ("add", "ls", "show", "build", "ask", "rm")),
        *(f"schedule {verb}" for verb in ("add", "ls", "rm", "history")),
        *("run-tasks", "backfill", "advise", "linq"),
    ],
)
def test_every_command_has_help_and_takes_home_and_workspace(run: Run, command: str) -> None:
    text = run(*command.split(), "--help").stdout
    assert "--home" in text
    assert "--workspace" in text


@pytest.mark.parametrize(
    "command", ["task ls", "task stop x", "cube ls", "cube build x", "schedule ls", "run-tasks", "backfill x"]
)
def test_a_mistyped_home_is_not_made(run: Run, tmp_path: Path, command: str) -> None:
    result = run(*command.split(), "--home", tmp_path / "typo", code=1)
    assert "there is no workspace in" in result.stderr
    assert not (tmp_path / "typo").exists()


# -- tasks


def test_a_task_from_its_beginning_to_its_end(run: Run) -> None:
    text = run("task", "add", "hourly", HOURLY, "--from", "2024-03-01").stdout
    found = re.fullmatch(
        r"Task 'hourly' \((cc_self:\w{8})\) is added; it is PENDING_CREATE: the next `aggflow run-tasks` sees to it\n",
        text,
    )
    assert found
    task_id = found[1]
    text = run("run-tasks").stdout
    assert "task hourly: PENDING_CREATE -> RUNNING\n" in text
    assert re.search(r"task hourly: \d+ rows in 1 window\n", text)
    assert run("run-tasks").stdout == "Nothing is due\n"
    assert re.search(
        rf"hourly +{task_id} +RUNNING +1h +from sold where gt\(price, 5\)", run("task", "ls").stdout
    )
    assert "is to be stopped; it is PENDING_STOP" in run("task", "stop", "hourly").stdout
    run("run-tasks", "--quiet")
    assert "status: STOPPED" in run("task", "show", task_id).stdout
    assert "is to go on; it is PENDING_RESUME" in run("task", "resume", task_id).stdout
    assert (
        "is to be started; it is PENDING_START"
        in run("task", "start", "hourly", "--from", "2024-03-02").stdout
    )
    run("run-tasks", "--quiet")
    text = run("task", "update", "hourly", "--name", "h", "--description", "d").stdout
    assert text == f"Task 'h' ({task_id}) is changed; it is RUNNING\n"
    assert "it is PENDING_UPDATE" in run("task", "update", "h", "--min-grain", "30m").stdout
    text = run("run-tasks").stdout
    assert "task h: PENDING_UPDATE -> PENDING_REBUILD" in text
    assert "is to be deleted; it is PENDING_DELETE" in run("task", "rm", "h").stdout
    assert "task h: PENDING_DELETE -> DELETED" in run("run-tasks").stdout
    assert "There is no such task. Add one: aggflow task add" in run("task", "ls").stdout
    assert task_id in run("task", "ls", "--status", "deleted").stdout


def test_every_option_of_a_task_is_kept(run: Run) -> None:
    run(
        *("task", "add", "t", HOURLY, "--from", "1709251200000", "--delay", "60", "--min-grain", "20m"),
        *("--time-zone", "+05:45", "--locale", "ne", "--description", "sales"),
    )
    text = run("task", "show", "t").stdout
    for line in (
        *("from_date: '2024-03-01T00:00:00Z'", "delay: 60", "min_grain: 20m", "time_zone: GMT+05:45"),
        *("locale: ne", "description: sales", "status: PENDING_CREATE", "count() as n, avg(price) as mean"),
    ):
        assert line in text
    run("run-tasks", "-q")
    run(
        *("task", "update", "t", "--linq", "from sold group by shop", "--from", "0", "--delay", "0"),
        *("--min-grain", "15m", "--time-zone", "UTC", "--locale", "en", "--description", ""),
    )
    text = run("task", "show", "t").stdout
    assert "linq: from sold group by shop" in text
    assert "min_grain: 15m" in text
    assert "from_date: 0" in text
    for key in ("delay", "time_zone", "locale", "description"):
        assert key not in text


def test_a_task_is_in_yaml(run: Run, tmp_path: Path) -> None:
    run("task", "add", "t", HOURLY, "--from", "0")
    text = run("export").stdout
    assert "tasks:\n- name: t\n" in text
    (tmp_path / "defs.yaml").write_text(text)
    out = run("apply", "defs.yaml", "--home", tmp_path / "other").stdout
    assert out == "Applied 1 source, 1 task\n"
    assert "hourly" not in run("task", "ls", "--home", tmp_path / "other").stdout


@pytest.mark.parametrize(
    ("linq", "error", "hint"),
    [
        ("from sod group", "there is no table 'sod', at line 1, column 6", "did you mean 'sold'?"),
        ("from sold group by shp", "there is no column 'shp', at line 1, column 20", "did you mean 'shop'?"),
        (
            "from sold group by lowr(shop)",
            "there is no function 'lowr', at line 1, column 20",
            "did you mean 'lower'?",
        ),
        ("from sold group group", "a second group is not accepted, at line 1, column 17", "one group"),
        ("from sold where shop in (from sold) group", "subquer", ""),
    ],
)
def test_a_wrong_query_is_pointed_at(run: Run, linq: str, error: str, hint: str) -> None:
    result = run("task", "add", "t", linq, "--from", "0", code=1)
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert error in lines[0]
    assert lines[1] == f"    {linq}"
    assert lines[2].strip() == "^"
    assert hint in result.stderr
    assert result.stdout == ""
    assert "There is no such task" in run("task", "ls").stdout


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("stop", "t"), "there is no task 't'"),
        (("resume", "hourly"), "a task that is PENDING_CREATE takes no resume"),
        (("update", "hourly", "--delay", "5"), "a task that is PENDING_CREATE takes no update"),
        (("start", "hourly", "--from", "soon"), "'soon' is not a time"),
        (("add", "t", HOURLY, "--from", "soon"), "'soon' is not a time"),
        (("add", "t", HOURLY, "--from", "0", "--min-grain", "25m"), "25m does not divide"),
        (("add", "t", HOURLY, "--from", "0", "--delay", "-1"), "-1 is no whole number of seconds"),
    ],
)
def test_what_does_not_fit_is_one_sentence(run: Run, args: tuple[str, ...], error: str) -> None:
    run("task", "add", "hourly", HOURLY, "--from", "0")
    result = run("task", *args, code=1)
    assert result.stderr.startswith("error: ")
    assert error in result.stderr
    assert result.stdout == ""


def test_a_usage_that_is_wrong_is_told_as_such(run: Run) -> None:
    run("task", "add", "hourly", HOURLY, "--from", "0")
    assert "name something to change" in run("task", "update", "hourly", code=2).stderr
    assert "is no status" in run("task", "ls", "--status", "ASLEEP", code=2).stderr
    assert "--from" in run("task", "add", "t", HOURLY, code=2).stderr


def test_a_run_in_which_something_fails_says_what_and_does_the_rest(run: Run, tmp_path: Path) -> None:
    run("source", "add", "gone", "sold.parquet", "--time", "at")
    (tmp_path / "other.parquet").write_bytes((tmp_path / "sold.parquet").read_bytes())
    run("source", "add", "gone", "other.parquet", "--time", "at")
    run("task", "add", "a", HOURLY.replace("sold", "gone"), "--from", "0")
    run("task", "add", "b", HOURLY, "--from", "0")
    (tmp_path / "other.parquet").unlink()
    outputs: list[str] = []
    for _ in range(2):
        result = run("run-tasks", code=1)
        assert "task a: failed: " in result.stdout
        assert "error: 1 rollup of " in result.stderr
        assert "hint: task a: " in result.stderr
        outputs.append(result.stdout)
    assert ["rows in 1 window" in output for output in outputs] == [True, False]
    run("run-tasks", "-q", code=1)
    text = run("task", "show", "a").stdout
    assert "status: ERROR" in text
    assert re.search(r"error: .*other.parquet.*, since .*; next try ", " ".join(text.split()))
    assert "ERROR" in run("task", "ls", "--status", "error").stdout
    assert run("run-tasks").stdout == "Nothing is due\n"


def test_a_build_that_was_asked_for_and_waits_is_carried_out(run: Run, tmp_path: Path) -> None:
    run("filter", "add", "f", "--source", "sold", "--interval", "1h")
    run("run-tasks", "-q")
    with af.open(tmp_path / ".aggflow") as ws:
        queued = ws.queue_build("f", full=True)
    assert "filter f: 576 rows in 1 window\n" in run("run-tasks").stdout
    with af.open(tmp_path / ".aggflow") as ws:
        assert ws.build_record(queued.build.id).build.status == "done"
        (tmp_path / "sold.parquet").unlink()
        ws.queue_build("f", full=True)
    assert "filter f: failed: source 'sold'" in run("run-tasks", code=1).stdout
    assert run("run-tasks").stdout == "Nothing is due\n"


# -- questions


def test_a_question_in_linq_is_answered_and_explained(run: Run, tmp_path: Path) -> None:
    query = "from sold where price > 5 group every 1d by shop select count() as n, max(price) as most"
    day = (query, "--start", "2024-03-02", "--end", "2024-03-03")
    assert re.search(r"2024-03-02 00:00 +north +\d+ +49", run("linq", *day).stdout)
    rows = json.loads(run("linq", *day, "--json").stdout)
    with af.open(tmp_path / ".aggflow") as ws:
        assert rows == ws.linq(query, start="2024-03-02", end="2024-03-03").rows
    assert run("linq", *day, "--csv").stdout.startswith("dt,shop,n,most\n2024-03-02T00:00:00Z,north,")
    assert "1 of 2 rows" in run("linq", *day, "--rows", "1").stdout
    text = run("linq", *day, "--explain").stdout
    assert "Answered from the source alone" in text
    assert "SELECT" not in text
    assert "SELECT" in run("linq", *day, "--sql").stdout
    assert "--csv / --sql: choose one of them" in run("linq", *day, "--sql", "--csv", code=2).stderr
    assert "--json / --explain: choose one" in run("linq", *day, "--explain", "--json", code=2).stderr
    assert "SELECT" in run("linq", *day, "--explain", "--sql").stdout
    assert "2024-03-02" in run("linq", *day, "--stored", code=1).stderr
    zoned = run("linq", *day, "--time-zone", "Europe/Berlin", "--csv").stdout
    assert "2024-03-01T23:00:00Z,north" in zoned


def test_a_wrong_question_in_linq_is_pointed_at(run: Run) -> None:
    error = run("linq", "from sold group by shoop", code=1).stderr
    assert "there is no column 'shoop', at line 1, column 20" in error
    assert "did you mean 'shop'?" in error
    assert "there is no table 'sald'" in run("linq", "from sald group", code=1).stderr
    ends = run("linq", "from sold group", "--start", "2024-03-02", "--end", "2024-03-01", code=1).stderr
    assert "ends before it begins" in ends


def test_a_task_is_asked_for_the_time_that_it_aggregates(run: Run) -> None:
    run("task", "add", "hourly", HOURLY, "--from", "2024-03-02")
    run("run-tasks", "-q")
    total = sum(row["fields"]["n"] for row in json.loads(run("task", "ask", "hourly", "--json").stdout))
    assert total == sum(i % 50 > 5 for i in range(144, 576))
    text = run("task", "ask", "hourly", "--end", "2024-03-03", "--explain").stdout
    assert "Answered from task hourly" in text
    early = run("task", "ask", "hourly", "--end", "2024-03-01", code=1).stderr
    assert "task 'hourly' aggregates nothing of that time" in early
    assert "there is no task 'nope'" in run("task", "ask", "nope", code=1).stderr


# -- backfill


def test_a_backfill_fills_a_stretch_and_then_the_rest(run: Run) -> None:
    run("task", "add", "hourly", HOURLY, "--from", "2024-03-01")
    text = run(
        "backfill", "task hourly", "--from", "2024-03-03", "--to", "2024-03-04", "--newest-first"
    ).stdout
    assert re.match(r"Built task hourly: 1 window, 1\d\d source rows -> ", text)
    text = run("backfill", "task hourly", "--newest-first").stdout
    assert re.match(r"Built task hourly: 2 windows, ", text)
    assert "Nothing is missing of task hourly" in run("backfill", "task hourly", "--to", "2024-03-05").stdout
    assert run("backfill", "task hourly", "--to", "2024-03-05", "-q").stdout == ""
    assert run("run-tasks").stdout == "Nothing is due\n"
    assert "there is no rollup 'task nope'" in run("backfill", "task nope", code=1).stderr
    assert "there is no filter 'nope'" in run("backfill", "nope", code=1).stderr


# -- cubes and schedules

CUBE = (
    *("cube", "add", "sales", "--source", "sold", "--dimension", "shop", "--dimension", "date:month,day"),
    *("--dimension", "low==lower(shop)", "--measure", "price=price:COUNT,SUM"),
    *("--measure", "dear:COUNT where @.price > 30", "--ratio", "mean=price:SUM/price:COUNT"),
    *("--aggregate", "hourly=1h:shop", "--aggregate", "daily=:date.day,shop:mean"),
)


def test_a_cube_is_added_shown_built_and_removed(run: Run) -> None:
    assert run(*CUBE).stdout == "Cube 'sales' is added\n"
    assert run(*CUBE).stdout == "Cube 'sales' is changed\n"
    assert re.search(
        r"sales +sold +default +shop, date, low +price, dear, mean +hourly, daily", run("cube", "ls").stdout
    )
    text = run("cube", "show", "sales").stdout
    for line in ("- month", "path: =lower(shop)", "numerator: price:SUM", "interval: 1h", "- date.day"):
        assert line in text
    text = run("cube", "build", "sales").stdout
    assert re.search(r"hourly +1 +576 +0 ", text)
    assert re.search(r"Built cube sales: 2 aggregates, 576 source rows -> \d+ cells", text)
    assert run("cube", "build", "sales", "--full", "--quiet").stdout == ""
    text = run("status").stdout
    assert "0 filters, 1 cube, 0 endpoints" in text
    assert "cube sales/hourly" in text
    assert "(removed)" not in text
    assert "Cube 'sales' is removed" in run("cube", "rm", "sales").stdout
    assert "There is no cube yet" in run("cube", "ls").stdout
    assert "there is no cube 'sales'" in run("cube", "build", "sales", code=1).stderr


def test_what_is_applied_is_counted_by_its_kind(run: Run, tmp_path: Path) -> None:
    run(*CUBE)
    run("schedule", "add", "sales", "0 25 06 ? * *")
    run("export", "all.yaml")
    out = run("apply", "all.yaml", "--home", tmp_path / "other").stdout
    assert out == "Applied 1 source, 1 cube, 1 schedule\n"
    (tmp_path / "none.yaml").write_text("")
    assert run("apply", "none.yaml").stdout == "Nothing is declared there\n"


def test_a_cube_is_asked_by_its_measures_and_dimensions(run: Run) -> None:
    run(*CUBE)
    run("cube", "build", "sales", "-q")
    asked = ("cube", "ask", "sales", "price:SUM", "mean", "--by", "shop", "--end", "2024-03-05")
    rows = json.loads(run(*asked, "--sort", "price:SUM:desc", "--json").stdout)
    prices = {"north": 0.0, "south": 0.0}
    for i in range(576):
        prices["north" if i % 3 else "south"] += i % 50
    assert [(row["groupings"]["shop"], row["fields"]["price:SUM"]) for row in rows] == [*prices.items()]
    assert rows[0]["fields"]["mean"] == pytest.approx(prices["north"] / 384)
    ascending = json.loads(run(*asked, "--sort", "price:SUM", "--json").stdout)
    assert ascending == rows[::-1]
    assert len(json.loads(run(*asked, "--limit", "1", "--json").stdout)) == 1
    kept = json.loads(run(*asked, "--filter", "shop=south", "--where", "@.price > 30", "--json").stdout)
    assert [row["groupings"] for row in kept] == [{"shop": "south"}]
    assert kept[0]["fields"]["price:SUM"] < prices["south"]
    text = run(*asked, "--by", "date.day", "--start", "2024-03-02", "--explain").stdout
    assert "Answered from cube sales/" in text
    everything = run("cube", "ask", "sales", "--end", "2024-03-05", "--csv").stdout
    assert everything.splitlines()[0] == "price:COUNT,price:SUM,dear:COUNT,mean"
    wrong = run("cube", "ask", "sales", "price:SUMM", "--by", "shoop", code=1).stderr
    assert "did you mean 'SUM'?" in wrong
    assert "did you mean 'shop'?" in wrong


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("--ratio", "mean=price", "is not NAME=MEASURE/MEASURE"),
        ("--aggregate", "1h", "is not NAME=INTERVAL:DIMENSIONS"),
    ],
)
def test_an_option_that_has_not_its_form_is_a_usage_error(
    run: Run, option: str, value: str, error: str
) -> None:
    result = run("cube", "add", "x", "--source", "sold", option, value, code=2)
    assert error in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())


def test_a_cube_that_does_not_fit_is_refused(run: Run) -> None:
    result = run("cube", "add", "x", "--source", "sold", "--dimension", "shp", code=1)
    assert "there is no column 'shp'" in result.stderr
    result = run("cube", "add", "x", "--source", "sold", "--aggregate", "a=1h:nope", code=1)
    assert "nope" in result.stderr


def test_a_schedule_says_when_and_the_next_five_times(run: Run) -> None:
    run(*CUBE)
    text = run("schedule", "add", "sales", "0 25 06 ? * *", "--timezone", "Asia/Kathmandu").stdout
    lines = text.splitlines()
    found = re.fullmatch(r"Schedule ([0-9a-f-]{36}) is added", lines[0])
    assert found
    assert lines[1] == "Cube sales is built in full, every day at 06:25:00 Asia/Kathmandu. Next:"
    assert len(lines) == 7
    days: list[datetime] = []
    for line in lines[2:]:
        day = re.fullmatch(r"  (\w{3}) (\d{4}-\d\d-\d\d) 06:25:00 \+05:45", line)
        assert day
        days.append(datetime.fromisoformat(f"{day[2]}T06:25:00+05:45"))
        assert f"{days[-1]:%a}" == day[1]
    assert timedelta() < days[0] - datetime.now(UTC) <= timedelta(days=1)
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}
    run("schedule", "add", "sales", "0 0 * * * *", "--incremental")
    listed = run("schedule", "ls").stdout
    assert re.search(
        rf"{found[1]} +sales +0 25 06 \? \* \* +every day at 06:25:00 Asia/Kathmandu +full", listed
    )
    assert re.search(
        r"sales +0 0 \* \* \* \* +every hour at minute 0, UTC +incremental +\w{3} .*:00:00 UTC", listed
    )
    assert "Prefect lets them fire: while `aggflow up` runs" in listed
    assert run("schedule", "history", found[1]).stdout == "It has begun no build yet\n"
    assert run("schedule", "rm", found[1]).stdout == f"Schedule {found[1]} is removed\n"
    assert found[1] not in run("schedule", "ls").stdout
    assert "there is no schedule" in run("schedule", "rm", found[1], code=1).stderr
    assert "there is no schedule" in run("schedule", "history", found[1], code=1).stderr


def test_the_history_of_a_schedule_is_what_it_built(run: Run) -> None:
    from aggflow.workspace import open_workspace

    run(*CUBE)
    with open_workspace() as ws:
        job_id = ws.add_schedule("sales", "0 25 06 ? * *").job_id
        batch = ws.begin_batch("sales", full=True, job_id=job_id)
        assert batch
        for aggregate in batch.aggregates:
            ws.build_aggregate(batch, aggregate, progress=False)
        ws.finish_batch(batch)
    text = run("schedule", "history", job_id).stdout
    assert re.search(rf"done +full +576 .*{batch.id}", text)


@pytest.mark.parametrize(
    ("cron", "error"),
    [
        ("25 06 ? * *", "the expression has 5 fields, not six"),
        ("0 25 06 ? * * 2027", "a year cannot be given"),
        ("0 25 06 15W * ?", "W, the nearest working day, is not known"),
        ("0 25 06 30 2 ?", "the expression can never fire"),
        ("0 25 26 ? * *", "an hour is 0 to 23, not 26"),
        ("daily", "the expression has 1 field"),
    ],
)
def test_a_wrong_expression_is_pointed_at(run: Run, cron: str, error: str) -> None:
    run(*CUBE)
    result = run("schedule", "add", "sales", cron, code=1)
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"error: {error}")
    assert lines[1] == f"    {cron}"
    assert lines[2].strip() == "^"
    assert result.stdout == ""
    assert "There is no schedule yet" in run("schedule", "ls").stdout


def test_a_schedule_needs_a_cube_and_a_zone(run: Run) -> None:
    assert "there is no cube 'sales'" in run("schedule", "add", "sales", "0 0 0 * * *", code=1).stderr
    run(*CUBE)
    result = run("schedule", "add", "sales", "0 0 0 * * *", "--timezone", "Mars", code=1)
    assert "there is no time zone 'Mars'" in result.stderr


# -- advice


def test_advice_is_listed_and_adopted(run: Run) -> None:
    from aggflow.workspace import open_workspace

    run(*CUBE)
    assert "Nothing to advise" in run("advise", "sales").stdout
    assert "there are 0 of them" in run("advise", "--adopt", "1", code=2).stderr
    run("cube", "build", "sales", "-q")
    with open_workspace() as ws:
        for _ in range(3):
            ws.linq("from sold group every 1d by lower(shop) select sum(price)", end="2024-03-05")
    text = run("advise", "--days", "1").stdout
    assert re.search(
        r"1 +sales +1d +low +price:SUM +\d+ +(?:under|about) [\d.]+ m?s +[\d,]+ rows \(\d+%\)", text
    )
    assert "--adopt K adds the Kth of them" in text
    text = run("advise", "sales", "--adopt", "1").stdout
    assert text == "Cube 'sales' has aggregate 'low 1d' now: `aggflow cube build sales` makes it\n"
    assert "low 1d" in run("cube", "ls").stdout
    assert re.search(r"low 1d +1 +\d", run("cube", "build", "sales").stdout)
    assert "Nothing to advise" in run("advise", "sales").stdout
    assert "there is no cube 'nope'" in run("advise", "nope", code=1).stderr
