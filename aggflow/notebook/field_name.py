"""A field name: what a value is called in answers, proposed from what it is computed of."""

from __future__ import annotations

from aggflow.spec.calculation import Calculation

_MOST = 200


def field_name(aggregation: str, word: str) -> str:
    """A name for a calculation of an aggregation, or for what needs no word: letters, digits, underscores only.

    Examples
    --------
    >>> field_name("delay", "p95"), field_name("2nd class", "avg"), field_name("on time", "")
    ('delay_p95', '_2nd_class_avg', 'on_time')
    """
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in aggregation)
    name = f"{plain[:_MOST]}_{word}" if word else plain[:_MOST]
    return f"_{name}" if name[0].isdigit() else name


def short_word(calculation: Calculation, percentile: str = "") -> str:
    """A calculation in a word.

    Examples
    --------
    >>> short_word(Calculation.AVG), short_word(Calculation.PERCENTILES, "0.999")
    ('avg', 'p99_9')
    >>> short_word(Calculation.APPROX_COUNT_DISTINCT)
    'different'
    """
    if calculation == Calculation.APPROX_COUNT_DISTINCT:
        return "different"
    if calculation != Calculation.PERCENTILES:
        return calculation.value.lower()
    digits = "".join(filter(str.isdigit, percentile.partition(".")[2])).ljust(2, "0")
    return f"p{digits[:2]}_{digits[2:]}" if digits[2:] else f"p{digits[:2]}"
