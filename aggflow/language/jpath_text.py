"""JPath text: how a predicate is written as JPath, so that reading it gives the same tree."""

from __future__ import annotations

from aggflow.errors import Problem, SpecError
from aggflow.language.literal import Literal, quoted
from aggflow.language.predicate import (
    TRUE,
    And,
    Compare,
    Constant,
    Exists,
    Find,
    Glob,
    In,
    Length,
    Like,
    Match,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
)
from aggflow.language.regex import escape_slashes


def to_jpath(tree: Predicate) -> str:
    """The canonical text of a predicate; empty for TRUE.

    Parsing it gives the same tree.

    Raises
    ------
    SpecError
        The predicate has something that only LINQ can say.

    Examples
    --------
    >>> origin, delay = Path(("origin",)), Path(("dep", "delay min"))
    >>> to_jpath(And((Not(In(origin, (Literal("LGA"),))), Compare("<", Literal(5), delay))))
    "!(@.origin in ['LGA']) && @.dep['delay min'] > 5"
    """
    return "" if tree == TRUE else _text(tree)


def _text(tree: Predicate) -> str:
    match tree:
        case Constant():
            return "true" if tree.value else "false"
        case Compare():
            return f"{_side(tree.left)} {tree.op} {_side(tree.right)}"
        case Like():
            return f"{_field(tree.operand)} {'ILIKE' if tree.ignore_case else 'LIKE'} {quoted(tree.pattern)}"
        case Match():
            return f"{_field(tree.operand)} =~ /{escape_slashes(tree.pattern)}/"
        case In():
            return f"{_side(tree.operand)} in [{', '.join(map(str, tree.values))}]"
        case Exists():
            return _field(tree.operand)
        case Glob() | Find():
            raise _unsayable(f"{type(tree).__name__.lower()} on {tree.operand}")
        case Not():
            return f"!({_text(tree.term)})"
        case And():
            # || binds less than &&: only a disjunction needs its parentheses here.
            return " && ".join(f"({_text(t)})" if isinstance(t, Or) else _text(t) for t in tree.terms)
        case Or():
            return " || ".join(map(_text, tree.terms))


def _side(operand: Operand) -> str:
    if isinstance(operand, Path | Length | Literal):
        return str(operand)
    raise _unsayable(str(operand))


def _field(operand: Operand) -> str:
    # A length that is tested for itself would be read as a field of that name.
    if isinstance(operand, Path):
        return str(operand)
    raise _unsayable(str(operand))


def _unsayable(what: str) -> SpecError:
    return SpecError("the predicate", [Problem("", f"JPath cannot say {what}", "it is said in LINQ")])
