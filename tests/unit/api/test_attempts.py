from __future__ import annotations

import pytest

from aggflow.api import attempts
from aggflow.api.attempts import Attempts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_that_failed_too_often_waits_until_it_may_try_again(clock: Clock) -> None:
    made = Attempts(3, clock)
    assert [made.fail("10.0.0.1") for _ in range(3)] == [None, None, None]
    wait = made.fail("10.0.0.1")
    assert wait == 20
    clock.now += wait - 1
    assert made.fail("10.0.0.1") == 1
    clock.now += 1
    assert made.fail("10.0.0.1") is None
    assert made.fail("10.0.0.1") is not None


def test_addresses_do_not_wait_for_one_another(clock: Clock) -> None:
    made = Attempts(1, clock)
    assert [made.fail(address) for address in ("10.0.0.1", "10.0.0.2")] == [None, None]
    assert made.fail("10.0.0.2") is not None


def test_all_addresses_of_an_ipv6_network_are_one(clock: Clock) -> None:
    made = Attempts(1, clock)
    assert made.fail("2001:db8:1:2::1") is None
    assert made.fail("2001:db8:1:2:aaaa::7") is not None
    assert made.fail("2001:db8:1:3::1") is None
    assert made.fail("fe80::1%eth0") is None


def test_who_keeps_trying_is_not_kept_out_for_ever(clock: Clock) -> None:
    made = Attempts(2, clock)
    for _ in range(1000):
        made.fail("10.0.0.1")
    clock.now += 30
    assert made.fail("10.0.0.1") is None


def test_many_addresses_do_not_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_MOST_ADDRESSES", 100)
    made = Attempts(2, clock)
    for number in range(1000):
        clock.now += 0.001
        made.fail(f"10.0.{number // 256}.{number % 256}")
        assert len(made._made) <= 100
    # The latest are still known.
    assert made.fail("10.0.3.231") is None
    assert made.fail("10.0.3.231") is not None
