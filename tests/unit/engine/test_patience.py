from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aggflow as af
from aggflow.catalog import Catalog
from aggflow.engine.patience import Patience
from aggflow.errors import (
    CatalogBusyError,
    CatalogUnavailableError,
    LeaseLostError,
    StoreUnavailableError,
)
from aggflow.store import SegmentStore, collect_garbage
from aggflow.timeline import FOREVER


class Time:
    """A clock that moves while someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def server(*answers: object) -> Any:
    rest = list(answers)

    def answer() -> object:
        one = rest.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    return answer


AWAY = CatalogUnavailableError("it is away")


def test_what_is_away_is_asked_again() -> None:
    time = Time()
    patience = Patience(30, time.sleep, lambda: time.now)
    assert patience.ask(server(AWAY, StoreUnavailableError("so is it"), AWAY, 7)) == 7
    assert time.slept == [0.1, 0.2, 0.4]


def test_after_a_first_failure_the_second_question_is_asked() -> None:
    time = Time()
    patience = Patience(30, time.sleep, lambda: time.now)
    assert patience.ask(server(AWAY), server(AWAY, "again")) == "again"


def test_patience_ends() -> None:
    time = Time()
    patience = Patience(3, time.sleep, lambda: time.now)
    with pytest.raises(CatalogUnavailableError):
        patience.ask(server(*[AWAY] * 100))
    assert time.now == pytest.approx(3)


@pytest.mark.parametrize("error", [LeaseLostError("gone"), CatalogBusyError("locked")])
def test_an_answer_is_an_answer(error: Exception) -> None:
    time = Time()
    with pytest.raises(type(error)):
        Patience(30, time.sleep, lambda: time.now).ask(server(error))
    assert time.slept == []


@pytest.mark.parametrize("landed", [False, True])
def test_a_commit_whose_answer_is_lost_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    """A file that is live is never garbage, whether the lost transaction was carried out or not."""
    pq.write_table(pa.table({"at": pa.array([0, 1, 2], pa.timestamp("s"))}), tmp_path / "e.parquet")
    replace = Catalog.replace_window
    calls: list[int] = []

    def cut_off(catalog: Catalog, *args: Any, **options: Any) -> int:
        calls.append(1)
        if len(calls) > 1 or landed:
            generation = replace(catalog, *args, **options)
            if len(calls) > 1:
                return generation
        raise AWAY

    monkeypatch.setattr(Catalog, "replace_window", cut_off)
    with af.open(tmp_path / "home") as ws:
        ws.add_source("e", str(tmp_path / "e.parquet"), time="at")
        ws.add_filter("f", source="e", interval="1h")
        ws.build("f", progress=False)
        assert len(calls) == (1 if landed else 2)
        catalog, store = ws._catalog, ws._store
        assert isinstance(store, SegmentStore)
        assert catalog.garbage(FOREVER) == ()
        collect_garbage(catalog, store, grace=0, now_us=FOREVER)
        assert {stored.file for stored in store.files()} == catalog.live_files()
        assert ws.verify("f").agrees
