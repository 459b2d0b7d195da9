"""Whole answers from each backend: built or live, they are those of brute force."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from events import Loaded, Row, instant, micros
from expected import Asked, close, finished, values

import aggflow as af
from aggflow.catalog import Catalog
from aggflow.settings import Settings
from aggflow.store import SegmentStore
from aggflow.workspace import Workspace

# Declarations take the texts of calculations and intervals, which type checkers do not know.
Aggregation: Any = af.Aggregation
Field: Any = af.Field
Lookback: Any = af.Lookback

START, NOW = instant("2024-02-01T00:00:00"), instant("2025-01-01T00:00:00")
CALCULATIONS = ("COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV", "FIRST", "LAST")
PERCENTILES = ("0.5", "0.95", "0.999")


def percentile(there: list[Any], q: str) -> float:
    """The value at rank ceil(q n)."""
    return sorted(there)[max(1, math.ceil(float(q) * len(there) - 1e-9)) - 1]


@pytest.fixture
def ws(loaded: Loaded, tmp_path: Path) -> Any:
    made = Workspace(
        Catalog.open(tmp_path / "catalog.db"),
        SegmentStore(str(tmp_path / "segments")),
        Settings.model_validate({"live_ttl": 0}),
        "self",
        str(tmp_path),
        clock=lambda: micros(NOW),
    )
    source = loaded.source
    made.add_source("events", source.url, table=source.table, time="happened", json="doc")
    aggregation = Aggregation("amount", "amount", (*CALCULATIONS, "PERCENTILES"), where="@.units >= 0")
    names = Aggregation("names", "@.user.name", ["APPROX_COUNT_DISTINCT", "LAST"])
    made.add_filter(
        "f", source="events", interval="1h", where="@.flag == true || @.kind == 'a'", groupings=["kind"],
        aggregations=[aggregation, names],
    )  # fmt: skip
    fields = [Field(name, "amount", name) for name in CALCULATIONS]
    fields += [Field("p" + q[2:], "amount", "PERCENTILES", percentile=float(q)) for q in PERCENTILES]
    fields += [Field("names", "names", "APPROX_COUNT_DISTINCT"), Field("last_name", "names", "LAST")]
    made.add_endpoint("total", filter="f", timing=Lookback("335d"), fields=fields)
    yield made
    made.close()


@pytest.mark.parametrize("built", ["not at all", "partly", "whole"])
def test_answers_do_not_depend_on_the_backend_or_on_what_is_built(
    loaded: Loaded, ws: Workspace, built: str
) -> None:
    if built != "not at all":
        report = ws.build("f", until="2024-10-27T02:00:00Z" if built == "partly" else None, progress=False)
        assert report.null_times == sum(r["happened"] is None and where(r) for r in loaded.rows)
    (row,) = ws.query("total", live=built != "whole").rows
    kept = [
        {**r, "time": r["happened"]}
        for r in loaded.rows
        if r["happened"] and START <= r["happened"] < NOW and where(r)
    ]
    asked = Asked(lambda r: r["amount"], lambda r: r["units"] is not None and r["units"] >= 0)
    found = row["fields"]
    for name in CALCULATIONS:
        assert close(found[name], finished(kept, asked, name)), name
    for q in PERCENTILES:
        assert found["p" + q[2:]] == pytest.approx(percentile(values(kept, asked), q), rel=0.005)
    called = Asked(name_of)
    assert found["names"] == finished(kept, called, "APPROX_COUNT_DISTINCT")
    assert found["last_name"] == finished(kept, called, "LAST")


def where(row: Row) -> bool:
    return bool(row["flag"]) or row["kind"] == "a"


def name_of(row: Row) -> Any:

    try:
        document = json.loads(row["doc"] or "null")
    except ValueError:
        return None
    user = document.get("user") if isinstance(document, dict) else None
    return user.get("name") if isinstance(user, dict) else None
