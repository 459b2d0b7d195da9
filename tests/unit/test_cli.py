from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from patience import awaited
from typer.testing import CliRunner, Result

from aggflow import __version__
from aggflow.cli import app

END = "2024-03-05"
WORST = (
    *("endpoint", "add", "worst", "--filter", "sales", "--lookback", "4d", "--group", "shop"),
    *("--field", "p50=price:PERCENTILES:0.5", "--field", "sold=price:COUNT", "--sort", "sold:desc"),
)
SALES = (
    *("filter", "add", "sales", "--source", "shop", "--interval", "1h", "--by", "shop", "--by", "kind"),
    *("--agg", "price=price:COUNT,AVG,PERCENTILES"),
)


class Run(Protocol):
    def __call__(self, *args: str | Path, code: int = 0) -> Result: ...


def make_sold(folder: Path) -> Path:
    """Four days of sales, one every ten minutes, 2024-03-01 to 2024-03-04."""
    start = datetime(2024, 3, 1, tzinfo=UTC)
    count = 4 * 24 * 6
    times = [start + timedelta(minutes=10 * i) for i in range(count)]
    columns = {
        "at": pa.array(times, pa.timestamp("us", "UTC")),
        "shop": ["north" if i % 3 else "south" for i in range(count)],
        "kind": [None if i % 7 == 0 else f"k{i % 2}" for i in range(count)],
        "price": [float(i % 50) for i in range(count)],
    }
    file = folder / "sold.parquet"
    pq.write_table(pa.table(columns), file)
    return file


