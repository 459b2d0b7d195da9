"""A documented shape: whether an answer looks as an example of an API's documentation does, key by key."""

from __future__ import annotations

from typing import Any


def assert_shaped(found: Any, example: Any, where: str = "$") -> None:
    """Objects have the keys of the example in its order, arrays elements as its first, values its type."""
    if isinstance(example, dict):
        assert isinstance(found, dict), where
        assert list(found) == list(example), where
        for key, value in example.items():
            assert_shaped(found[key], value, f"{where}.{key}")
    elif isinstance(example, list):
        assert isinstance(found, list), where
        for i, one in enumerate(found):
            assert_shaped(one, example[0], f"{where}[{i}]")
    else:
        # An integer is no truth value here.
        assert type(found) is type(example), f"{where} is {found!r}, not as {example!r}"
