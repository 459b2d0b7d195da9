"""An event reading: an event source, read against the columns of its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aggflow.backends.source_rows import SourceRows
from aggflow.engine.residual import is_testable
from aggflow.errors import AggflowError, Problem, SourceTypeError
from aggflow.language import Path, read_subject
from aggflow.measures.registry import StateKey, measure_of
from aggflow.spec.calculation import Calculation
from aggflow.spec.event_source import ID_FIELDS, ROLES, EventSource
from aggflow.spec.source import Source

_Check = tuple[str, Callable[[], object]]


@dataclass(frozen=True)
class EventReading:
    """An event source, and what the columns of its source can do.

    Attributes
    ----------
    spec, source
        As they are declared.
    columns
        The names of the source's columns.
    plain
        The paths of columns whose values are held in memory as the source has them, so that
        conditions can be tested there.
    fields
        Of metadata that is a struct, whether each of its fields can be grouped by; None for JSON.
    problems
        By role, ``values.<field>`` or ``metadata``, why what is named for it cannot play that part.
    not_numbers
        By id field, why it can be neither summed nor averaged.
    """

    spec: EventSource
    source: Source
    columns: frozenset[str]
    plain: frozenset[str]
    fields: Mapping[str, bool] | None
    problems: Mapping[str, Problem]
    not_numbers: Mapping[str, Problem]

    @classmethod
    def of(cls, spec: EventSource, rows: SourceRows) -> EventReading:
        """An event source, read against the rows of its source."""
        problems = _problems(_checks(spec, rows))
        paths = [path for role in ROLES if role not in problems and (path := spec.path(role)) is not None]
        return cls(
            spec,
            rows.source,
            frozenset(rows.columns),
            frozenset(path for path in paths if _is_plain(path, rows)),
            None if "metadata" in problems else _fields(spec, rows),
            problems,
            _problems(_number_checks(spec, rows, ID_FIELDS)),
        )


def _checks(spec: EventSource, rows: SourceRows) -> Iterator[_Check]:
    for role in ROLES:
        if (path := spec.path(role)) is not None:
            yield role, lambda path=path: rows.grouping(path)
    for field, check in _number_checks(spec, rows, spec.values):
        yield f"values.{field}", check
    yield "metadata", lambda: _fields(spec, rows)


def _number_checks(spec: EventSource, rows: SourceRows, parts: Any) -> Iterator[_Check]:
    for part in parts:
        if (path := spec.path(part)) is not None:
            key = StateKey(measure_of(Calculation.SUM).name, path, "", ())
            yield part, lambda key=key: rows.kind(key)


def _problems(checks: Iterator[_Check]) -> dict[str, Problem]:
    found: dict[str, Problem] = {}
    for part, check in checks:
        try:
            check()
        except AggflowError as error:
            found[part] = Problem(part, error.message, error.hint)
    return found


def _fields(spec: EventSource, rows: SourceRows) -> dict[str, bool] | None:
    """The fields of metadata that is a struct, each with whether it is a single value; None for JSON.

    Raises
    ------
    NotFoundError
        There is no such column.
    SourceTypeError
        There are no keys in it.
    """
    if spec.metadata is None:
        return None
    type_: Any = rows.column(cast("Path", read_subject(spec.metadata))).type()
    if type_.is_struct():
        return {name: not field.is_nested() for name, field in type_.items()}
    if type_.is_json() or type_.is_string():
        return None
    raise SourceTypeError(
        f"source {rows.source.name!r}: {spec.metadata!r} is {type_}, in which there are no keys",
        hint="name a column of JSON, of JSON as text, or a struct",
    )


def _is_plain(path: str, rows: SourceRows) -> bool:
    subject = read_subject(path)
    if not isinstance(subject, Path):
        return False
    type_: Any = rows.column(subject).type()
    # A UUID is compared with its text, as which it is held.
    return is_testable(type_) or type_.is_uuid()