def invoke(*args: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a source, a filter and an endpoint; nothing is built."""
    folder = tmp_path_factory.mktemp("declared")
    home = ("--home", folder / ".aggflow")
    invoke("source", "add", "shop", make_sold(folder), "--time", "at", *home)
    invoke(*SALES, *home)
    invoke(*WORST, *home)
    return folder


@pytest.fixture(scope="module")
def finished(declared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and it is built."""
    folder = tmp_path_factory.mktemp("finished") / "home"
    shutil.copytree(declared, folder)
    invoke("build", "sales", "--quiet", "--home", folder / ".aggflow")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "PY_COLORS", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".aggflow"


@pytest.fixture
def run(home: Path) -> Run:
    return invoke


@pytest.fixture
def sold(home: Path) -> Path:
    return make_sold(home.parent)


@pytest.fixture
def shop(run: Run, home: Path, declared: Path) -> Run:
    """A workspace of its own with a source, a filter and an endpoint; nothing is built."""
    shutil.copytree(declared, home.parent, dirs_exist_ok=True)
    return run


@pytest.fixture
def built(run: Run, home: Path, finished: Path) -> Run:
    """A workspace of its own, built."""
    shutil.copytree(finished, home.parent, dirs_exist_ok=True)
    return run


@pytest.fixture
def changing(run: Run, home: Path, sold: Path) -> Run:
    """A workspace of its own, built, with a source of its own, which may change."""
    run("source", "add", "shop", sold, "--time", "at")
    run(*SALES)
    run("build", "sales", "--quiet")
    return run


def test_the_version_is_said(run: Run) -> None:
    assert run("--version").stdout == f"aggflow {__version__}\n"


def test_without_a_command_there_is_help_and_a_usage_code(run: Run) -> None:
    assert "Usage: aggflow" in run(code=2).output


@pytest.mark.parametrize(
    "command",
    [
        *("demo", "init", "apply", "export", "build", "status", "verify", "doctor", "query", "explain"),
        *(
            f"{kind} {verb}"
            for kind in ("source", "filter", "endpoint")
            for verb in ("add", "ls", "show", "rm")
        ),
    ],
)
def test_every_command_has_help_and_takes_home_and_workspace(run: Run, command: str) -> None:
    text = run(*command.split(), "--help").stdout
    assert "--home" in text
    assert "--workspace" in text


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom aggflow.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(sorted({'ibis', 'pyarrow', 'pandas', 'duckdb', 'sqlalchemy', 'altair', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_workspace_is_made_once(run: Run, home: Path) -> None:
    assert str(home) in run("init").stdout.replace("\n", "")
    assert (home / "catalog.db").exists()
    run("init")


@pytest.mark.parametrize(
    "command", ["status", "export", "doctor", "source ls", "build x", "query x", "verify x"]
)
def test_a_mistyped_home_is_not_made(run: Run, tmp_path: Path, command: str) -> None:
    result = run(*command.split(), "--home", tmp_path / "typo", code=1)
    assert "there is no workspace in" in result.stderr
    assert "aggflow init" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "typo").exists()


def test_the_home_is_the_settings_or_the_option_s(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGGFLOW_HOME", str(tmp_path / "set"))
    run("init")
    assert (tmp_path / "set" / "catalog.db").exists()
    run("init", "--home", tmp_path / "given")
    assert (tmp_path / "given" / "catalog.db").exists()


def test_an_unknown_setting_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGFLOW_HOM", "x")
    assert "did you mean 'AGGFLOW_HOME'?" in run("init", code=1).stderr


def test_workspaces_of_one_home_are_apart(shop: Run) -> None:
    shop("source", "add", "other", "sold.parquet", "--time", "at", "--workspace", "acme")
    assert "other" not in shop("source", "ls").stdout
    assert "other" in shop("source", "ls", "--workspace", "acme").stdout


def test_a_mistyped_workspace_is_told_and_not_made(shop: Run) -> None:
    for command in (["status"], ["query", "worst"], ["token", "ls"]):
        assert "did you mean 'self'?" in shop(*command, "--workspace", "slef", code=1).stderr
    shop("source", "add", "other", "sold.parquet", "--time", "at", "--workspace", "acme")
    hint = shop("filter", "ls", "--workspace", "zzz", code=1).stderr
    assert "there is no workspace 'zzz'" in hint
    assert "known: acme, self" in hint


def test_definitions_are_listed_shown_and_removed(shop: Run) -> None:
    assert re.search(r"shop +.*sold.parquet +at", shop("source", "ls", code=0).stdout)
    assert "time: at" in shop("source", "show", "shop").stdout
    assert re.search(r"sales +shop +1h +shop, kind +price", shop("filter", "ls").stdout)
    assert "- PERCENTILES" in shop("filter", "show", "sales").stdout
    assert re.search(r"worst +filter sales +lookback +4d +p50, sold", shop("endpoint", "ls").stdout)
    assert "percentile: 0.5" in shop("endpoint", "show", "worst").stdout
    for kind, name in (("endpoint", "worst"), ("filter", "sales"), ("source", "shop")):
        assert f"{name!r} is removed" in shop(kind, "rm", name).stdout
        assert f"There is no {kind} yet" in shop(kind, "ls").stdout
        assert f"there is no {kind} {name!r}" in shop(kind, "show", name, code=1).stderr
        assert f"there is no {kind} {name!r}" in shop(kind, "rm", name, code=1).stderr


def test_what_is_needed_is_not_removed(shop: Run) -> None:
    assert "filter 'sales' needs source 'shop'" in shop("source", "rm", "shop", code=1).stderr
    assert "endpoint 'worst' needs filter 'sales'" in shop("filter", "rm", "sales", code=1).stderr


def test_a_password_is_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggflow.workspace import open_workspace

    with open_workspace() as ws:
        from aggflow.spec.source import Source

        ws._declarations._put("source", Source("secret", "postgresql://me:hush@nowhere/db", "at"), {})
    assert "hush" not in run("source", "show", "secret").stdout
    assert "hush" not in run("source", "ls").stdout


def test_every_option_of_a_source_is_kept(run: Run, sold: Path) -> None:
    run(
        *("source", "add", "shop", sold, "--time", "at", "--ingestion-time", "at", "--lateness", "2h"),
        *("--time-zone", "Europe/Zurich", "--description", "sales"),
    )
    text = run("source", "show", "shop").stdout
    for line in ("ingestion_time: at", "lateness: 2h", "time_zone: Europe/Zurich", "description: sales"):
        assert line in text


def test_every_option_of_a_filter_is_kept(shop: Run) -> None:
    shop(
        *("filter", "add", "all", "--source", "shop", "--interval", "1d", "--where", "@.price >= 10"),
        *(
            "--by",
            "what=@.kind",
            "--by",
            "shop",
            "--agg",
            "n",
            "--agg",
            "dear=price:avg,percentiles where @.price > 30",
        ),
        *("--sketch-by", "dear=shop", "--time-zone", "Europe/Zurich", "--description", "dear ones"),
    )
    text = shop("filter", "show", "all").stdout
    for line in (
        *(
            "interval: 1d",
            "where: '@.price >= 10'",
            "path: '@.kind'",
            "alias: what",
            "- AVG",
            "- PERCENTILES",
        ),
        *("where: '@.price > 30'", "sketch_groupings:", "time_zone: Europe/Zurich", "description: dear ones"),
    ):
        assert line in text


def test_every_option_of_an_endpoint_is_kept(shop: Run) -> None:
    shop(
        *(
            "endpoint",
            "add",
            "points",
            "--filter",
            "sales",
            "--series",
            "2d",
            "--every",
            "6h",
            "--offset",
            "1h",
        ),
        *("--incomplete", "--fill", "zero", "--fix", "kind=k1,null", "--ask", "shop", "--hide", "kind"),
        *("--field", "n=price:count", "--sort", "n:desc", "--sort", "dt", "--limit", "9", "--per", "shop=2"),
        *("--description", "points"),
    )
    text = shop("endpoint", "show", "points").stdout
    for line in (
        *(
            "kind: time_series",
            "duration: 2d",
            "interval: 6h",
            "offset: 1h",
            "include_incomplete: true",
            "fill: zero",
        ),
        *(
            "- k1",
            "- null",
            "returned: false",
            "kind: query_time",
            "by: n",
            "direction: desc",
            "by: dt",
            "limit: 9",
        ),
        *("- - shop", "description: points"),
    ):
        assert line in text


def test_a_dry_run_shows_effects_and_changes_nothing(shop: Run) -> None:
    lesser = [*SALES[:-1], "price=price:COUNT", "--dry-run"]
    text = shop(*lesser).stdout
    assert "Nothing was changed: filter 'sales' would be changed" in text
    assert "endpoint 'worst': 'p50' will be null" in text
    assert "PERCENTILES" in shop("filter", "show", "sales").stdout
    assert "no endpoint would notice" in shop(*SALES, "--dry-run").stdout


def test_a_change_shows_its_effects(shop: Run) -> None:
    text = shop(*SALES[:-1], "price=price:COUNT").stdout
    assert "Filter 'sales' is changed" in text
    assert "'p50' will be null" in text


def test_a_change_that_takes_the_last_field_is_refused(shop: Run) -> None:
    assert "last valid field" in shop(*SALES[:-1], "price=price:AVG", code=1).stderr


def test_a_change_keeps_history_and_a_rebuild_does_not(built: Run) -> None:
    changed = (*SALES, "--where", "@.price > 10")
    built(*changed)
    assert "2 forms" in built("status").stdout
    built(*changed, "--rebuild")
    assert "forms" not in built("status").stdout
    assert "nothing is built yet: aggflow build sales" in built("status").stdout


def test_a_build_says_what_it_did(shop: Run) -> None:
    text = shop("build", "sales", "--until", "2024-03-02").stdout
    assert re.search(r"Built sales: 1 window, 144 source rows -> \d+ cells, .+ kB, in", text)
    assert "Nothing is missing of sales" in shop("build", "sales", "--until", "2024-03-02").stdout
    assert "432 source rows" in shop("build", "sales").stdout
    assert "576 source rows" in shop("build", "sales", "--full").stdout


def test_a_quiet_build_says_nothing_but_errors(shop: Run) -> None:
    assert shop("build", "sales", "--quiet").output == ""
    result = shop("build", "sale", "--quiet", code=1)
    assert result.stdout == ""
    assert result.stderr == "error: there is no filter 'sale'\nhint: did you mean 'sales'?\n"


def test_rows_without_a_time_are_told(run: Run, sold: Path) -> None:
    table = pq.read_table(sold)
    times = pa.array(
        [None if i < 5 else t for i, t in enumerate(table["at"].to_pylist())], pa.timestamp("us", "UTC")
    )
    pq.write_table(table.set_column(0, "at", times), sold)
    run("source", "add", "shop", sold, "--time", "at")
    run(*SALES)
    assert "5 source rows without a time" in run("build", "sales").stdout


def test_an_answer_is_a_table(built: Run) -> None:
    lines = built("query", "worst", "--end", END).stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith((" north", " south"))]
    assert [[shop, sold] for shop, _, sold in rows] == [["north", "384"], ["south", "192"]]
    for shop, p50, _ in rows:
        prices = sorted(i % 50 for i in range(4 * 24 * 6) if (i % 3 == 0) == (shop == "south"))
        # Percentiles are right to 0.5 %, and shown with two digits.
        assert float(p50) == pytest.approx(prices[len(prices) // 2 - 1], rel=0.006)
    assert any(re.match(r"2 rows · from filter sales · \d+ cells", line) for line in lines)


def test_a_long_table_is_cut_and_says_so(built: Run) -> None:
    text = built("query", "worst", "--end", END, "--rows", "1").stdout
    assert "south" not in text
    assert "1 of 2 rows" in text
    assert "--rows 0 shows all" in text
    assert "south" in built("query", "worst", "--end", END, "--rows", "0").stdout


def test_json_is_the_answer_of_the_api(built: Run) -> None:
    rows = json.loads(built("query", "worst", "--end", END, "--json").stdout)
    assert [row["groupings"] for row in rows] == [{"shop": "north"}, {"shop": "south"}]
    assert [row["fields"]["sold"] for row in rows] == [384, 192]
    assert list(rows[0]) == ["groupings", "fields"]


def test_csv_is_the_answer_s(built: Run) -> None:
    text = built("query", "worst", "--end", END, "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["shop"], row["sold"]) for row in rows] == [("north", "384"), ("south", "192")]


@pytest.mark.parametrize(
    ("ending", "magic"), [("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>"), ("svg", b"<svg")]
)
def test_a_chart_is_drawn(built: Run, tmp_path: Path, ending: str, magic: bytes) -> None:
    file = tmp_path / f"worst.{ending}"
    assert f"Drawn to {file}" in built("query", "worst", "--end", END, "--chart", file).stdout
    assert file.read_bytes().lstrip().lower().startswith(magic.lower())


def test_an_ending_that_is_no_chart_is_an_error(built: Run, tmp_path: Path) -> None:
    assert "'.xls'" in built("query", "worst", "--end", END, "--chart", tmp_path / "a.xls", code=1).stderr
    assert (
        "cannot be written" in built("query", "worst", "--chart", tmp_path / "no" / "a.json", code=1).stderr
    )


def test_only_one_form_is_asked_for(built: Run) -> None:
    assert "choose one of them" in built("query", "worst", "--json", "--csv", code=2).stderr


def test_values_are_given_when_it_is_asked(built: Run) -> None:
    built(
        *("endpoint", "add", "asked", "--filter", "sales", "--lookback", "4d", "--ask", "kind"),
        *("--field", "n=price:COUNT"),
    )
    counts = {
        kinds: [
            (row["groupings"]["kind"], row["fields"]["n"])
            for row in json.loads(
                built("query", "asked", "--end", END, "--filter", f"kind={kinds}", "--json").stdout
            )
        ]
        for kinds in ("k0", "k0,null", "none")
    }
    missing = sum(1 for i in range(576) if i % 7 == 0)
    k0 = sum(1 for i in range(576) if i % 7 and i % 2 == 0)
    assert counts["k0"] == [("k0", k0)]
    assert sorted(counts["k0,null"], key=str) == sorted([("k0", k0), (None, missing)], key=str)
    assert counts["none"] == []
    assert "kind" in built("query", "asked", code=1).stderr
    assert "shop" in built("query", "asked", "--filter", "kind=k0", "--filter", "shop=north", code=1).stderr


def test_an_answer_is_explained(built: Run) -> None:
    text = built("explain", "worst", "--end", END).stdout
    assert "Answered from filter sales" in text
    assert re.search(r"hit +filter sales", text)
    assert re.search(r"stored +2024-03-01 00:00 +2024-03-05 00:00", text)
    assert "live" not in text


def test_a_live_part_is_explained_and_can_be_refused(shop: Run) -> None:
    shop("build", "sales", "--until", "2024-03-03")
    text = shop("explain", "worst", "--end", END).stdout
    assert re.search(r"live +2024-03-03 00:00 +2024-03-05 00:00", text)
    assert "288 source rows" in text
    assert "--sql shows them" in text
    assert "SELECT" in shop("explain", "worst", "--end", END, "--sql").stdout
    assert "2024-03-03" in shop("query", "worst", "--end", END, "--stored", code=1).stderr


def bar_of(text: str) -> str:
    return next(line.strip() for line in text.splitlines() if set(line.strip()) & set("█·▁▂▃▄▅▆▇"))


def test_the_status_draws_what_is_built(shop: Run) -> None:
    assert "Workspace self: 1 source, 1 filter, 1 endpoint" in shop("status").stdout
    shop("build", "sales", "--until", "2024-03-05")
    text = shop("status").stdout
    assert set(bar_of(text)) == {"█"}
    assert re.search(r"2024-03-01 00:00 +2024-03-05 00:00", text)
    assert "built until 2024-03-05 00:00 UTC" in text
    assert re.search(r"sales +incremental +done +(just now|.* ago) .* 576 ", text)


def test_the_status_draws_gaps(built: Run, home: Path) -> None:
    from aggflow.timeline import Window, parse_instant
    from aggflow.workspace import open_workspace

    with open_workspace(home) as ws:
        (rollup,) = ws._catalog.rollups(ws._id)
        gap = Window(parse_instant("2024-03-02"), parse_instant("2024-03-03"))
        ws._catalog.drop_window(rollup.id, 1, gap, 0)
    text = built("status").stdout
    bar = bar_of(text)
    assert bar.startswith("█")
    assert bar.endswith("█")
    assert abs(bar.count("·") / len(bar) - 0.25) < 0.03
    assert "with 1 gap" in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_status_fits_its_terminal(built: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = built("status", "--builds", "0").stdout.splitlines()
    assert max(len(line) for line in lines if set(line) & set("█·")) <= width


def test_a_failed_build_is_in_the_status(changing: Run, sold: Path) -> None:
    sold.unlink()
    assert "error: " in changing("build", "sales", "--full", code=1).stderr
    assert re.search(r"sales +full +error: ", changing("status").stdout)


def test_states_agree_with_their_source(built: Run) -> None:
    assert "sales agrees with its source: " in built("verify", "sales").stdout
    assert built("verify", "sales", "--quiet").output == ""


def test_states_that_differ_are_found_and_made_missing(changing: Run, sold: Path) -> None:
    table = pq.read_table(sold)
    pq.write_table(table.slice(0, table.num_rows - 100), sold)
    result = changing("verify", "sales", "--fix", code=1)
    assert re.search(
        r"2024-03-04 \d\d:00 +2024-03-0\d \d\d:00 +(1 row is|\d rows are) stored, the source has 0",
        result.stdout,
    )
    assert re.search(r"error: \d of \d+ buckets of sales differ from the source", result.stderr)
    assert "aggflow build sales" in result.stderr
    assert re.search(r"Built sales: 1 window, ", changing("build", "sales").stdout)


def test_nothing_is_verified_of_nothing(shop: Run) -> None:
    assert "Nothing is built of sales" in shop("verify", "sales").stdout


def test_a_damaged_segment_is_found_and_made_anew(built: Run, home: Path) -> None:
    assert "All is well: 1 segment read" in built("doctor").stdout
    before = built("query", "worst", "--end", END, "--json").stdout
    (segment,) = (home / "segments").rglob("*.parquet")
    data = bytearray(segment.read_bytes())
    data[40] ^= 0xFF
    segment.write_bytes(data)
    assert "damaged" in built("query", "worst", "--end", END, code=1).stderr
    result = built("doctor", code=1)
    assert "damaged" in result.stdout
    assert "doctor --fix" in result.stderr
    assert "1 window made missing" in built("doctor", "--fix").stdout
    built("build", "sales")
    assert built("query", "worst", "--end", END, "--json").stdout == before


def test_a_missing_segment_is_found(built: Run, home: Path) -> None:
    (segment,) = (home / "segments").rglob("*.parquet")
    segment.unlink()
    assert "is not there" in built("doctor", code=1).stdout
    assert "sales" in built("status").stdout


def test_what_is_exported_can_be_applied(shop: Run, tmp_path: Path) -> None:
    text = shop("export").stdout
    assert "Written to" in shop("export", tmp_path / "all.yaml").stdout
    assert (tmp_path / "all.yaml").read_text() == text
    assert (
        "Applied 1 source, 1 filter, 1 endpoint"
        in shop("apply", tmp_path / "all.yaml", "--home", "second").stdout
    )
    assert shop("export", "--home", "second").stdout == text
    assert shop("apply", tmp_path / "all.yaml", "--quiet").output == ""


def test_a_place_that_cannot_be_written_is_an_error(shop: Run, tmp_path: Path) -> None:
    assert "cannot be written" in shop("export", tmp_path / "no" / "all.yaml", code=1).stderr


def bad(text: str, *args: str) -> object:
    return pytest.param(args, text, id=" ".join(args)[:60])


NEW = ("filter", "add", "new", "--source", "shop", "--interval")
ASK = ("endpoint", "add", "new", "--filter", "sales", "--field", "n=price:COUNT")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        bad("there is no filter 'sale'\nhint: did you mean 'sales'?", "build", "sale"),
        bad("there is no endpoint 'wurst'\nhint: did you mean 'worst'?", "query", "wurst"),
        bad("there is no endpoint", "explain", "nothing"),
        bad("there is no filter", "verify", "nothing"),
        bad("there is no source 'shap'", "filter", "add", "x", "--source", "shap", "--interval", "1h"),
        bad("7 minutes", *NEW, "7 minutes"),
        bad("no column 'colour'", *NEW, "1h", "--by", "colour"),
        bad("did you mean 'MIN'", *NEW, "1h", "--agg", "p=price:MIM"),
        bad("AVG needs a field", *NEW, "1h", "--agg", "p:AVG"),
        bad("kind", *NEW, "1h", "--agg", "p=kind:PERCENTILES"),
        bad("^", *NEW, "1h", "--where", "@.price >> 10"),
        bad("Europe/Zurych", *NEW, "1h", "--time-zone", "Europe/Zurych"),
        bad("no grouping 'shap'", *ASK, "--lookback", "4d", "--group", "shap"),
        bad("is shorter than the filter's interval", *ASK, "--lookback", "5m"),
        bad("whole multiple", *ASK, "--series", "2d", "--every", "90m"),
        bad("not returned", *ASK, "--lookback", "4d", "--sort", "shop"),
        bad("has no aggregation 'prize'", *ASK[:-1], "n=prize:COUNT", "--lookback", "4d"),
        bad("needs a percentile", *ASK[:-1], "n=price:PERCENTILES", "--lookback", "4d"),
        bad("not-a-time", "query", "worst", "--end", "not-a-time"),
        bad("not-a-time", "build", "sales", "--until", "not-a-time"),
        bad("takes no", "query", "worst", "--filter", "shop=north"),
        bad("nowhere.yaml", "apply", "nowhere.yaml"),
        bad("no file matches", "source", "add", "x", "nowhere.parquet", "--time", "at"),
        bad("no column 'att'", "source", "add", "x", "sold.parquet", "--time", "att"),
        bad("column 'shop' is string", "source", "add", "x", "sold.parquet", "--time", "shop"),
    ],
)
def test_a_mistake_is_a_sentence_and_code_1(built: Run, args: Sequence[str], text: str) -> None:
    result = built(*args, code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert text in result.stderr


@pytest.mark.parametrize(
    ("args", "text"),
    [
        bad("No such command 'biuld'", "biuld"),
        bad("Missing argument 'NAME'", "build"),
        bad("Missing option '--time'", "source", "add", "x", "sold.parquet"),
        bad("No such option", "status", "--color"),
        bad("give one of them", *ASK),
        bad("give one of them", *ASK, "--lookback", "4d", "--series", "4d"),
        bad("only a series has points", *ASK, "--lookback", "4d", "--every", "1h"),
        bad("NAME=AGGREGATION:CALCULATION", *ASK[:-1], "count", "--lookback", "4d"),
        bad("is named twice", *ASK, "--lookback", "4d", "--group", "shop", "--ask", "shop"),
        bad("stands in no --fix and no --ask", *ASK, "--lookback", "4d", "--hide", "shop"),
        bad("GROUPING=VALUE,VALUE", *ASK, "--lookback", "4d", "--fix", "shop"),
        bad("GROUPING=COUNT", *ASK, "--lookback", "4d", "--per", "shop=many"),
        bad("NAME:desc", *ASK, "--lookback", "4d", "--sort", "n:down"),
        bad("GROUPING=VALUE,VALUE", "query", "worst", "--filter", "north"),
        bad("Invalid value for '--sample'", "verify", "sales", "--sample", "0"),
    ],
)
def test_a_wrong_command_line_is_code_2(shop: Run, args: Sequence[str], text: str) -> None:
    result = shop(*args, code=2)
    assert result.stdout == ""
    assert text in re.sub(r"[\s│]+", " ", result.stderr)


def test_a_caret_stands_under_its_place(shop: Run) -> None:
    text = shop(*NEW, "1h", "--where", "@.price > > 10", code=1).stderr.splitlines()
    drawn = next(i for i, line in enumerate(text) if line.strip() == "^")
    assert text[drawn - 1][text[drawn].index("^") :].startswith("> 10")


def test_a_damaged_catalog_is_an_error(built: Run, home: Path) -> None:
    (home / "catalog.db").write_bytes(b"no database at all" * 1000)
    for name in ("catalog.db-wal", "catalog.db-shm"):
        (home / name).unlink(missing_ok=True)
    assert "error: " in built("status", code=1).stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are others there")
def test_an_interrupted_build_ends_with_code_130(shop: Run, home: Path) -> None:
    from aggflow.catalog import Catalog
    from aggflow.timeline import ALWAYS

    # A build of the same windows is under way: this one waits for it until it is interrupted.
    catalog = Catalog.open(str(home / "catalog.db"))
    workspace = catalog.workspace("self")
    (rollup,) = catalog.rollups(workspace.id)
    lease = catalog.acquire_lease(rollup.id, ALWAYS, "a test", time.time_ns() // 1000, ttl=600)
    assert lease is not None
    command = [sys.executable, "-m", "aggflow", "build", "sales", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        awaited("the build", lambda: catalog.builds(workspace.id, status="running", limit=1))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    catalog.close()
    assert process.returncode == 130
    assert said == "interrupted; what was committed stays\n"


def test_an_endpoint_asks_a_task_or_a_cube_too(shop: Run) -> None:
    linq = "from shop group every 1h by shop select avg(price) as mean, sum(price) / count() as pace"
    shop("task", "add", "hourly", linq, "--from", "0")
    added = ("endpoint", "add", "paces", "--lookback", "1d", "--field", "mean=mean:AVG", "--field", "p=pace")
    assert "'paces' is added" in shop(*added, "--task", "hourly", "--group", "shop").stdout
    assert re.search(r"paces +task hourly +lookback +1d +mean, p", shop("endpoint", "ls").stdout)
    assert "task: hourly" in shop("endpoint", "show", "paces").stdout
    rows = json.loads(shop("query", "paces", "--end", "2024-03-04", "--json").stdout)
    assert [list(row["fields"]) for row in rows] == [["mean", "p"]] * 2
    less = shop("task", "update", "hourly", "--linq", linq.partition(", ")[0])
    assert "endpoint 'paces': 'p' will be null" in less.stdout
    assert "endpoint 'paces' needs task 'hourly'" in shop("task", "rm", "hourly", code=1).stderr
    assert "an endpoint asks one thing" in shop(*added, "--task", "hourly", "--cube", "c", code=1).stderr
    assert "filter: is required (or a task, or a cube)" in shop(*added, code=1).stderr
