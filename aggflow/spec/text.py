"""A text with a meaning: names, widths, durations, predicates, zones, as declarations hold them.

Declarations keep the canonical text (``"1h"``, ``"@.origin != 'LGA'"``), so that Python, YAML
and HTTP hold the same value; each type here checks a text and makes it canonical.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from aggflow.errors import ParseError
from aggflow.language import canonical_predicate, read_subject
from aggflow.quote import quoted
from aggflow.spec.declaration import as_validator_error
from aggflow.timeline import Duration, Interval, Zone


def _interval(value: Any) -> str:
    return str(Interval.of(_length(value)))


def _duration(value: Any) -> str:
    return str(Duration.of(_length(value)))


def _length(value: Any) -> Any:
    # What is read is remembered by its hash: lists and objects have none, and are no lengths.
    return value if isinstance(value, Hashable) else repr(cast("object", value))


def _zone(value: Any) -> str:
    return Zone.of(str(value)).name


def _predicate(value: Any) -> str:
    if value is None or value == "":
        return ""
    return canonical_predicate(_text(value))


def _grouping_path(value: Any) -> str:
    text = _text(value).strip()
    read_subject(text)
    return text


def _storable(name: str) -> str:
    # Not every database that a catalog may be in holds it in a text.
    if "\0" in name:
        raise ParseError("a name has no NUL in it", text=name, position=name.index("\0"))
    return name


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ParseError(f"a text is needed, not {quoted(value)}", text=str(value), position=0)
    return value


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, strip_whitespace=True),
    AfterValidator(as_validator_error(_storable)),
]
IntervalText = Annotated[str, BeforeValidator(as_validator_error(_interval))]
DurationText = Annotated[str, BeforeValidator(as_validator_error(_duration))]
ZoneText = Annotated[str, BeforeValidator(as_validator_error(_zone))]
PredicateText = Annotated[str, BeforeValidator(as_validator_error(_predicate))]
PathText = Annotated[str, BeforeValidator(as_validator_error(_grouping_path))]
