"""The tree of errors: as drawn, picklable with its data, one sentence and a hint."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Iterator

import pytest

from aggflow import errors
from aggflow.errors import (
    AggflowError,
    BuildError,
    NotFoundError,
    ParseError,
    Problem,
    SettingsError,
    SpecError,
    did_you_mean,
    nearest,
)

RETRY_MARK = "(retry helps)"


def drawn() -> Iterator[tuple[str, str, bool]]:
    """Name, parent and whether a retry helps, of each line of the tree in the module's docstring."""
    assert errors.__doc__ is not None
    above: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        name = line.split()[0] if line.split() else ""
        if not (line.startswith("    ") and name.endswith("Error")):
            continue
        depth = len(line) - len(line.lstrip())
        above = [(d, n) for d, n in above if d < depth]
        yield name, above[-1][1] if above else "Exception", RETRY_MARK in line
        above.append((depth, name))


def classes() -> dict[str, type[AggflowError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, AggflowError)
    }


EXAMPLES: dict[type[AggflowError], AggflowError] = {
    SpecError: SpecError("filter 'f'", [Problem("interval", "is wrong", "use 1h"), Problem("", "is empty")]),
    ParseError: ParseError("unclosed", text="@.a[", position=4, expected=["a number"], hint="write ]"),
    NotFoundError: NotFoundError("column", "carier", ["carrier", "origin"]),
}


def example(cls: type[AggflowError]) -> AggflowError:
    return EXAMPLES.get(cls) or cls("it broke", hint="mend it")


def test_drawn_tree_is_the_tree():
    assert {(name, parent) for name, parent, _ in drawn()} == {
        (name, cls.__bases__[0].__name__) for name, cls in classes().items()
    }


def test_drawn_tree_marks_what_a_retry_helps():
    assert {name for name, _, retry in drawn() if retry} == {
        name for name, cls in classes().items() if cls.retryable
    }


@pytest.mark.parametrize("cls", classes().values(), ids=lambda cls: cls.__name__)
def test_class_says_what_it_is_and_who_must_act(cls: type[AggflowError]):
    assert cls.__doc__
    assert cls.who in {"user", "operator", "aggflow"}


@pytest.mark.parametrize("cls", classes().values(), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_with_its_data(cls: type[AggflowError], protocol: int):
    error = example(cls)
    error.build = "b1"  # pyright: ignore[reportAttributeAccessIssue] - what a caller adds travels too
    back = pickle.loads(pickle.dumps(error, protocol=protocol))  # noqa: S301 - our own bytes
    assert type(back) is cls
    assert str(back) == str(error)
    assert vars(back) == vars(error)
    assert back.args == error.args


@pytest.mark.parametrize("cls", classes().values(), ids=classes())
def test_travels_as_json_with_its_data(cls: type[AggflowError]):
    error = example(cls)
    again = errors.error_of(json.loads(json.dumps(error.to_plain())))
    assert type(again) is cls
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_of_a_class_that_is_not_known_here_it_is_an_error_all_the_same():
    again = errors.error_of({"class": "NewerError", "message": "it broke", "hint": "mend it", "of": [1]})
    assert type(again) is AggflowError
    assert str(again) == "it broke (mend it)"


def test_text_is_the_sentence_then_the_hint():
    assert str(BuildError("it stopped")) == "it stopped"
    assert str(BuildError("it stopped", hint="start it again")) == "it stopped (start it again)"


def test_caught_by_its_branch():
    with pytest.raises(errors.SourceError):
        raise errors.SourceTypeError("text")
    assert not issubclass(SettingsError, errors.SourceError)


def test_one_problem_stands_in_the_sentence():
    error = SpecError(
        "endpoint 'worst'", [Problem("limit", "must be at least 1", "leave it out for no limit")]
    )
    assert str(error) == "endpoint 'worst': limit: must be at least 1 (leave it out for no limit)"


def test_all_problems_are_listed_each_with_its_path():
    error = SpecError(
        "filter 'f'", [Problem("interval", "is wrong"), Problem("groupings[1]", "is unknown", "try b")]
    )
    assert str(error).splitlines() == [
        "filter 'f' has 2 problems:",
        "  - interval: is wrong",
        "  - groupings[1]: is unknown (try b)",
    ]


def test_not_found_names_the_nearest():
    error = NotFoundError("column", "Carier", ["carrier", "origin"])
    assert str(error) == "there is no column 'Carier' (did you mean 'carrier'?)"
    assert (error.kind, error.name, error.known) == ("column", "Carier", ("carrier", "origin"))


def test_not_found_lists_what_there_is():
    assert str(NotFoundError("filter", "zzz", [])) == "there is no filter 'zzz' (there is none yet)"
    many = did_you_mean("zzz", [f"name{i:02}" for i in range(20)])
    assert many.startswith("known: name00, name01")
    assert many.endswith("name11 and 8 more")


def test_nearest_keeps_the_spelling_of_the_known_name():
    assert nearest("TIME_HOUR", ["time_hour"]) == "time_hour"
    assert nearest("zzz", ["time_hour"]) is None


@pytest.mark.parametrize(
    ("text", "position", "line", "column", "shown"),
    [
        ("@.a == ", 7, 1, 8, "@.a == "),
        ("@.a\n  && @.b ==\n@.c", 9, 2, 6, "  && @.b =="),
        ("", 0, 1, 1, ""),
        ("abc", 99, 1, 4, "abc"),
        ("abc", -1, 1, 1, "abc"),
        ("a\n", 2, 2, 1, ""),
    ],
)
def test_caret_stands_under_the_place(text: str, position: int, line: int, column: int, shown: str):
    error = ParseError("wrong", text=text, position=position)
    assert (error.line, error.column) == (line, column)
    first, quoted, caret = str(error).split("\n")
    assert first == f"wrong, at line {line}, column {column}"
    assert quoted == f"    {shown}"
    assert caret.index("^") == 4 + column - 1
    assert caret.strip() == "^"


def test_parse_error_says_what_was_expected_and_what_to_do():
    error = ParseError("wrong", text="x", position=0, expected=["a path", "a literal"], hint="start with @")
    assert str(error).split("\n")[3:] == ["expected: a path, a literal", "hint: start with @"]
