"""Attempts: how often an address came with a token that is not valid, so that nobody tries many."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from typing import Final

_MINUTE: Final = 60.0
_MOST_ADDRESSES: Final = 10_000


class Attempts:
    """Failed attempts by address; each is forgiven after its share of a minute.

    Parameters
    ----------
    most
        How many an address may make in a minute.
    clock
        Seconds; only goes forward.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        # By address: how many are not forgiven yet, and when that was counted.
        self._made: dict[str, tuple[float, float]] = {}

    def fail(self, address: str) -> int | None:
        """Count a failed attempt.

        Parameters
        ----------
        address
            Where it came from.

        Returns
        -------
        int or None
            None where it may try again at once, else the seconds that it has to wait.

        Examples
        --------
        >>> attempts = Attempts(2, lambda: 0.0)
        >>> [attempts.fail("10.0.0.1") for _ in range(3)], attempts.fail("10.0.0.2")
        ([None, None, 30], None)
        """
        now, key = self._clock(), _network(address)
        made = self._left(key, now) + 1
        if made > self._most:
            # One that is refused does not count: who keeps trying is not kept out for ever.
            self._made[key] = (made - 1, now)
            return max(1, math.ceil((made - self._most) * _MINUTE / self._most))
        if key not in self._made and len(self._made) >= _MOST_ADDRESSES:
            self._forget(now)
        self._made[key] = (made, now)
        return None

    def _left(self, key: str, now: float) -> float:
        made, since = self._made.get(key, (0.0, now))
        return max(0.0, made - (now - since) * self._most / _MINUTE)

    def _forget(self, now: float) -> None:
        """Drop the addresses whose attempts are forgiven; where there are none, those that came first."""
        for key in [key for key in self._made if self._left(key, now) <= 0]:
            del self._made[key]
        for key in list(self._made)[: len(self._made) - _MOST_ADDRESSES + 1]:
            del self._made[key]


def _network(address: str) -> str:
    """An address; of IPv6 the network, since whoever has one address of it has all.

    Examples
    --------
    >>> _network("10.0.0.1"), _network("2001:db8::1:2:3:4"), _network("testclient")
    ('10.0.0.1', '2001:db8::/64', 'testclient')
    """
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address
