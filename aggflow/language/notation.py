"""A notation: how a definition's text says a predicate or a value: JPath as it is, LINQ behind an equals sign.

What JPath can say is written in JPath; ``=lower(carrier)`` and ``=has(dest, "J")`` are LINQ.  Each
tree has one canonical text, so that definitions of equal meaning compare as texts.
"""

from __future__ import annotations

import re
from functools import lru_cache

from aggflow.errors import ParseError, SpecError
from aggflow.language.jpath import parse_path, parse_predicate
from aggflow.language.jpath_text import to_jpath
from aggflow.language.kind import Columns
from aggflow.language.linq import parse_condition, parse_operand
from aggflow.language.linq_text import to_linq
from aggflow.language.literal import Literal
from aggflow.language.mismatch import check_comparisons
from aggflow.language.predicate import (
    Path,
    Predicate,
    Subject,
    operand_paths,
)

SIGN = "="
_PLAIN = re.compile(r"[^\W\d]\w*")


@lru_cache(4096)
def read_predicate(text: str) -> Predicate:
    """The predicate of a text; empty text is TRUE.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> read_predicate("@.delay > 15") == read_predicate("=delay > 15")
    True
    """
    return parse_condition(_linq(text)) if is_linq(text) else parse_predicate(text)


def write_predicate(tree: Predicate) -> str:
    """The canonical text of a predicate: JPath where JPath can say it.

    Raises
    ------
    SpecError
        Neither notation can say it.

    Examples
    --------
    >>> write_predicate(read_predicate("=delay > 15")), write_predicate(read_predicate('=has(dest, "J")'))
    ('@.delay > 15', '=has(dest, "J")')
    """
    try:
        return to_jpath(tree)
    except SpecError:
        return SIGN + to_linq(tree)


def check_predicate(text: str, columns: Columns) -> None:
    """Refuse a predicate that compares a column with what no value of its type can equal.

    Parameters
    ----------
    text
        The predicate.
    columns
        The columns and their types; open, where other names lead into a JSON column.

    Raises
    ------
    ParseError
        With the place of the column, its type and what to write instead.

    Examples
    --------
    >>> import ibis.expr.datatypes as dt
    >>> check_predicate("@.carrier > '5'", {"carrier": dt.string})
    >>> check_predicate("=carrier > 5", {"carrier": dt.string})
    Traceback (most recent call last):
    aggflow.errors.ParseError: carrier holds texts (string), and 5 is a number, at line 1, column 2
         carrier > 5
         ^
    hint: a text stands in quotes: "5"; texts that hold numbers are compared by float(carrier) > …
    """
    if is_linq(text):
        parse_condition(_linq(text), columns=columns)
    else:
        check_comparisons(text, columns)


def check_subject(text: str, columns: Columns) -> None:
    """Refuse a value that is computed of a column compared with what no value of its type can equal.

    Takes and raises what :func:`check_predicate` does.
    """
    if is_linq(text):
        parse_operand(_linq(text), columns=columns)


@lru_cache(4096)
def read_subject(text: str) -> Subject:
    """The value that a text names: a field, or what is computed of fields.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> read_subject("@.carrier"), read_subject("=carrier")
    (Path(parts=('carrier',)), Path(parts=('carrier',)))
    """
    if not is_linq(text):
        return parse_path(text)
    operand = parse_operand(_linq(text))
    if isinstance(operand, Literal) or not operand_paths(operand):
        raise ParseError("this is the same for every row", text=text, position=1, hint="name a column in it")
    return operand


def write_subject(subject: Subject) -> str:
    """The canonical text of a value: a bare column, a path in JPath, or LINQ.

    Examples
    --------
    >>> write_subject(Path(("carrier",))), write_subject(Path(("payload", "user")))
    ('carrier', '@.payload.user')
    >>> write_subject(read_subject("=LOWER (carrier)".lower()))
    '=lower(carrier)'
    """
    if not isinstance(subject, Path):
        return SIGN + to_linq(subject)
    name = subject.parts[0]
    return name if len(subject.parts) == 1 and _PLAIN.fullmatch(name) else str(subject)


@lru_cache(4096)
def canonical_predicate(text: str) -> str:
    """The canonical text of a predicate's text."""
    return write_predicate(read_predicate(text))


@lru_cache(4096)
def canonical_subject(text: str) -> str:
    """The canonical text of a value's text.

    Examples
    --------
    >>> canonical_subject("@.carrier"), canonical_subject("=a+b")
    ('carrier', '=a + b')
    """
    return write_subject(read_subject(text))


def is_linq(text: str) -> bool:
    """Whether a text is LINQ."""
    return text.lstrip().startswith(SIGN)


def _linq(text: str) -> str:
    # Blanks keep the places that errors name.
    return text.replace(SIGN, " ", 1)
