"""A tolerance: how far a field may be from the exact value, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerance:
    """How far a field may be from the exact value, and why.

    Attributes
    ----------
    relative
        The largest relative difference.
    absolute
        A difference that is always allowed: rounding to a whole number.
    text
        For people.
    """

    relative: float
    absolute: float
    text: str


TOLERANCES = {
    "flights": Tolerance(0, 0, "exact"),
    "average": Tolerance(1e-9, 0, "0.0000001 %, rounding of floats"),
    "p95": Tolerance(0.005, 0, "0.5 %, guaranteed"),
    "aircraft": Tolerance(3 * 0.0163, 1, "4.9 %, three standard errors"),
}
