"""Entailment: whether one predicate's rows are all among another's, by their form alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from aggflow.language.literal import Literal
from aggflow.language.predicate import (
    FALSE,
    TRUE,
    And,
    Compare,
    Constant,
    Exists,
    Find,
    Glob,
    In,
    Like,
    Match,
    Not,
    Or,
    Predicate,
    Subject,
    all_of,
    any_of,
)

Test: TypeAlias = Compare | Like | Glob | Match | Find | In | Exists


def implies(a: Predicate, b: Predicate) -> bool:
    """Whether ``b`` surely holds wherever ``a`` does.

    Judged by form: every condition of ``b`` must be among those of ``a``, whatever their
    order and nesting; a value implies the lists it is in, and that it is no other text; any test of
    a field implies that the field is there.  True is certain; False may only mean that the form does not show it.

    Examples
    --------
    >>> from aggflow.language import parse_predicate as p
    >>> implies(p("@.a == 1 && @.b == 'x'"), p("@.b in ['x', 'y']"))
    True
    >>> implies(p("@.a == 1"), p("@.a == 1 && @.b == 'x'")), implies(p("@.a"), p(""))
    (False, True)
    """
    return _entails(_normal(a), _normal(b))


def _normal(tree: Predicate, *, negated: bool = False) -> Predicate:
    """Negations moved inwards (predicates have two values), equality said as membership."""
    match tree:
        case Not():
            return _normal(tree.term, negated=not negated)
        case And() | Or():
            terms = [_normal(term, negated=negated) for term in tree.terms]
            return all_of(terms) if isinstance(tree, And) != negated else any_of(terms)
        case Constant():
            return Constant(tree.value != negated)
        case _:
            return _negated(_normal_test(tree)) if negated else _normal_test(tree)


def _normal_test(tree: Test) -> Predicate:
    match tree:
        case Compare(op="==", left=left, right=Literal(kind="null")) if not isinstance(left, Literal):
            return Not(Exists(left))
        case Compare(op="!=", left=left, right=Literal(kind="null")) if not isinstance(left, Literal):
            return Exists(left)
        case Compare(op="==", left=left, right=Literal() as literal) if not isinstance(left, Literal):
            return In(left, (literal,))
        case In(operand=operand) if Literal(None) in tree.values:
            rest = tuple(value for value in tree.values if value.kind != "null")
            return any_of([Not(Exists(operand)), _normal_test(In(operand, rest))])
        case In(values=()):
            return FALSE
        case _:
            return tree


def _negated(tree: Predicate) -> Predicate:
    match tree:
        case Not():
            return tree.term
        case Or():
            return all_of(map(_negated, tree.terms))
        case Constant():
            return Constant(not tree.value)
        case _:
            return Not(tree)


def _entails(a: Predicate, b: Predicate) -> bool:
    if b == TRUE or a == FALSE:
        return True
    if isinstance(a, Or):
        return all(_entails(term, b) for term in a.terms)
    if isinstance(b, And):
        return all(_entails(a, term) for term in b.terms)
    if isinstance(b, Or) and any(_entails(a, term) for term in b.terms):
        return True
    if isinstance(b, Or) and isinstance(a, In) and len(a.values) > 1:
        return all(_entails(In(a.operand, (value,)), b) for value in a.values)
    if isinstance(a, And):
        return any(_entails(term, b) for term in a.terms)
    return _test_entails(a, b)


def _test_entails(a: Predicate, b: Predicate) -> bool:
    if a == b:
        return True
    match a, b:
        case In(), In():
            return a.operand == b.operand and set(a.values) <= set(b.values)
        case In(), Compare(op="!=", right=Literal() as other):
            return a.operand == b.left and _differ(a, [other])
        case In(), Not(term=In() as excluded):
            return a.operand == excluded.operand and _differ(a, excluded.values)
        case Not(), Not():
            return _test_entails(b.term, a.term)
        case _, Exists():
            return b.operand in _present(a)
        case _:
            return False


def _differ(one: In, others: Iterable[Literal]) -> bool:
    """Whether a value that is one of some texts surely is none of others, whatever its type is.

    Two texts may be written differently and be the same number, truth value or time: these are not judged.
    """
    texts = [_plain_text(value) for value in one.values]
    excluded = [value.value.strip() if isinstance(value.value, str) else None for value in others]
    return None not in texts and None not in excluded and not set(texts) & set(excluded)


def _plain_text(literal: Literal) -> str | None:
    """A text that can be read as nothing else: it begins with a letter and is no truth value."""
    text = literal.value.strip() if isinstance(literal.value, str) else ""
    return text if text[:1].isalpha() and text.lower() not in ("true", "false") else None


def _present(test: Predicate) -> set[Subject]:
    """The values that are surely there where a test is true."""
    match test:
        case Compare():
            return {side for side in (test.left, test.right) if not isinstance(side, Literal)}
        case Like() | Glob() | Match() | Find() | In():
            return {test.operand}
        case _:
            return set()
