"""A collection loads what it shows once, and does not mind what is removed meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from aggflow.collection import Collection
from aggflow.errors import NotFoundError


class Shelf:
    """What a collection loads, with how often it was loaded."""

    def __init__(self) -> None:
        self.held = {name: name.upper() for name in ("a", "b", "c")}
        self.loads = 0
        self.shown: Collection[str] = Collection("letter", self.load, {"letter": str})

    def load(self) -> Mapping[str, str]:
        self.loads += 1
        return dict(self.held)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_terminal_is_shown_the_first_names() -> None:
    many = Collection("build", lambda: {f"b{i}": i for i in range(30)}, {"it": str})
    assert repr(many) == f"30 builds: {', '.join(f'b{i}' for i in range(10))} and 20 more"


def test_all_of_it_is_one_load(shelf: Shelf) -> None:
    for read, expected in (
        (lambda: list(shelf.shown.values()), ["A", "B", "C"]),
        (lambda: list(shelf.shown.items()), [("a", "A"), ("b", "B"), ("c", "C")]),
        (lambda: list(iter(shelf.shown)), ["a", "b", "c"]),
        (lambda: len(shelf.shown), 3),
        (lambda: repr(shelf.shown), "3 letters: a, b, c"),
        (lambda: shelf.shown.table()[1], [["A"], ["B"], ["C"]]),
        (lambda: shelf.shown == {"a": "A", "b": "B", "c": "C"}, True),
    ):
        shelf.loads = 0
        assert read() == expected
        assert shelf.loads == 1


def test_what_is_removed_meanwhile_is_still_gone_through(shelf: Shelf) -> None:
    seen: list[object] = []
    for value in shelf.shown.values():
        shelf.held.pop("c", None)
        seen.append(value)
    for name, value in shelf.shown.items():
        shelf.held.pop("b", None)
        seen.append((name, value))
    assert seen == ["A", "B", "C", ("a", "A"), ("b", "B")]
    with pytest.raises(NotFoundError, match="there is no letter 'b'"):
        shelf.shown["b"]
