"""A number, as a text for people."""

from __future__ import annotations

import math
from decimal import Decimal

_SUFFIXES = ("", "k", "M", "G", "T", "P", "E")
# From here on charts write numbers with a suffix; below, digits are as short and say more.
SI_FROM = 10_000


def short(value: float | Decimal) -> str:
    """A number in a few characters, for labels: large ones with an SI suffix.

    Examples
    --------
    >>> short(1234567), short(9876), short(12.3456), short(0.00012), short(-45000), short(999_999)
    ('1.23M', '9,876', '12.35', '0.00012', '-45k', '1M')
    """
    number = float(value)
    if not math.isfinite(number):
        return str(number)
    if isinstance(value, int) and abs(value) < SI_FROM:
        return f"{value:,}"
    # Rounded first: 999,999 is 1M and not 1000k.
    rounded = float(f"{number:.3g}")
    power = max(0, math.floor(math.log10(abs(rounded)) / 3)) if abs(rounded) >= SI_FROM else 0
    if power >= len(_SUFFIXES):
        return f"{number:.3g}"
    if power:
        return f"{rounded / 1000**power:g}{_SUFFIXES[power]}"
    return f"{number:,.4g}"


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
