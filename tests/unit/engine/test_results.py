"""Results: kept for a while, ended by a change, computed once for all who ask at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aggflow.engine.results import Results


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_kept_until_its_time_is_over() -> None:
    clock = Clock()
    results: Results[int] = Results(60, clock)
    numbers = iter(range(10))
    ask = lambda: results.get("a", 1, lambda: next(numbers))  # noqa: E731 - asked twice
    assert ask() == (0, False)
    clock.now = 59.9
    assert ask() == (0, True)
    assert results.find("a", 1) == 0
    clock.now = 60.0
    assert results.find("a", 1) is None
    assert ask() == (1, False)


def test_it_ages_from_when_its_computation_began() -> None:
    clock = Clock()
    results: Results[str] = Results(60, clock)

    def slow() -> str:
        clock.now += 50
        return "old"

    results.get("a", 1, slow)
    clock.now += 10
    assert results.get("a", 1, lambda: "new") == ("new", False)


def test_another_state_ends_a_value() -> None:
    results: Results[str] = Results(60)
    results.get("a", 1, lambda: "old")
    assert results.find("a", 2) is None
    assert results.get("a", 2, lambda: "new") == ("new", False)
    assert results.get("b", 2, lambda: "other") == ("other", False)


def test_without_a_time_nothing_is_kept() -> None:
    results: Results[str] = Results(0)
    results.get("a", 1, lambda: "old")
    assert results.get("a", 1, lambda: "new") == ("new", False)


def test_those_that_were_not_asked_for_longest_are_dropped_first() -> None:
    results: Results[str] = Results(60, most=2)
    for key in ("a", "b", "a", "c"):
        results.get(key, 1, lambda key=key: key)
    assert [results.find(key, 1) for key in ("a", "b", "c")] == ["a", None, "c"]


def test_many_at_once_share_one_computation() -> None:
    results: Results[int] = Results(60)
    begun, go, computed = threading.Event(), threading.Event(), []

    def compute() -> int:
        begun.set()
        assert go.wait(10)
        computed.append(1)
        return len(computed)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(results.get, "a", 1, compute)
        assert begun.wait(10)
        others = [pool.submit(results.get, "a", 1, compute) for _ in range(7)]
        changed = results.get("a", 2, lambda: 100)
        go.set()
        assert first.result() == (1, False)
        assert [other.result() for other in others] == [(1, True)] * 7
    assert changed == (100, False)
    assert computed == [1]


def test_an_error_is_shared_and_forgotten() -> None:
    results: Results[int] = Results(60)
    begun, go = threading.Event(), threading.Event()

    def fail() -> int:
        begun.set()
        assert go.wait(10)
        raise ValueError("away")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(results.get, "a", 1, fail)
        assert begun.wait(10)
        second = pool.submit(results.get, "a", 1, lambda: 5)
        # It would be done at once, did it not wait for the first.
        with pytest.raises(TimeoutError):
            second.result(0.2)
        go.set()
        for one in (first, second):
            with pytest.raises(ValueError, match="away"):
                one.result()
    assert results.get("a", 1, lambda: 7) == (7, False)
