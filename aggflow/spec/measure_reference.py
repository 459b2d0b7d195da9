"""A measure reference: one calculation of an aggregation, named by text: ``delay:PERCENTILES:0.95``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from aggflow.errors import Problem, SpecError, did_you_mean
from aggflow.quote import quoted
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.field import Field

SEPARATOR = ":"


@dataclass(frozen=True)
class MeasureReference:
    """One calculation of an aggregation.

    Attributes
    ----------
    aggregation
        The aggregation.
    calculation
        One of its calculations.
    percentile
        0 to 1 as decimal text, only and always with PERCENTILES.
    """

    aggregation: Aggregation
    calculation: Calculation
    percentile: str | None = None

    @classmethod
    def of(cls, text: str, aggregations: Iterable[Aggregation]) -> MeasureReference:
        """What a text names.

        Parameters
        ----------
        text
            ``aggregation:CALCULATION``, behind PERCENTILES ``:0.95``; of an aggregation with one
            calculation its name alone.
        aggregations
            Those that there are.

        Raises
        ------
        SpecError
            It names nothing, or not one thing.

        Examples
        --------
        >>> delay = Aggregation("delay", "dep_delay", ("AVG", "PERCENTILES"))
        >>> MeasureReference.of("delay:percentiles:.95", [delay]).text
        'delay:PERCENTILES:0.95'
        >>> MeasureReference.of("delay", [delay])
        Traceback (most recent call last):
        aggflow.errors.SpecError: measure 'delay': 'delay' has several calculations (delay:AVG, delay:PERCENTILES)
        """
        name, *rest = (part.strip() for part in text.split(SEPARATOR))
        known = {aggregation.name: aggregation for aggregation in aggregations}
        if name not in known:
            raise _wrong(text, f"there is no aggregation {quoted(name)}", did_you_mean(name, known))
        aggregation = known[name]
        calculation = _calculation(text, aggregation, rest)
        return cls(aggregation, calculation, _percentile(text, calculation, rest[1:]))

    @property
    def text(self) -> str:
        """Its canonical text."""
        parts = [self.aggregation.name, self.calculation.value]
        return SEPARATOR.join(parts if self.percentile is None else [*parts, self.percentile])


def text_of(field: Field) -> str:
    """The text of the measure that a return field asks for."""
    parts = [field.aggregation]
    parts += [] if field.calculation is None else [field.calculation.value]
    return SEPARATOR.join(parts if field.percentile is None else [*parts, repr(field.percentile)])


def _calculation(text: str, aggregation: Aggregation, rest: list[str]) -> Calculation:
    kept = [calculation.value for calculation in aggregation.calculations]
    if not rest:
        if len(kept) > 1:
            ways = ", ".join(f"{aggregation.name}{SEPARATOR}{value}" for value in kept)
            raise _wrong(text, f"{aggregation.name!r} has several calculations", ways)
        return aggregation.calculations[0]
    if rest[0].upper() not in kept:
        hint = did_you_mean(rest[0], kept)
        raise _wrong(text, f"aggregation {aggregation.name!r} does not keep {quoted(rest[0])}", hint)
    return Calculation(rest[0].upper())


def _percentile(text: str, calculation: Calculation, rest: list[str]) -> str | None:
    wanted = calculation is Calculation.PERCENTILES
    if not wanted and not rest:
        return None
    if not wanted or len(rest) > 1:
        raise _wrong(text, f"nothing stands behind {calculation.value}{' and its percentile' * wanted}")
    try:
        percentile = Decimal(rest[0] if rest else "")
    except InvalidOperation:
        raise _wrong(text, "PERCENTILES needs a percentile", f"{text}{SEPARATOR}0.95, for one") from None
    if not (percentile.is_finite() and 0 <= percentile <= 1):
        raise _wrong(text, f"the percentile {rest[0]} is not from 0 to 1", "0.95, for one")
    return format(percentile.normalize(), "f")


def _wrong(text: str, message: str, hint: str = "") -> SpecError:
    return SpecError(f"measure {quoted(text)}", [Problem("", message, hint)])
