"""A predicate: the one tree that JPath texts, LINQ texts and Ibis expressions give.

    Predicate = Constant | Compare | Like | Glob | Match | Find | In | Exists | Not | And | Or
    Operand   = Path | Length | Literal | Arithmetic | Call | Choose

Its logic has two values.  A test (``Compare``, ``Like``, ``Match``, ``In``) is true where
its values are there and fit, and false everywhere else; a missing value fits nothing, not
even ``!=``.  ``Not(p)`` is true exactly where ``p`` is not, so ``p`` and ``!(p)`` part
the rows in two.  Comparing with null asks whether the value is there: ``@.x == null``
where it is missing, ``@.x != null`` where it is not.

Trees are plain frozen values.  ``to_jpath`` is their text, and ``parse_predicate`` of that
text is the same tree again; what only LINQ says (``Glob``, ``Find``, computed operands) has no
JPath.  ``aggflow.language.meaning`` holds what trees mean in Ibis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

from aggflow.errors import Problem, SpecError
from aggflow.language.literal import Literal, quoted
from aggflow.language.operators import MIRRORED, Comparison
from aggflow.language.regex import first_problem, unescape_slashes
from aggflow.quote import quoted as shown

Sign: TypeAlias = OneOf["+", "-", "*", "/"]
Border: TypeAlias = OneOf["any", "token", "end"]

_SIGNS = ("+", "-", "*", "/")
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Path:
    """The way to a field: a column, then fields or JSON keys in it.

    Attributes
    ----------
    parts
        Column first; at least one.
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts:
            raise _wrong("a path needs at least one name")

    def __str__(self) -> str:
        return "@" + "".join(_segments(self.parts))


@dataclass(frozen=True)
class Length:
    """How many elements an array has, or characters a text."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path}.length"


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers computed with; missing where either is, or where a divisor is zero."""

    sign: Sign
    left: Operand
    right: Operand

    def __post_init__(self) -> None:
        if self.sign not in _SIGNS:
            raise _wrong(f"{self.sign!r} is no arithmetic")

    def __str__(self) -> str:
        return f"({self.left} {self.sign} {self.right})"


@dataclass(frozen=True)
class Call:
    """A row function of its arguments; ``aggflow.language.function`` lists them."""

    name: str
    arguments: tuple[Operand, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", tuple(self.arguments))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True)
class Choose:
    """One operand where a predicate is true, another everywhere else."""

    condition: Predicate
    then: Operand
    otherwise: Operand

    def __str__(self) -> str:
        return f"ifthenelse(…, {self.then}, {self.otherwise})"


Subject: TypeAlias = Path | Length | Arithmetic | Call | Choose
Operand: TypeAlias = Subject | Literal


@dataclass(frozen=True)
class Constant:
    """True for every row, or for none."""

    value: bool


TRUE = Constant(True)
FALSE = Constant(False)


@dataclass(frozen=True)
class Compare:
    """Two operands compared; a literal stands on the right of anything else."""

    op: Comparison
    left: Operand
    right: Operand

    def __post_init__(self) -> None:
        if self.op not in MIRRORED:
            raise _wrong(f"{self.op!r} is no comparison")
        if isinstance(self.left, Literal) and not isinstance(self.right, Literal):
            left, right = self.right, self.left
            object.__setattr__(self, "op", MIRRORED[self.op])
            object.__setattr__(self, "left", left)
            object.__setattr__(self, "right", right)


@dataclass(frozen=True)
class Like:
    """A text that fits a pattern: ``%`` any text, ``_`` any one character, the whole of it."""

    operand: Subject
    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True)
class Glob:
    """A text that fits a pattern: ``*`` any text, ``?`` any one character, the whole of it."""

    operand: Subject
    pattern: str


@dataclass(frozen=True)
class Match:
    """A text in which a regular expression (RE2) finds something."""

    operand: Subject
    pattern: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", unescape_slashes(self.pattern))
        problem = first_problem(self.pattern)
        if problem is not None:
            raise _wrong(f"the regular expression {shown(self.pattern)} cannot be read: {problem.message}")


@dataclass(frozen=True)
class Find:
    """A text in which one of some texts stands, within given borders.

    Attributes
    ----------
    operand
        What is searched.
    texts
        What it is searched for, each as it is written.
    left, right
        What must be before and after: ``any`` text, the border of a ``token`` (an ASCII character
        that is no letter or digit, or the end of the text), or the ``end`` of the text itself.
    ignore_case
        Whether letters fit in either case.
    """

    operand: Subject
    texts: tuple[str, ...]
    left: Border = "any"
    right: Border = "any"
    ignore_case: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(self.texts))
        if not self.texts:
            raise _wrong("a search needs at least one text")


