"""Magics in an IPython of their own: what they show, keep and say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import aggflow as af
from aggflow.charts.renderer import MIME

Aggregation: Any = af.Aggregation


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    file = tmp_path / "shop.ddb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            "CREATE TABLE sales AS SELECT TIMESTAMP '2025-01-01' + INTERVAL (i) MINUTE AS at,"
            " 'team ' || i % 3 AS team, i * 1.5 AS value FROM range(3000) r(i)"
        )
    with af.open(tmp_path / "home") as ws:
        ws.add_source("sales", f"duckdb://{file}", table="sales", time="at")
        kept = [Aggregation("value", field="value", calculations=["COUNT", "AVG"])]
        ws.add_filter("hourly", source="sales", interval="1h", groupings=["team"], aggregations=kept)
        ws.build("hourly", progress=False)
        yield ws


@pytest.fixture
def shell(ws: af.Workspace) -> Iterator[Any]:
    InteractiveShell.clear_instance()
    shell: Any = InteractiveShell.instance()  # what display() shows itself in
    shell.user_ns["ws"] = ws
    assert shell.run_cell("%load_ext aggflow").success
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def run(shell: Any, cell: str) -> tuple[Any, Any]:
    """What a cell gave, and what it showed."""
    with capture_output() as shown:
        result = shell.run_cell(cell)
    return result, shown


def said(shell: Any, cell: str) -> str:
    """What a cell says that cannot be run; nothing of the program around it."""
    result, shown = run(shell, cell)
    assert not result.success
    text = shown.stdout + shown.stderr
    assert "Traceback" not in text
    assert ".py" not in text
    return text


def test_a_cell_of_linq_gives_a_frame(shell: Any) -> None:
    result, shown = run(shell, "%%linq\nfrom sales\ngroup by team\nselect count() as n")
    frame = result.result
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == {"team": ["team 0", "team 1", "team 2"], "n": [1000, 1000, 1000]}
    assert shown.outputs == []


def test_a_frame_is_kept_in_a_variable_and_not_shown(shell: Any) -> None:
    result, _ = run(shell, "%%linq --into sold --end 2025-01-02\nfrom sales group select count() as n")
    assert result.result is None
    assert shell.user_ns["sold"]["n"].tolist() == [1440]


def test_a_chart_and_the_explanation_are_shown_if_they_are_wanted(shell: Any) -> None:
    cell = "%%linq --chart --theme dark --explain --into sold\nfrom sales group every 1h select count() as n"
    _, shown = run(shell, cell)
    chart, explanation = shown.outputs
    spec = chart.data[MIME]
    assert spec["$schema"].endswith("/vega-lite/v5.json")
    assert spec["config"]["background"] == "#14171f"
    assert "filter hourly" in explanation.data["text/plain"]


def test_time_zone_and_start_are_taken(shell: Any) -> None:
    cell = "%%linq --time-zone Asia/Tokyo --start 2025-01-01T15:00:00Z\nfrom sales group every 1d select count() as n"
    result, _ = run(shell, cell)
    assert result.result["dt"].dt.hour.tolist() == [15, 15]


def test_what_cannot_be_read_is_shown_with_a_caret(shell: Any) -> None:
    lines = said(shell, "%%linq\nfrom sales\ngroup evry 1h").splitlines()
    assert "ParseError" in lines[0]
    assert "line 2, column 7" in lines[0]
    assert lines[1] == "    group evry 1h"
    assert lines[2].index("^") == lines[1].index("evry")


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%%linq\nfrom sles group by team", "did you mean 'sales'?"),
        ("%%linq\n ", "there is no query in the cell"),
        ("%%linq --into a.b\nfrom sales group by team", "'a.b' is no name of a variable"),
        ("%%linq --end yesterday\nfrom sales group by team", "yesterday"),
        ("%%linq --workspace w\nfrom sales group by team", "no workspace 'w' (did you mean 'ws'?)"),
        ("%%linq --loud\nfrom sales", "unrecognized arguments: --loud"),
        ("%aggflow stats", "did you mean 'status'?"),
    ],
)
def test_mistakes_are_told_in_a_sentence(shell: Any, cell: str, sentence: str) -> None:
    assert sentence in said(shell, cell)


def test_without_a_workspace_the_first_step_is_told(shell: Any, ws: af.Workspace, tmp_path: Path) -> None:
    del shell.user_ns["ws"]
    assert 'ws = aggflow.open("shop")' in said(shell, "%%linq\nfrom sales")
    shell.user_ns["mine"] = ws
    result, _ = run(shell, "%%linq\nfrom sales group select count() as n")
    assert result.success, "the only one is meant"
    with af.open(tmp_path / "other") as other:
        shell.user_ns["other"] = other
        assert "--workspace mine" in said(shell, "%%linq\nfrom sales group select count() as n")
        result, _ = run(shell, "%%linq --workspace mine\nfrom sales group select count() as n")
        assert result.success


def test_a_mistyped_option_gets_the_nearest(shell: Any) -> None:
    text = said(shell, "%%linq --strat 2025-01-01\nfrom sales group")
    assert "unrecognized arguments: --strat" in text
    assert "did you mean '--start'?" in text
    assert "%%linq? lists the options" in said(shell, "%%linq --theme pink\nfrom sales group")


def test_the_status_is_a_table_of_rollups(shell: Any) -> None:
    result, _ = run(shell, "%aggflow status")
    assert [status.name for status in result.result] == ["hourly"]
    html = result.result._repr_html_()
    assert "2025-01-01 00:00 to 2025-01-03 02:00" in html
    assert "done" in html
    result, _ = run(shell, "%aggflow")
    assert "%%linq" in repr(result.result)


def completed(shell: Any, code: str) -> list[str]:
    with provisionalcompleter():
        found = list(shell.Completer.completions(code, len(code)))
    return [code[: one.start] + one.text for one in found]


def test_a_cell_of_linq_is_completed(shell: Any) -> None:
    cell = "%%linq --chart\nfrom sa"
    assert completed(shell, cell) == ["%%linq --chart\nfrom sales"]
    cell = "%%linq\nfrom sales group by team select avg(val"
    assert completed(shell, cell)[0] == "%%linq\nfrom sales group by team select avg(value"


def test_a_path_in_a_text_is_completed_with_columns(shell: Any) -> None:
    code = "ws.add_filter('f', source='sales', where='@.te"
    assert completed(shell, code) == ["ws.add_filter('f', source='sales', where='@.team"]
    assert completed(shell, "x = '@.") == ["x = '@.at", "x = '@.team", "x = '@.value"]


def test_python_is_completed_as_before(shell: Any) -> None:
    assert "ws.sources" in completed(shell, "ws.sourc")


def test_loading_twice_is_loading_once(shell: Any) -> None:
    before = list(shell.Completer.custom_matchers)
    assert run(shell, "%reload_ext aggflow")[0].success
    assert shell.Completer.custom_matchers == before
