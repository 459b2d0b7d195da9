from __future__ import annotations

from pathlib import Path

import pytest

import aggflow as af
from aggflow.engine.declarations import Declarations
from aggflow.engine.target import Target
from aggflow.errors import NotFoundError

LINQ = "from events group every 1h by g select count() as n"


def seen(target: Target) -> tuple[object, ...]:
    """All of a target but how it opens its rows."""
    return (
        target.name,
        target.rollup_id,
        target.source,
        target.rollup,
        target.owner_id,
        target.own_name,
        target.from_us,
        target.delay,
    )


def test_who_builds_one_of_many_reads_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of tasks is often a process of its own, in which ten are due of ten thousand."""
    file = tmp_path / "events.csv"
    file.write_text("at,g\n2025-01-01 00:00:00,a\n", encoding="utf-8")
    with af.open(tmp_path / "home") as ws:
        ws.add_source("events", str(file), time="at")
        for name in ("one", "two", "task one"):
            ws.add_task(name, linq=LINQ, from_date="2025-01-01", delay=60)
            ws.add_filter(name, source="events", interval="1d", groupings=["g"])
        every = ws._targets.all()
    read: list[str] = []
    all_of = Declarations.all
    monkeypatch.setattr(Declarations, "all", lambda self, kind: read.append(kind) or all_of(self, kind))
    with af.open(tmp_path / "home") as ws:
        for reference in ("task one", "task task one", "filter two"):
            assert seen(ws._targets.get(reference)) == seen(every[reference])
        assert seen(ws._targets.get("two")) == seen(every["filter two"])
        assert read == []
        ws.remove("task", "one")
        read.clear()
        assert seen(ws._targets.get("task one")) == seen(every["filter task one"])
        assert read == []
        with pytest.raises(NotFoundError, match="three"):
            ws._targets.get("task three")
