"""A number, as a text for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

_SUFFIXES = ("", "k", "M", "G", "T", "P", "E")
# From here on charts write numbers with a suffix; below, digits are as short and say more.
SI_FROM = 10_000


def digits(numbers: Sequence[float]) -> int | None:
    """How many digits behind the point tell numbers apart that stand side by side; None for 3 in all.

    Examples
    --------
    >>> digits([1.0, 250.0]), digits([12.345, 250.5]), digits([1.5, 2.25]), digits([0.002, 0.1]), digits([1234.5])
    (0, 1, 2, None, 0)
    """
    high = max((abs(number) for number in numbers), default=0.0)
    if high >= 1000 or all(float(number).is_integer() for number in numbers):
        return 0
    return None if high < 1 else 1 if high >= 10 else 2


def short(value: float, places: int | None = None) -> str:
    """A number in a few characters, for labels: large ones with an SI suffix.

    Examples
    --------
    >>> short(1234567), short(9876), short(12.3456, 1), short(0.00012), short(-45000), short(999_999)
    ('1.23M', '9,876', '12.3', '0.00012', '-45k', '1M')
    >>> short(46.0, 1), short(-0.001, 1)
    ('46.0', '0.0')
    """
    if not math.isfinite(value):
        return str(value)
    if abs(value) < SI_FROM:
        # Without a sign where nothing is left of the number.
        return f"{value:,.4g}" if places is None else f"{value:z,.{places}f}"
    # Rounded first: 999,999 is 1M and not 1000k.
    rounded = float(f"{value:.3g}")
    power = math.floor(math.log10(abs(rounded)) / 3)
    if power >= len(_SUFFIXES):
        return f"{value:.3g}"
    return f"{rounded / 1000**power:g}{_SUFFIXES[power]}"


def exact(value: float | Decimal) -> str:
    """A number with its digits, for tooltips: whole numbers and decimals in full, others to 6 digits or cents.

    Examples
    --------
    >>> exact(9007199254740993), exact(Decimal("1.10")), exact(1234567.891), exact(0.123456789)
    ('9,007,199,254,740,993', '1.10', '1,234,567.89', '0.123457')
    """
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return f"{value:,.2f}" if 10_000 <= abs(value) < 1e15 else f"{value:,.6g}"
