"""Entailment: whether one predicate's rows are all among another's, by their form alone."""

from __future__ import annotations

from aggflow.language.predicate import (
    FALSE,
    TRUE,
    And,
    Compare,
    Constant,
    Exists,
    In,
    Like,
    Literal,
    Match,
    Not,
    Or,
    Path,
    Predicate,
    all_of,
    any_of,
)


def implies(a: Predicate, b: Predicate) -> bool:
    """Whether ``b`` surely holds wherever ``a`` does.

    Judged by form: every condition of ``b`` must be among those of ``a``, whatever their
    order and nesting; a value implies the lists it is in, any test of a field implies that
    the field is there.  True is certain; False may only mean that the form does not show it.

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


def _normal_test(tree: Compare | Like | Match | In | Exists) -> Predicate:
    match tree:
        case Compare(op="==", left=Path() as path, right=Literal(kind="null")):
            return Not(Exists(path))
        case Compare(op="!=", left=Path() as path, right=Literal(kind="null")):
            return Exists(path)
        case Compare(op="==", left=left, right=Literal() as literal) if not isinstance(left, Literal):
            return In(left, (literal,))
        case In(operand=Path() as path) if Literal(None) in tree.values:
            rest = tuple(value for value in tree.values if value.kind != "null")
            return any_of([Not(Exists(path)), _normal_test(In(path, rest))])
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
        case Not(), Not():
            return _test_entails(b.term, a.term)
        case _, Exists():
            return b.path in _present(a)
        case _:
            return False


def _present(test: Predicate) -> set[Path]:
    """The fields that are surely there where a test is true."""
    match test:
        case Compare():
            return {side for side in (test.left, test.right) if isinstance(side, Path)}
        case Like() | Match() | In():
            return {test.operand} if isinstance(test.operand, Path) else set()
        case _:
            return set()
