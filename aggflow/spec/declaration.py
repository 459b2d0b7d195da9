"""A declaration: what users declare, as a frozen value that refuses what it does not know.

:func:`declaration` turns a class into a frozen pydantic dataclass.  Building one from
wrong values raises one :class:`~aggflow.errors.SpecError` that lists every problem with
its path and a suggestion; :func:`read` does the same for plain data (YAML, JSON).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar, cast, dataclass_transform

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic import Field as PydanticField
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import ErrorDetails

from aggflow.errors import LONGEST_PATH, AggflowError, Problem, SpecError, did_you_mean
from aggflow.problem import MOST_PROBLEMS
from aggflow.quote import cut, quoted
from aggflow.spec.example import example_of

T = TypeVar("T")
Many: TypeAlias = Annotated[Sequence[T], AfterValidator(tuple)]
"""Several values, given as any sequence, held as a tuple."""

_CAPITAL = re.compile(r"(?<!^)[A-Z]")
CONFIG = ConfigDict(extra="forbid", use_enum_values=False, validate_default=True)


class ProblemsError(ValueError):
    """Several problems of one value, raised from inside its validation."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class Declared:
    """The base of declarations: subclasses yield what is wrong between their fields."""

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with this value as a whole; paths are relative to it."""
        return iter(())

    @model_validator(mode="after")
    def _whole(self) -> Any:
        found = list(self.problems())
        if found:
            raise ProblemsError(found)
        return self


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field, PydanticField))
def declaration(cls: type[T]) -> type[T]:
    """Make a class a frozen, validated declaration whose mistakes are SpecErrors."""
    made = pydantic_dataclass(frozen=True, config=CONFIG)(cls)
    inner = cast("Any", made).__init__
    names = [field.name for field in dataclasses.fields(cast("Any", made))]

    @functools.wraps(inner)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it replaces __init__
        # By name, so that a problem of a positional argument is told by the name of its field.
        named = dict(zip(names, args, strict=False))
        try:
            inner(self, *args[len(names) :], **named, **kwargs)
        except ValidationError as error:
            raise SpecError(_title(cls, (named | kwargs).get("name")), _problems(error, cls)) from None

    setattr(made, "__init__", __init__)  # noqa: B010 - a type checker refuses the assignment
    return cast("type[T]", made)


@functools.cache
def adapter(cls: type[T]) -> TypeAdapter[T]:
    """The pydantic adapter of a declaration."""
    return TypeAdapter(cls)


def read(cls: type[T], data: Mapping[str, Any]) -> T:
    """The declaration that plain data (from YAML, JSON, the catalog) describe.

    Raises
    ------
    SpecError
        Every problem of the data, each with its path.
    """
    try:
        return adapter(cls).validate_python(dict(data))
    except ValidationError as error:
        raise SpecError(_title(cls, data.get("name")), _problems(error, cls, plain=True)) from None


def plain(value: Any, *, defaults: bool = True) -> dict[str, Any]:
    """A declaration as JSON-ready data; without ``defaults``, only what differs from them."""
    kind = cast("type[Any]", type(value))
    whole = adapter(kind).dump_python(value, mode="json")
    if defaults:
        return whole
    return _tagged(adapter(kind).dump_python(value, mode="json", exclude_defaults=True), whole)


def _tagged(short: Any, whole: Any) -> Any:
    """Data without defaults, but with the tags by which they are told apart when they are read."""
    if isinstance(short, dict):
        tag = {"kind": whole["kind"]} if "kind" in whole else {}
        items = cast("dict[str, Any]", short).items()
        return {**tag, **{key: _tagged(value, whole[key]) for key, value in items}}
    if isinstance(short, list):
        return [_tagged(one, of) for one, of in zip(cast("list[Any]", short), whole, strict=True)]
    return short


def digest(data: Any) -> str:
    """Twenty hexadecimal digits that name JSON-ready data, whatever the order of its keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def as_validator_error(function: Any) -> Any:
    """Let a parser of ours be a pydantic validator: its AggflowErrors become problems."""

    @functools.wraps(function)
    def checked(value: Any) -> Any:
        try:
            return function(value)
        except AggflowError as error:
            raise ProblemsError([problem_of(error)]) from None

    return checked


def problem_of(error: AggflowError) -> Problem:
    """An error as a problem of a declaration."""
    # A caret drawing keeps its lines, its hint among them; the hint of any other error is shown apart.
    if type(error).__str__ is AggflowError.__str__:
        return Problem("", error.message, error.hint)
    return Problem("", str(error))


def _title(cls: type[Any], name: object) -> str:
    kind = _CAPITAL.sub(r" \g<0>", cls.__name__).lower()
    return f"{kind} {quoted(name)}" if isinstance(name, str) and name else kind


def _problems(error: ValidationError, cls: type[Any], *, plain: bool = False) -> list[Problem]:
    # Of a megabyte of mistakes the first tell enough; one more says that there are more.
    told = error.errors(include_url=False)[: MOST_PROBLEMS + 1]
    return [problem for detail in told for problem in _problem(detail, cls, plain=plain)]


def _problem(detail: ErrorDetails, cls: type[Any], *, plain: bool) -> Iterator[Problem]:
    path = _path(detail["loc"])
    inner = detail.get("ctx", {}).get("error")
    if isinstance(inner, ProblemsError):
        for problem in inner.problems:
            yield dataclasses.replace(problem, path=_join(path, problem.path))
    elif detail["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        name = str(detail["loc"][-1])
        # Only the root's own keys are known here; deeper ones are listed by their own class.
        known = [f.name for f in dataclasses.fields(cls)] if len(detail["loc"]) == 1 else []
        yield Problem(path, f"unknown key {quoted(name)}", did_you_mean(name, known) if known else "")
    elif detail["type"] in ("missing", "missing_argument"):
        yield Problem(path, "is required")
    elif detail["type"] == "enum":
        expected = str(detail.get("ctx", {}).get("expected", ""))
        known = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
        yield Problem(
            path, f"there is no {quoted(detail['input'])}", did_you_mean(str(detail["input"]), known)
        )
    elif (told := example_of(detail, cls.__name__, plain=plain)) is not None:
        yield Problem(path, f"{told[0]}, not {quoted(detail['input'])}", told[1])
    else:
        yield Problem(path, f"{detail['msg'][0].lower()}{detail['msg'][1:]}, not {quoted(detail['input'])}")


def _path(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in loc:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, cut(str(part), LONGEST_PATH))
    return path


def _join(path: str, rest: str) -> str:
    return f"{path}.{rest}" if path and rest and not rest.startswith("[") else path + rest
