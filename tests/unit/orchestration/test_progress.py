"""How far a build is, told to Prefect's UI: not too often, and never at the cost of the build."""

from __future__ import annotations

from threading import Event
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from aggflow.engine.progress import Progress
from aggflow.errors import CancelledError
from aggflow.orchestration.progress import ProgressArtifact


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the UI was told, in per cent."""
    found: list[float] = []

    def create(progress: float, **_: Any) -> UUID:
        found.append(progress)
        return uuid4()

    def update(_: UUID, progress: float, **__: Any) -> None:
        found.append(progress)

    monkeypatch.setattr("prefect.artifacts.create_progress_artifact", create)
    monkeypatch.setattr("prefect.artifacts.update_progress_artifact", update)
    return found


def at(windows: int, rows: int = 0, seconds: float = 0.0) -> Progress:
    return Progress("filter all", windows, 4, rows, 1000, seconds)


def test_it_is_told_by_rows_at_most_once_a_second_and_at_the_end(told: list[float]) -> None:
    show = ProgressArtifact("filter all")
    for windows, rows in ((0, 0), (1, 250), (2, 500), (3, 750), (4, 990)):
        show(at(windows, rows))
    assert told == [0, 100]


def test_without_rows_it_is_told_by_windows(told: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggflow.orchestration.progress._SECONDS", 0)
    show = ProgressArtifact("filter all")
    for windows in range(5):
        show(Progress("filter all", windows, 4, 0, 0, 0.0))
    assert told == [0, 25, 50, 75, 100]


def test_a_short_build_needs_no_bar(told: list[float]) -> None:
    show = ProgressArtifact("filter all", patience=2)
    show(at(0))
    show(at(4, 1000, 1.0))
    assert told == []
    show(at(2, 500, 2.5))
    assert told == [50]


def test_a_run_that_was_stopped_ends_its_builds(told: list[float]) -> None:
    stopped = Event()
    show = ProgressArtifact("filter all", stopped)
    show(at(0))
    stopped.set()
    with pytest.raises(CancelledError, match="the run that built filter all was stopped"):
        show(at(1))


def test_a_ui_that_is_away_keeps_no_build_from_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise httpx.ConnectError("away")

    warned: list[str] = []

    class Logger:
        def warning(self, message: str, *args: object) -> None:
            warned.append(message % args)

    monkeypatch.setattr("prefect.artifacts.create_progress_artifact", away)
    monkeypatch.setattr("prefect.get_run_logger", Logger)
    ProgressArtifact("filter all")(at(0))
    assert warned == ["The progress of filter all could not be shown: away"]