@dataclass(frozen=True)
class In:
    """An operand that equals one of the values; with none, never."""

    operand: Subject
    values: tuple[Literal, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))


@dataclass(frozen=True)
class Exists:
    """A value that is there: not missing and not null."""

    operand: Subject


@dataclass(frozen=True)
class Not:
    """True exactly where its term is not."""

    term: Predicate


@dataclass(frozen=True)
class And:
    """All terms; at least two.  Terms that are conjunctions themselves are taken apart."""

    terms: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _flat(And, self.terms))


@dataclass(frozen=True)
class Or:
    """Any of the terms; at least two.  Terms that are disjunctions themselves are taken apart."""

    terms: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _flat(Or, self.terms))


Predicate: TypeAlias = Constant | Compare | Like | Glob | Match | Find | In | Exists | Not | And | Or


def all_of(terms: Iterable[Predicate]) -> Predicate:
    """The conjunction of any number of predicates, without constants in it; of none, TRUE.

    Examples
    --------
    >>> from aggflow.language import to_jpath
    >>> to_jpath(all_of([TRUE, Exists(Path(("a",)))]))
    '@.a'
    """
    return _joined(And, terms, neutral=TRUE, decides=FALSE)


def any_of(terms: Iterable[Predicate]) -> Predicate:
    """The disjunction of any number of predicates, without constants in it; of none, FALSE."""
    return _joined(Or, terms, neutral=FALSE, decides=TRUE)


def conjuncts(tree: Predicate) -> tuple[Predicate, ...]:
    """The conditions that must all hold; none for TRUE.

    Examples
    --------
    >>> a, b = Exists(Path(("a",))), Exists(Path(("b",)))
    >>> conjuncts(And((a, b))) == (a, b), conjuncts(a) == (a,), conjuncts(TRUE)
    (True, True, ())
    """
    if tree == TRUE:
        return ()
    return tree.terms if isinstance(tree, And) else (tree,)


def paths(tree: Predicate) -> set[Path]:
    """All fields that a predicate reads."""
    return {path for operand in _operands(tree) for path in operand_paths(operand)}


def operand_paths(operand: Operand) -> set[Path]:
    """All fields that an operand reads.

    Examples
    --------
    >>> operand_paths(Arithmetic("+", Path(("a",)), Literal(1))) == {Path(("a",))}
    True
    """
    match operand:
        case Literal():
            return set()
        case Path():
            return {operand}
        case Length():
            return {operand.path}
        case Arithmetic():
            return operand_paths(operand.left) | operand_paths(operand.right)
        case Call():
            return set[Path]().union(*map(operand_paths, operand.arguments))
        case Choose():
            return paths(operand.condition) | operand_paths(operand.then) | operand_paths(operand.otherwise)


def _segments(parts: tuple[str, ...]) -> Iterator[str]:
    for i, part in enumerate(parts):
        is_the_function = part == "length" and i == len(parts) - 1 and i > 0
        plain = _PLAIN_NAME.fullmatch(part) and not is_the_function
        yield f".{part}" if plain else f"[{quoted(part)}]"


def _operands(tree: Predicate) -> Iterator[Operand]:
    match tree:
        case Constant():
            return
        case Compare():
            yield from (tree.left, tree.right)
        case Like() | Glob() | Match() | Find() | In() | Exists():
            yield tree.operand
        case Not():
            yield from _operands(tree.term)
        case And() | Or():
            for term in tree.terms:
                yield from _operands(term)


def _flat(kind: type[And | Or], terms: Iterable[Predicate]) -> tuple[Predicate, ...]:
    flat = tuple(part for term in terms for part in (term.terms if isinstance(term, kind) else (term,)))
    if len(flat) < 2:
        raise _wrong(f"{kind.__name__} joins at least two terms", "all_of and any_of take any number")
    return flat


def _joined(
    kind: type[And | Or], terms: Iterable[Predicate], *, neutral: Constant, decides: Constant
) -> Predicate:
    kept = [term for term in terms if term != neutral]
    if decides in kept:
        return decides
    if len(kept) < 2:
        return kept[0] if kept else neutral
    return kind(tuple(kept))


def _wrong(message: str, hint: str = "") -> SpecError:
    return SpecError("the predicate", [Problem("", message, hint)])
