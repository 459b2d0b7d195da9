"""An asked task: a task as endpoints ask it: the outputs of its query, by its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from aggflow.errors import Problem, SpecError, did_you_mean
from aggflow.language import Path, operand_paths
from aggflow.spec.askable import Askable, Key, Offer, Value
from aggflow.spec.calculation import Calculation
from aggflow.spec.field import Field
from aggflow.spec.reading import Measured, reading_of
from aggflow.spec.task import Task


@dataclass(frozen=True)
class Output:
    """What a task's query selects under a name.

    Attributes
    ----------
    value
        What it is made of; None where keys or the bucket are among that.
    calculation, percentile
        The aggregate that it is; None where it is computed of aggregates.
    """

    value: Value | None
    calculation: Calculation | None = None
    percentile: str | None = None


@dataclass(frozen=True)
class AskedTask(Askable):
    """A task as endpoints ask it.

    Attributes
    ----------
    outputs
        By name, what its query selects.
    """

    kind: ClassVar[Literal["task", "cube"]] = "task"
    outputs: Mapping[str, Output]

    @classmethod
    def of(cls, task: Task) -> AskedTask:
        """The task as endpoints ask it."""
        reading = reading_of(task.query)
        measured = {one.name: one for one in reading.measured}
        outputs: dict[str, Output] = {}
        for asked, output in zip(task.query.outputs, reading.outputs, strict=True):
            names = [path.parts[0] for path in sorted(operand_paths(output.operand), key=str)]
            known = all(name in measured for name in names)
            value = Value(tuple(measured[name] for name in names), output.operand) if known else None
            outputs[output.name] = _output(value, asked.operand, measured)
        rollup = task.rollup
        return cls(
            task.name,
            rollup.source,
            rollup.where,
            rollup.interval,
            task.time_zone,
            tuple(Key(name, path) for name, path in reading.groupings.items()),
            outputs,
            delay=task.wait,
        )

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What its query selects."""
        return tuple(
            Offer(name, output.calculation, output.percentile)
            for name, output in self.outputs.items()
            if output.value is not None
        )

    def value(self, field: Field) -> Value:
        """What a field is made of: an output of the query, with the calculation that it has there.

        Raises
        ------
        SpecError
            There is none of that name, or it has another calculation.
        """
        problems = list(self._misfits(field))
        if problems:
            raise SpecError(f"field {field.name!r}", problems)
        value = self.outputs[field.aggregation].value
        assert value is not None  # noqa: S101 - else it is a misfit
        return value

    def _misfits(self, field: Field) -> list[Problem]:
        name = field.aggregation
        output = self.outputs.get(name)
        if output is None:
            known = [offer.aggregation for offer in self.offers]
            return [Problem("aggregation", f"the task selects no {name!r}", did_you_mean(name, known))]
        if output.value is None:
            message = f"{name!r} is made of what the task groups by"
            return [Problem("aggregation", message, "return the grouping instead")]
        if field.calculation is None:
            return []
        if output.calculation is None:
            message = f"{name!r} is computed of aggregates, and has no calculation of its own"
            return [Problem("calculation", message, "leave it out")]
        if field.calculation is not output.calculation:
            message = f"the task selects {name!r} as {output.calculation.value}"
            return [Problem("calculation", message, f"{output.calculation.value}, or leave it out")]
        if field.percentile is not None and Decimal(repr(field.percentile)) != Decimal(
            output.percentile or 0
        ):
            message = f"the task selects {name!r} as the percentile {output.percentile}"
            return [Problem("percentile", message, f"{output.percentile}, or leave the calculation out")]
        return []


def _output(value: Value | None, asked: object, measured: Mapping[str, Measured]) -> Output:
    """An output, with its calculation where the query selects an aggregate by itself."""
    by_itself = measured.get(asked.parts[0]) if isinstance(asked, Path) else None
    if value is None or by_itself is None:
        return Output(value)
    return Output(value, by_itself.kept.calculation, by_itself.percentile)
