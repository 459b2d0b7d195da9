"""A markup: texts as HTML for notebooks: escaped, and read on a light page as on a dark one.

The colours are the page's own, and lines between rows are half transparent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Final

_LINE: Final = "1px solid rgba(127,137,154,.28)"
_CELL: Final = f"padding:.3em .8em;vertical-align:top;border:0;border-bottom:{_LINE}"
_TABLE: Final = "border-collapse:collapse;border:0;font-variant-numeric:tabular-nums;line-height:1.4"
_QUIET: Final = "opacity:.7"


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Collection[str] = (),
    caption: str = "",
    hint: str = "",
) -> str:
    """A table.

    Parameters
    ----------
    headings, rows
        Texts.
    numeric
        The headings of columns that hold numbers, which stand under one another.
    caption
        One line below it.
    hint
        A line below that: what to do.

    Examples
    --------
    >>> "a &lt; b" in table(["x"], [["a < b"]])
    True
    """
    sides = ["right" if heading in numeric else "left" for heading in headings]
    styles = [f"{_CELL};text-align:{side}" for side in sides]
    head = "".join(f'<th style="{s}">{escape(h)}</th>' for h, s in zip(headings, styles, strict=True))
    body = "".join(f"<tr>{_cells(row, styles)}</tr>" for row in rows)
    lines = "<br>".join(escape(line) for line in (caption, hint) if line)
    below = (
        f'<caption style="caption-side:bottom;text-align:left;padding:.4em .8em;{_QUIET}">{lines}</caption>'
    )
    return (
        f'<table style="{_TABLE}">{below if lines else ""}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(row: Sequence[str], styles: Sequence[str]) -> str:
    return "".join(
        f'<td style="{style}">{escape(text)}</td>' for text, style in zip(row, styles, strict=True)
    )


def facts(title: str, told: Mapping[str, str]) -> str:
    """A heading, and below it a line for each fact that is not empty.

    Examples
    --------
    >>> "error" in facts("a build", {"rows": "5", "error": ""})
    False
    """
    cell = "padding:.12em .8em .12em 0;vertical-align:top;border:0;text-align:left"
    rows = "".join(
        f'<tr><td style="{cell};{_QUIET}">{escape(name)}</td><td style="{cell}">{escape(text)}</td></tr>'
        for name, text in told.items()
        if text
    )
    return f'<b>{escape(title)}</b><table style="{_TABLE}"><tbody>{rows}</tbody></table>'


def nothing(sentence: str) -> str:
    """What stands where there is nothing to show."""
    return f'<em style="{_QUIET}">{escape(sentence)}</em>'
