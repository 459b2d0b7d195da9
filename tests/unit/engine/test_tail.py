"""Live tails: computed once for all, kept for a while, computed ahead while they are asked for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from aggflow.engine.tail import Tails
from aggflow.errors import SourceError

TTL = 2.0


class Source:
    """Gives numbered reads, held back while it is told so."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_away = False
        self.may_go = threading.Event()
        self.may_go.set()
        self.done = threading.Semaphore(0)

    def compute(self) -> Any:
        self.reads += 1
        number = self.reads
        try:
            assert self.may_go.wait(30)
            if self.is_away:
                raise SourceError("away")
            return number, "layout"
        finally:
            self.done.release()


@pytest.fixture
def source() -> Source:
    return Source()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def got(tails: Tails, source: Source) -> Any:
    return tails.get(("key",), source.compute)[0].read


def test_a_tail_is_kept_for_its_time(source: Source) -> None:
    clock = Clock()
    tails = Tails(TTL, clock)
    assert tails.at_hand(("key",), source.compute) is None
    assert [got(tails, source), got(tails, source)] == [1, 1]
    clock.now = TTL
    assert got(tails, source) == 2


def test_without_a_time_it_is_computed_anew(source: Source) -> None:
    tails = Tails(0)
    assert [got(tails, source), got(tails, source)] == [1, 2]


def test_it_is_computed_ahead_while_it_is_asked_for_and_nobody_waits(source: Source) -> None:
    clock = Clock()
    tails = Tails(TTL, clock)
    got(tails, source)
    assert source.done.acquire(timeout=30)
    source.may_go.clear()
    clock.now = 0.6 * TTL
    # Whoever asks while it is computed gets the one that is there.
    assert [got(tails, source), got(tails, source)] == [1, 1]
    assert tails.at_hand(("key",), source.compute) == (tails.get(("key",), source.compute)[0], clock.now)
    source.may_go.set()
    assert source.done.acquire(timeout=30)
    tails.close()
    assert (got(tails, source), source.reads) == (2, 2)


def test_a_source_that_is_away_is_told_when_the_tail_has_ended(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    clock = Clock()
    tails = Tails(TTL, clock)
    got(tails, source)
    source.is_away, clock.now = True, 0.6 * TTL
    assert got(tails, source) == 1
    tails.close()
    assert "not computed ahead: away" in caplog.text
    clock.now = TTL
    with pytest.raises(SourceError):
        got(tails, source)


def test_one_that_was_begun_earlier_and_ends_later_is_not_kept(source: Source) -> None:
    clock = Clock()
    tails = Tails(TTL, clock)
    got(tails, source)
    assert source.done.acquire(timeout=30)
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> Any:
        begun.set()
        assert may_end.wait(30)
        return "older", "layout"

    clock.now = 0.6 * TTL
    assert tails.get(("key",), slow)[0].read == 1  # it is computed ahead from now on
    assert begun.wait(30)
    clock.now = TTL
    assert got(tails, source) == 2
    may_end.set()
    tails.close()
    assert got(tails, source) == 2


def test_of_a_source_that_is_away_nothing_is_left(source: Source) -> None:
    tails = Tails(TTL, Clock())
    source.is_away = True
    for number in range(3):
        with pytest.raises(SourceError):
            tails.get((number,), source.compute)
    assert not tails._computing
