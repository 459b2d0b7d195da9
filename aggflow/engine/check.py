"""A check: whether a filter, a cube or a query fits its source, as the source's columns are today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import ibis

from aggflow.backends.source_rows import SourceRows
from aggflow.errors import AggflowError, ParseError, Problem, SourceTypeError
from aggflow.language import BUCKET, check_predicate, check_subject, operand_to_ibis
from aggflow.measures.registry import StateKey, state_key
from aggflow.spec import cube_rollup
from aggflow.spec.calculation import Calculation
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import problem_of
from aggflow.spec.filter import Filter
from aggflow.spec.measure_reference import MeasureReference
from aggflow.spec.ratio import Ratio
from aggflow.spec.reading import Measured, Reading
from aggflow.spec.rollup import Rollup, kept_for, rollup_of
from aggflow.timeline import UTC, Interval

_SIDES = ("numerator", "denominator")
# Calculations whose values are of the type of their field; the others give floats, or counts.
_OF_ITS_FIELD = (Calculation.SUM, Calculation.MIN, Calculation.MAX, Calculation.FIRST, Calculation.LAST)


def problems_at_source(spec: Filter, rows: SourceRows) -> list[Problem]:
    """Every column, path and predicate of a filter that its source cannot serve."""
    checks: list[tuple[str, Callable[[], object]]] = [("where", lambda: _must_hold(spec.where, rows))]
    checks += [
        (f"groupings[{i}]", lambda path=grouping.path: _must_group(path, rows))
        for i, grouping in enumerate(spec.groupings)
    ]
    return [*_problems(checks), *_problems(_aggregation_checks(spec, rows))]


def _aggregation_checks(spec: Filter, rows: SourceRows) -> Iterator[tuple[str, Callable[[], object]]]:
    rollup = rollup_of(spec)
    for i, aggregation in enumerate(spec.aggregations):
        if aggregation.where:
            yield f"aggregations[{i}].where", lambda text=aggregation.where: _must_hold(text, rows)
        keys = {state_key(kept_for(aggregation, c, spec), rollup) for c in aggregation.calculations}
        for key in sorted(keys):
            yield f"aggregations[{i}].field", lambda key=key: _must_measure(key, rows)


def cube_problems_at_source(cube: Cube, rows: SourceRows) -> list[Problem]:
    """Every column, path and predicate of a cube that its source cannot serve."""
    checks: list[tuple[str, Callable[[], object]]] = [("where", lambda: _must_hold(cube.where, rows))]
    for i, dimension in enumerate(cube.dimensions):
        for j, level in enumerate(dimension.hierarchy):
            if not level.is_time:
                path = f"dimensions[{i}]" + (f".levels[{j}]" if dimension.levels else "")
                checks.append((path, lambda level=level: _must_group(level.column, rows)))
    return [*_problems(checks), *_problems(_measure_checks(cube, rows))]


def _measure_checks(cube: Cube, rows: SourceRows) -> Iterator[tuple[str, Callable[[], object]]]:
    bare = Rollup(cube.source, "", "1d", "UTC", (), ())
    for i, measure in enumerate(cube.measures):
        if isinstance(measure, Ratio):
            for side, reference in zip(_SIDES, measure.parts(cube.aggregations), strict=True):
                key = state_key(cube_rollup.kept_for(cube, reference, ()), bare)
                if reference.calculation in (Calculation.FIRST, Calculation.LAST):
                    yield f"measures[{i}].{side}", lambda key=key: _must_be_number(rows, key)
            continue
        if measure.where:
            yield f"measures[{i}].where", lambda text=measure.where: _must_hold(text, rows)
        references = (MeasureReference(measure, calculation) for calculation in measure.calculations)
        keys = {state_key(cube_rollup.kept_for(cube, one, ()), bare) for one in references}
        for key in sorted(keys):
            yield f"measures[{i}].field", lambda key=key: _must_measure(key, rows)


def _must_hold(where: str, rows: SourceRows) -> None:
    rows.predicate(where)
    check_predicate(where, rows.columns)


def _must_group(path: str, rows: SourceRows) -> None:
    rows.grouping(path)
    check_subject(path, rows.columns)


def _must_measure(key: StateKey, rows: SourceRows) -> None:
    rows.kind(key)
    check_subject(key.field, rows.columns)


def _must_be_number(rows: SourceRows, key: StateKey) -> None:
    if not rows.kind(key).is_number:
        raise SourceTypeError(f"{key.field!r} holds no numbers, and only they can be divided")


def _output_checks(
    reading: Reading, rows: SourceRows, rollup: Rollup
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Whether every output can be computed of finished values, keys and the start of the bucket."""
    types: dict[str, Any] = {BUCKET: "timestamp"}
    types |= {name: _key_type(rows.grouping(path).type()) for name, path in reading.groupings.items()}
    types |= {one.name: _finished_type(one, rows, rollup) for one in reading.measured}
    finished: Any = ibis.table(types, name="finished")
    for output in reading.outputs:
        yield (
            output.name,
            lambda operand=output.operand: operand_to_ibis(
                operand, lambda path: finished[path.parts[0]], number=lambda text: text.try_cast("float64")
            ),
        )


def _key_type(type_: Any) -> Any:
    # What is no number or truth value is held, and answered, as text.
    return type_ if type_.is_numeric() or type_.is_boolean() else "string"


def _finished_type(measured: Measured, rows: SourceRows, rollup: Rollup) -> str:
    calculation = measured.kept.calculation
    if calculation in (Calculation.COUNT, Calculation.APPROX_COUNT_DISTINCT):
        return "int64"
    if calculation not in _OF_ITS_FIELD:
        return "float64"
    kind = rows.kind(state_key(measured.kept, rollup))
    return {"integer": "int64", "float": "float64", "boolean": "boolean"}.get(
        kind.name, f"decimal(38, {kind.scale})" if kind.name == "decimal" else "string"
    )


def check_reading(reading: Reading, rows: SourceRows, text: str) -> None:
    """Refuse a query that its source cannot serve.

    Raises
    ------
    ParseError
        With the place of the aggregate or key.
    """
    century = reading.rollup(Interval.of("36525d"), UTC)
    checks: list[tuple[str, Callable[[], object]]] = [("where", lambda: rows.predicate(century.where))]
    checks += [(name, lambda path=path: rows.grouping(path)) for name, path in reading.groupings.items()]
    checks += [
        (one.name, lambda one=one: (rows.kind(state_key(one.kept, century)), rows.predicate(one.kept.where)))
        for one in reading.measured
    ]
    for problem in (_problems(checks) or _problems(_output_checks(reading, rows, century)))[:1]:
        place = max(text.find(problem.path), 0)
        message = problem.message.removeprefix("the predicate: ")
        raise ParseError(message, text=text, position=place, hint=problem.hint)


def _problems(
    checks: Iterator[tuple[str, Callable[[], object]]] | list[tuple[str, Callable[[], object]]],
) -> list[Problem]:
    found: dict[tuple[str, str], Problem] = {}
    for path, check in checks:
        try:
            check()
        except AggflowError as error:
            problem = problem_of(error)
            found.setdefault((path, error.message), replace(problem, path=path))
    return list(found.values())
