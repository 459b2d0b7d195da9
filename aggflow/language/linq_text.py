"""The canonical text of LINQ: lower-case keywords, conditions as functions, one space, milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from aggflow.errors import Problem, SpecError
from aggflow.language.function import FUNCTIONS
from aggflow.language.literal import Literal
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
    Like,
    Match,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
    conjuncts,
)
from aggflow.language.query import Named, Query

_PLAIN = re.compile(
    r"(?!(?:from|where|select|group|every|by|as|and|or|not|in|true|false|null)(?!\w))[^\W\d]\w*",
    re.IGNORECASE,
)
_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_FINDS = {
    ("any", "any", False): "has",
    ("any", "any", True): "weakhas",
    ("end", "any", False): "startswith",
    ("any", "end", False): "endswith",
}
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_linq(tree: Query | Predicate | Operand) -> str:
    """The canonical text of a query, a condition or an operand; parsing it gives the same tree.

    Raises
    ------
    SpecError
        A predicate that came from elsewhere has something that LINQ cannot say.

    Examples
    --------
    >>> from aggflow.language import parse_linq
    >>> print(to_linq(parse_linq("FROM t WHERE a = 'x' GROUP every 30m by a")))
    from t where eq(a, "x") group every 1800000 by a
    """
    if isinstance(tree, Query):
        return " ".join(_clauses(tree))
    if isinstance(tree, Path | Length | Literal | Arithmetic | Call | Choose):
        return _operand(tree)
    return _condition(tree)


def aggregate_text(function: str, argument: Operand | None, fraction: Decimal | None) -> str:
    """The canonical text of an aggregate, which is its name.

    Examples
    --------
    >>> aggregate_text("percentile", Path(("delay",)), Decimal("0.95"))
    'percentile95(delay)'
    """
    given = "" if argument is None else _operand(argument)
    if function != "percentile" or fraction is None:
        return f"{function}({given})"
    percent = fraction * 100
    if percent == int(percent) and 0 < percent < 100:
        return f"percentile{int(percent)}({given})"
    # From 0 to 1 a number is a fraction; 1 alone could be a percent as well.
    return f"percentile({given}, {'100' if fraction == 1 else Literal(fraction.normalize())})"


def output_text(operand: Operand, query: Query) -> str:
    """The canonical text of an output: aggregates and keys by their own text."""
    names = {aggregate.name: aggregate.name for aggregate in query.aggregates}
    names |= {key.name: _operand(key.operand) for key in query.keys if isinstance(key.operand, Path)}
    return _Text(names).operand(operand)


def condition_terms(tree: Predicate) -> Iterator[Predicate]:
    """The conditions of a conjunction; that a value is there and does not fit is one of them.

    Examples
    --------
    >>> a, b = Path(("a",)), Path(("b",))
    >>> fails = And((Exists(a), Not(Glob(a, "x*"))))
    >>> list(condition_terms(And((fails, Exists(b))))) == [fails, Exists(b)]
    True
    """
    terms = list(conjuncts(tree))
    while terms:
        term = terms.pop(0)
        if terms and isinstance(term, Exists) and _is_failing(term, terms[0]):
            yield And((term, terms.pop(0)))
        else:
            yield term


def _is_failing(there: Exists, term: Predicate) -> bool:
    return (
        isinstance(term, Not)
        and isinstance(term.term, Glob | Match | Find | In)
        and term.term.operand == there.operand
    )


def _clauses(query: Query) -> Iterator[str]:
    yield "from " + ".".join(map(_name, query.table.split(".")))
    if query.wheres:
        yield "where " + ", ".join(map(_condition, query.wheres))
    if query.selects:
        yield "select " + ", ".join(_named(_operand(item.operand), item.name) for item in query.selects)
    yield "group"
    if query.period_ms is not None:
        yield f"every {query.period_ms}"
    if query.keys:
        yield "by " + ", ".join(_operand(key.operand) for key in query.keys)
    if query.client_ms is not None:
        yield f"every {query.client_ms}"
    if query.outputs != Query("").outputs:
        yield "select " + ", ".join(_output(output, query) for output in query.outputs)


def _output(output: Named, query: Query) -> str:
    text = output_text(output.operand, query)
    return _named("count()", output.name, unnamed="count") if text == "count()" else _named(text, output.name)


def _named(text: str, name: str, unnamed: str | None = None) -> str:
    return text if name == (unnamed or text) else f"{text} as {_name(name)}"


def _condition(tree: Predicate) -> str:
    return _Text({}).condition(tree)


def _operand(operand: Operand) -> str:
    return _Text({}).operand(operand)


class _Text:
    """Texts of trees.

    Parameters
    ----------
    names
        Texts of paths of one part that are no columns.
    """

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def condition(self, tree: Predicate) -> str:
        match tree:
            case Constant():
                return "true" if tree.value else "false"
            case Not(term=Exists(operand=operand)):
                return f"isnull({self.operand(operand)})"
            case Exists():
                return f"isnotnull({self.operand(tree.operand)})"
            case Compare():
                return f"{_COMPARISONS[tree.op]}({self._known(tree.left)}, {self._known(tree.right)})"
            case Glob():
                return f"matches({self.operand(tree.operand)}, nameglob({_text(tree.pattern)}))"
            case Match():
                return f"matches({self.operand(tree.operand)}, re({_text(tree.pattern)}))"
            case Find():
                return self._find(tree)
            case In() if tree.values:
                return f"`in`({', '.join(map(self._known, tree.values))}, {self.operand(tree.operand)})"
            case And():
                return self._conjunction(tree)
            case Or():
                return f"`or`({', '.join(map(self.condition, tree.terms))})"
            case Like() | In() | Not():
                raise _unsayable(type(tree).__name__.lower())

    def _conjunction(self, tree: And) -> str:
        texts = [self._term(term) for term in condition_terms(tree)]
        return texts[0] if len(texts) == 1 else f"`and`({', '.join(texts)})"

    def _term(self, term: Predicate) -> str:
        match term:
            case And(terms=(Exists(), Not(term=test))):
                return f"not({self.condition(test)})"
            case _:
                return self.condition(term)

    def _find(self, tree: Find) -> str:
        subject, texts = self.operand(tree.operand), ", ".join(map(_text, tree.texts))
        borders = (tree.left, tree.right)
        name = _FINDS.get((*borders, tree.ignore_case))
        if name is not None:
            return f"{name}({subject}, {texts})"
        if borders == ("end", "end") and tree.ignore_case:
            return f"eqic({subject}, {texts})" if len(tree.texts) == 1 else f"weakin({texts}, {subject})"
        if "end" in borders or len(tree.texts) > 1:
            raise _unsayable("such a search")
        extends = ", ".join("true" if border == "any" else "false" for border in borders)
        function = "weaktoktains" if tree.ignore_case else "toktains"
        return f"{function}({subject}, {texts}{'' if borders == ('token', 'token') else f', {extends}'})"

    def operand(self, operand: Operand) -> str:
        match operand:
            case Path():
                name = operand.parts[0] if len(operand.parts) == 1 else ""
                return self._names.get(name) or ".".join(map(_name, operand.parts))
            case Length():
                return f"length({self.operand(operand.path)})"
            case Literal():
                return _text(operand.value) if isinstance(operand.value, str) else str(operand)
            case Arithmetic():
                return self._arithmetic(operand)
            case Call():
                return self._call(operand)
            case Choose():
                then, otherwise = self.operand(operand.then), self.operand(operand.otherwise)
                return f"ifthenelse({self.condition(operand.condition)}, {then}, {otherwise})"

    def _arithmetic(self, operand: Arithmetic) -> str:
        binds = _BINDS[operand.sign]
        left, right = self.operand(operand.left), self.operand(operand.right)
        if isinstance(operand.left, Arithmetic) and _BINDS[operand.left.sign] < binds:
            left = f"({left})"
        if isinstance(operand.right, Arithmetic) and _BINDS[operand.right.sign] <= binds:
            right = f"({right})"
        return f"{left} {operand.sign} {right}"

    def _call(self, call: Call) -> str:
        takes = FUNCTIONS[call.name].takes if call.name in FUNCTIONS else ()
        texts = [self.operand(argument) for argument in call.arguments]
        for i, take in enumerate(takes[: len(texts)]):
            if take == "regex":
                texts[i] = f"re({texts[i]})"
        return f"{call.name}({', '.join(texts)})"

    def _known(self, operand: Operand) -> str:
        if operand == Literal(None):
            raise _unsayable("a comparison with null")
        return self.operand(operand)


def _text(text: str) -> str:
    return '"' + "".join(_ESCAPED.get(c, c) for c in text) + '"'


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else "`" + name.replace("`", "``") + "`"


def _unsayable(what: str) -> SpecError:
    return SpecError("the predicate", [Problem("", f"LINQ cannot say {what}", "it is said in JPath")])
