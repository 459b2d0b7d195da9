"""What notebooks show of a workspace: everything is escaped, nothing secret is in it, and it is well formed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pytest

import aggflow as af
from aggflow.markup import facts, table

Aggregation: Any = af.Aggregation
Field: Any = af.Field
ODD = "<b>\"x\"&'y'"


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    file = tmp_path / "shop.ddb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            "CREATE TABLE sales AS SELECT TIMESTAMP '2025-01-01' + INTERVAL (i) HOUR AS at,"
            " '<i>team</i>' AS team, i AS value FROM range(48) r(i)"
        )
    with af.open(tmp_path / "home") as ws:
        ws.add_source(ODD, f"duckdb://{file}", table="sales", time="at", description=ODD)
        kept = [Aggregation("kept", field="value", calculations=["COUNT"])]
        grouped = [af.Grouping("team", ODD)]
        ws.add_filter(ODD, source=ODD, interval="1d", groupings=grouped, aggregations=kept)
        daily = af.TimeSeries("7d", interval="1d")
        every = {ODD: af.All()}
        ws.add_endpoint(
            ODD,
            filter=ODD,
            timing=daily,
            groupings=every,
            fields=[Field("n", "kept", "COUNT")],
            description=ODD,
        )
        ws.add_cube(
            ODD, source=ODD, dimensions=[af.Dimension("team", "team")], measures=kept, aggregates=None
        )
        ws.add_schedule(ODD, "0 25 06 ? * *")
        ws.create_token(ODD, owner="a@b.example", permissions=["admin"])
        yield ws


def shown(value: Any) -> str:
    """What is shown, after it was read as a browser would that forgives nothing."""
    html: str = value._repr_html_()
    ET.fromstring(f"<div>{html.replace('<br>', '<br/>')}</div>")  # noqa: S314 - made here
    assert "<b>&quot;" not in html
    assert ODD not in html
    assert "<i>team" not in html
    return html


def test_everything_of_a_workspace_is_shown_escaped(ws: af.Workspace) -> None:
    report, batch = ws.build(ODD, until="2026-01-01", progress=False), ws.build_cube(ODD, progress=False)
    assert "rows read" in shown(report)
    assert "Nothing to build" in shown(ws.build(ODD, until="2025-01-03", progress=False))
    assert "cells written" in shown(batch)
    assert "incremental build, done" in shown(next(iter(ws.builds.values())))
    assert "&lt;i&gt;team&lt;/i&gt;" in shown(ws.query(ODD, end="2025-01-03"))
    assert "2025-01-01 00:00 to 2025-01-03 00:00" in shown(ws.status())
    for name in ("sources", "filters", "endpoints", "cubes", "schedules", "builds", "batches", "tokens"):
        kind = getattr(ws, name)
        assert "<table" in shown(kind), name
        first = next(iter(kind.values()))
        if hasattr(first, "_repr_html_"):
            assert shown(first), name
    assert "&lt;b&gt;" in shown(ws)


def test_secrets_are_not_shown(ws: af.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = ws.create_token("me", owner="a@b.example", permissions=["admin"])
    file = tmp_path / "shop.ddb"
    ws.add_source("guarded", f"duckdb://{file}?motherduck_token=s3cret", table="sales", time="at")
    texts = [shown(one) + repr(one) for one in (ws, ws.sources, ws.sources["guarded"], ws.tokens, ws.builds)]
    for text in texts:
        assert "s3cret" not in text
        assert secret not in text


def test_numbers_stand_under_one_another() -> None:
    html = table(["name", "n"], [["a", "1"]], numeric=["n"], caption="c", hint="h")
    root = ET.fromstring(html.replace("<br>", "<br/>"))  # noqa: S314 - made here
    cells = [cell.get("style", "") for cell in root.iter("td")]
    assert ["right" in style for style in cells] == [False, True]
    assert "c<br>h" in html


def test_facts_that_are_empty_are_left_out() -> None:
    assert "error" not in facts("a build", {"rows": "1", "error": ""})
