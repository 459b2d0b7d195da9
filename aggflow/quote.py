"""A quote: what somebody wrote, as a sentence about it shows it: in full where it is short, else cut.

A megabyte that was sent where a name should be is not sent back in the answer that refuses it.
"""

from __future__ import annotations

from reprlib import Repr
from typing import Final

_LONGEST: Final = 100
_ELLIPSIS: Final = "…"


class _Short(Repr):
    """The writing of a value, which looks at its first parts only."""

    def __init__(self) -> None:
        super().__init__()
        self.fillvalue = _ELLIPSIS
        self.maxlevel, self.maxdict = 4, 6
        self.maxtuple = self.maxlist = self.maxset = self.maxfrozenset = self.maxdeque = 8
        self.maxlong = self.maxstring = self.maxother = _LONGEST

    def repr_int(self, x: int, level: int) -> str:
        """A number; Python does not write one of thousands of digits."""
        try:
            return super().repr_int(x, level)
        except ValueError:
            return "a number of thousands of digits"


_SHORT: Final = _Short()


def quoted(value: object) -> str:
    """What Python writes for a value, cut where it is long.

    Parameters
    ----------
    value
        Any value; no more of a large one is looked at than is shown.

    Returns
    -------
    str
        At most some hundred characters.

    Examples
    --------
    >>> quoted("carier"), quoted([1, "a"])
    ("'carier'", "[1, 'a']")
    >>> len(quoted("x" * 1_000_000)) <= 100, len(quoted({"a": ["x" * 1_000_000]})) <= 100
    (True, True)
    """
    return cut(_SHORT.repr(value))


def cut(text: str, longest: int = _LONGEST) -> str:
    """A text without its middle, where it is long.

    Parameters
    ----------
    text
        Any text.
    longest
        Characters to show at most.

    Examples
    --------
    >>> cut("groupings[0].path"), cut("x" * 99 + "y", 9)
    ('groupings[0].path', 'xxxx…xxxy')
    """
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}{_ELLIPSIS}{text[len(text) - half :]}"


def line_around(text: str, column: int, longest: int = _LONGEST) -> tuple[str, int]:
    """The part of a line around a place in it, where the line is long.

    Parameters
    ----------
    text
        The line.
    column
        Offset of the place, 0 to ``len(text)``.
    longest
        Characters to show at most.

    Returns
    -------
    tuple of (str, int)
        The part, with ``…`` where the line goes on, and the offset of the place in it.

    Examples
    --------
    >>> line_around("from flights wher", 13), line_around("x" * 50 + "?" + "y" * 50, 50, 9)
    (('from flights wher', 13), ('…xxx?yyy…', 4))
    """
    if len(text) <= longest:
        return text, column
    start = min(max(0, column - longest // 2), len(text) - longest)
    shown = text[start : start + longest]
    if start > 0:
        shown = _ELLIPSIS + shown[1:]
    if start + longest < len(text):
        shown = shown[:-1] + _ELLIPSIS
    return shown, column - start
