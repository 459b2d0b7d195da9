"""A reader: what terms of LINQ say, as operands and predicates, once names have a meaning.

LINQ has three truths, predicates have two: ``not f(x)`` keeps no row where ``x`` is missing.
Negations are therefore moved inwards, to where they say "the value is there, and does not fit".
"""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence

from aggflow.errors import QueryError, did_you_mean
from aggflow.figure import counted
from aggflow.language.aggregator import AGGREGATORS, is_aggregator, refusal_of
from aggflow.language.condition import CONDITIONS
from aggflow.language.function import FUNCTIONS, REFUSED, TAKES, Function, Takes
from aggflow.language.kind import Kind, TypeOf, kind_of_type
from aggflow.language.linq_text import to_linq
from aggflow.language.literal import Literal
from aggflow.language.mismatch import mismatch_of
from aggflow.language.operators import OPPOSITE, Comparison
from aggflow.language.predicate import (
    And,
    Arithmetic,
    Call,
    Choose,
    Compare,
    Constant,
    Exists,
    Find,
    Glob,
    In,
    Length,
    Match,
    Not,
    Operand,
    Path,
    Predicate,
    Sign,
    Subject,
    all_of,
    any_of,
)
from aggflow.language.regex import first_problem
from aggflow.language.syntax import WrongHereError
from aggflow.language.term import Applied, Braces, Name, Term, Written
from aggflow.quote import quoted
from aggflow.timeline import parse_instant

_SIGNS: dict[str, Sign] = {"+": "+", "-": "-", "*": "*", "/": "/"}
_VALUES_FIRST = '`in`("A", "B", name) has its values first, all else has the column first'
_UNQUOTED = 'a column stands without quotes: carrier = "AA"; one with an odd name in backticks: `tail number`'
_IFTHENELSE = "a condition is no value; it becomes one by ifthenelse(condition, 1, 0)"


class Reader:
    """Reads terms.

    Parameters
    ----------
    names
        What a name means; it raises for one that means nothing.
    type_of
        The type of a path, None where it is not known.
    aggregates
        What an aggregate means; None where there can be none.
    declared
        The type that a path is declared with, None where it has none.
    """

    def __init__(
        self,
        names: Callable[[Name], Operand],
        type_of: TypeOf,
        aggregates: Callable[[Applied], Operand] | None = None,
        *,
        declared: TypeOf = lambda _: None,
    ) -> None:
        self._names = names
        self._type_of = type_of
        self._aggregates = aggregates
        self._declared = declared

    def operand(self, term: Term) -> Operand:
        """The value that a term says."""
        match term:
            case Name():
                return self._names(term)
            case Written():
                return term.literal
            case Braces():
                raise WrongHereError("a set stands after in and <-, and in has()", term.at)
            case Applied():
                return self._applied(term)

    def condition(self, term: Term, *, negated: bool = False) -> Predicate:
        """The predicate that a term says: true where the term is, or, negated, where it is false."""
        match term:
            case Written(literal=Literal(value=bool() as value)):
                return Constant(value != negated)
            case Applied(function="and" | "or"):
                self._must_take(term, 2, None)
                terms = [self.condition(argument, negated=negated) for argument in term.arguments]
                return all_of(terms) if (term.function == "and") != negated else any_of(terms)
            case Applied(function="not"):
                self._must_take(term, 1, 1)
                return self.condition(term.arguments[0], negated=not negated)
            case Applied() if term.function in CONDITIONS:
                row = CONDITIONS[term.function]
                self._must_take(term, row.fewest, row.most)
                return _negated(row.predicate(self, term)) if negated else row.predicate(self, term)
            case Name():
                return self._truth(term, negated=negated)
            case _:
                operand = self.operand(term)
                raise WrongHereError(
                    f"{_called(term)} is no condition", term.at, f"compare it, as in {to_linq(operand)} = …"
                )

    def kind(self, operand: Operand) -> Kind | None:
        """The kind of an operand, None where it is not known."""
        match operand:
            case Path():
                type_ = self._type_of(operand)
                return None if type_ is None else kind_of_type(type_)
            case Literal():
                kinds: dict[str, Kind] = {"text": "text", "number": "number", "boolean": "boolean"}
                return kinds.get(operand.kind)
            case Length() | Arithmetic():
                return "number"
            case Call():
                row = FUNCTIONS[operand.name]
                return row.gives or self._first_kind(operand.arguments)
            case Choose():
                return self._first_kind((operand.then, operand.otherwise))

    def subject(self, term: Term, hint: str = _VALUES_FIRST) -> Subject:
        """A value that is not written out; the hint says what to do where it is."""
        operand = self.operand(term)
        if isinstance(operand, Literal):
            raise WrongHereError(
                "a column or an expression is needed here, not a written value", term.at, hint
            )
        return operand

    def text(self, term: Term) -> Subject:
        """A value that is searched as a text."""
        operand = self.subject(term)
        self._must_be(operand, "text", term)
        return operand

    def number(self, term: Term) -> Operand:
        """A value that is computed with."""
        operand = self.operand(term)
        self._must_be(operand, "number", term)
        return operand

    def written(self, terms: Sequence[Term], *, braces: bool = True) -> list[Literal]:
        """Literals, those of sets among them."""
        found: list[Literal] = []
        for term in terms:
            if isinstance(term, Braces) and braces:
                found += self.written(term.items, braces=False)
            elif isinstance(term, Written) and term.literal.kind != "null":
                found.append(term.literal)
            elif isinstance(term, Written):
                raise WrongHereError("null is not compared with", term.at, "isnull(name) asks for it")
            else:
                raise WrongHereError(f"{_called(term)} is not written out", term.at, "values stand here")
        return found

    def texts(self, terms: Sequence[Term]) -> tuple[str, ...]:
        """Literals as texts."""
        literals = self.written(terms)
        return tuple(lit.value if isinstance(lit.value, str) else str(lit) for lit in literals)

    def comparison(self, op: Comparison, term: Applied) -> Predicate:
        """Two values compared."""
        left, right = (self.operand(argument) for argument in term.arguments)
        for operand, argument in zip((left, right), term.arguments, strict=True):
            if operand == Literal(None):
                raise WrongHereError(
                    "null is not compared with", argument.at, "isnull(name) and isnotnull(name) ask for it"
                )
        kinds = {self.kind(left), self.kind(right)}
        if "nested" in kinds:
            raise WrongHereError(f"{_called(term)} compares what has fields or elements", term.at)
        if isinstance(left, Literal) and isinstance(right, Literal) and "text" in kinds:
            raise WrongHereError("two written values are compared", term.arguments[0].at, _UNQUOTED)
        if not isinstance(left, Literal) and not isinstance(right, Literal):
            if None not in kinds and len(kinds) > 1 and kinds != {"text", "number"}:
                said = " and ".join(_said(kind) for kind in (self.kind(left), self.kind(right)))
                raise WrongHereError(f"{said} cannot be compared", term.at)
        elif "time" in kinds:
            self._must_be_times((left, right), term)
        self.must_match(left, right, term.at)
        return Compare(op, left, right)

    def must_match(self, left: Operand, right: Operand, at: int) -> None:
        """Refuse what can never be equal, by the declared types of columns."""
        found = mismatch_of(left, right, self._declared, linq=True)
        if found:
            raise WrongHereError(found.message, at, found.hint)

    def _must_be_times(self, operands: tuple[Operand, Operand], term: Applied) -> None:
        for operand, argument in zip(operands, term.arguments, strict=True):
            if isinstance(operand, Literal) and isinstance(operand.value, str):
                try:
                    parse_instant(operand.value)
                except QueryError as error:
                    raise WrongHereError(error.message, argument.at, error.hint) from None

    def pattern(self, term: Term, *functions: str) -> tuple[str, str]:
        """A pattern and the function it stands in."""
        if isinstance(term, Applied) and term.function in functions and len(term.arguments) == 1:
            argument = term.arguments[0]
            if isinstance(argument, Written) and isinstance(argument.literal.value, str):
                problem = first_problem(argument.literal.value) if term.function == "re" else None
                if problem is not None:
                    raise WrongHereError(
                        f"the regular expression cannot be used: {problem.message}",
                        argument.at,
                        "expressions are those of RE2; in double quotes a backslash is written \\\\",
                    )
                return term.function, argument.literal.value
        wanted = " or ".join(f'{function}("…")' for function in functions)
        raise WrongHereError(f"a pattern is written {wanted}", term.at)

    def _applied(self, term: Applied) -> Operand:
        name = term.function
        if name in _SIGNS:
            left, right = (self.number(argument) for argument in term.arguments)
            return Arithmetic(_SIGNS[name], left, right)
        if name in ("ifthenelse", "decode"):
            return self._chosen(term)
        if name in FUNCTIONS:
            return self._call(FUNCTIONS[name], term)
        if is_aggregator(name):
            return self._aggregate(term)
        if name in CONDITIONS or name in ("and", "or", "not"):
            raise WrongHereError(_IFTHENELSE, term.at)
        refused = REFUSED.get(name) or refusal_of(name)
        if refused:
            raise WrongHereError(f"{name}() is not accepted", term.at, refused)
        raise WrongHereError(
            f"there is no function {quoted(name)}", term.at, did_you_mean(name, self._functions())
        )

    def _aggregate(self, term: Applied) -> Operand:
        if self._aggregates is None:
            hint = f"it stands alone, in a select after the group: group select {term.function}(...)"
            raise WrongHereError(f"{term.function}() is an aggregate", term.at, hint)
        return self._aggregates(term)

    def _functions(self) -> list[str]:
        aggregates = [] if self._aggregates is None else [*AGGREGATORS]
        return [*FUNCTIONS, *CONDITIONS, *aggregates, "ifthenelse", "decode", "not"]

    def _call(self, row: Function, term: Applied) -> Operand:
        self._must_take(term, row.fewest, len(row.takes))
        given = zip(row.takes, term.arguments, strict=False)
        arguments = tuple(self._argument(takes, argument) for takes, argument in given)
        if row.name == "length" and isinstance(arguments[0], Path):
            return Length(arguments[0])
        if set(row.takes) == {"any"}:
            self._must_be_alike(arguments, term)
        return Call(row.name, arguments)

    def _argument(self, takes: Takes, term: Term) -> Operand:
        match takes:
            case "regex":
                return Literal(self.pattern(term, "re")[1])
            case "written" | "whole":
                literal = self.operand(term)
                fits = isinstance(literal, Literal) and (
                    isinstance(literal.value, str)
                    if takes == "written"
                    else isinstance(literal.value, int) and literal.kind == "number" and literal.value >= 0
                )
                if not fits:
                    raise WrongHereError(f"{TAKES[takes]} is needed here", term.at)
                return literal
            case _:
                operand = self.operand(term)
                if takes != "any":
                    self._must_be(operand, takes, term)
                return operand

    def _chosen(self, term: Applied) -> Operand:
        """``ifthenelse(c, a, b)``, and ``decode(x, k, a, …, b)``, which is a row of them."""
        arguments = list(term.arguments)
        if term.function == "ifthenelse":
            self._must_take(term, 2, 3)
            cases = [(self.condition(arguments[0]), self.operand(arguments[1]))]
            rest = arguments[2:]
        else:
            self._must_take(term, 3, None)
            subject, *arguments = arguments
            pairs = list(zip(arguments[::2], arguments[1::2], strict=False))
            cases = [
                (
                    self.comparison("==", Applied("eq", (subject, key), key.at, term.depth)),
                    self.operand(value),
                )
                for key, value in pairs
            ]
            rest = arguments[2 * len(pairs) :]
        chosen: Operand = self.operand(rest[0]) if rest else Literal(None)
        self._must_be_alike([*(value for _, value in cases), chosen], term)
        for condition, value in reversed(cases):
            chosen = Choose(condition, value, chosen)
        return chosen

    def _truth(self, term: Name, *, negated: bool) -> Predicate:
        operand = self._names(term)
        if self.kind(operand) not in (None, "boolean"):
            raise WrongHereError(
                f"{term} is {_said(self.kind(operand))} and no condition", term.at, "compare it"
            )
        return Compare("!=" if negated else "==", operand, Literal(True))

    def _first_kind(self, operands: Sequence[Operand]) -> Kind | None:
        return next((kind for kind in map(self.kind, operands) if kind is not None), None)

    def _must_be_alike(self, operands: Sequence[Operand], term: Applied) -> None:
        kinds = {kind for kind in map(self.kind, operands) if kind is not None}
        if len(kinds) > 1:
            said = " and ".join(_said(kind) for kind in sorted(kinds))
            raise WrongHereError(
                f"{term.function}() would give {said}", term.at, "str() and float() make them alike"
            )

    def _must_be(self, operand: Operand, takes: Takes, term: Term) -> None:
        kind = self.kind(operand)
        fits: dict[Takes, tuple[Kind | None, ...]] = {
            "text": (None, "text", "number", "scalar"),
            "number": (None, "number", "text"),
            "time": (None, "time"),
        }
        if operand == Literal(None) or kind not in fits.get(takes, (kind,)):
            said = "null" if operand == Literal(None) else _said(kind)
            raise WrongHereError(f"{TAKES[takes]} is needed here, not {said}", term.at)
        type_ = self._type_of(operand) if isinstance(operand, Path) else None
        if takes == "text" and type_ is not None and (type_.is_floating() or type_.is_decimal()):
            raise WrongHereError(
                f"{_called(term)} is {type_} and no text",
                term.at,
                "engines write such numbers each their own way",
            )

    def _must_take(self, term: Applied, fewest: int, most: int | None) -> None:
        count = len(term.arguments)
        if fewest <= count and (most is None or count <= most):
            return
        if most is None:
            wanted = f"{fewest} or more arguments"
        elif fewest == most:
            wanted = counted(fewest, "argument")
        else:
            wanted = f"{fewest} to {most} arguments"
        raise WrongHereError(f"{term.function}() takes {wanted}, not {count}", term.at)


def _negated(test: Predicate) -> Predicate:
    """Where a test is false: not where it is neither, for want of a value."""
    match test:
        case Compare():
            return Compare(OPPOSITE[test.op], test.left, test.right)
        case Not():
            return test.term
        case Exists():
            return Not(test)
        case Find() | Glob() | Match() | In():
            return And((Exists(test.operand), Not(test)))
        case _:
            raise AssertionError(test)


def _called(term: Term) -> str:
    match term:
        case Applied():
            return f"{term.function}()" if term.function.isidentifier() else "an expression"
        case Written():
            return str(term.literal)
        case Braces():
            return "a set"
        case Name():
            return str(term)


def _said(kind: str | None) -> str:
    names = {"nested": "what has fields or elements", "scalar": "an identifier", "boolean": "true or false"}
    return names.get(kind or "", f"a {kind}")
