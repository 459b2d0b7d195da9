"""A query: what a LINQ text says, as one frozen tree.

    where the rows  ->  row expressions with names  ->  groups  ->  aggregates  ->  outputs of them

``wheres`` are said in columns of the table.  Everything after them may use the names of
``selects``; `Query.resolved` says it in columns too.  Outputs are operands whose paths are names
of aggregates (``sum(amount)``), of keys, or `BUCKET`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from aggflow.errors import Problem, SpecError
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
    all_of,
)

#: The name of an event's time, and after the group that of the start of a bucket.
BUCKET = "eventdate"


@dataclass(frozen=True)
class Aggregate:
    """One aggregate of a query.

    Attributes
    ----------
    name
        Its canonical text, by which outputs name it: ``sum(amount)``, ``percentile95(delay)``.
    function
        A name of ``AGGREGATORS``.
    argument
        What is aggregated; None counts rows.
    fraction
        0 to 1, of ``median`` and ``percentile`` only: 0.95 for ``percentile95``.
    """

    name: str
    function: str
    argument: Operand | None = None
    fraction: Decimal | None = None


@dataclass(frozen=True)
class Named:
    """An operand with a name."""

    name: str
    operand: Operand


@dataclass(frozen=True)
class Query:
    """A grouped query.

    Attributes
    ----------
    table
        The name of the source, its parts joined by dots.
    wheres
        Conditions that must all hold, in columns of the table; no one of them is a conjunction
        that could be taken apart.
    selects
        Row expressions before the group; each may use the names of those before it.
    period_ms
        Width of the buckets in milliseconds; None: one for the whole range.
    keys
        What rows are grouped by; the name of an expression is its text.
    client_ms
        Width to which a client makes buckets coarser, a multiple of ``period_ms``; None: not.
    aggregates
        Each aggregate that outputs use, once, in the order of their first use.
    outputs
        What is answered beside the keys and the bucket; at least one.
    """

    table: str
    wheres: tuple[Predicate, ...] = ()
    selects: tuple[Named, ...] = ()
    period_ms: int | None = None
    keys: tuple[Named, ...] = ()
    client_ms: int | None = None
    aggregates: tuple[Aggregate, ...] = (Aggregate("count()", "count"),)
    outputs: tuple[Named, ...] = (Named("count", Path(("count()",))),)

    @property
    def predicate(self) -> Predicate:
        """All conditions as one."""
        return all_of(self.wheres)

    @property
    def columns(self) -> tuple[Operand, ...]:
        """What the keys are, in columns of the table."""
        return tuple(self.resolved(key.operand) for key in self.keys)

    def resolved(self, operand: Operand) -> Operand:
        """An operand in columns of the table: names of ``selects`` replaced by what they stand for.

        Examples
        --------
        >>> from aggflow.language import parse_linq, to_linq
        >>> query = parse_linq("from t select lower(a) as b group by b")
        >>> to_linq(query.resolved(query.keys[0].operand))
        'lower(a)'
        """
        for select in reversed(self.selects):
            operand = substituted(operand, {Path((select.name,)): select.operand})
        return operand

    def aggregate(self, name: str) -> Aggregate:
        """The aggregate of a name."""
        for aggregate in self.aggregates:
            if aggregate.name == name:
                return aggregate
        raise SpecError("the query", [Problem("aggregates", f"there is no aggregate {name!r}")])


def substituted(operand: Operand, values: Mapping[Path, Operand]) -> Operand:
    """An operand with some of its paths replaced."""
    match operand:
        case Path():
            return values.get(operand, operand)
        case Length():
            value = values.get(operand.path, operand.path)
            return Length(value) if isinstance(value, Path) else Call("length", (value,))
        case Arithmetic():
            return Arithmetic(
                operand.sign, substituted(operand.left, values), substituted(operand.right, values)
            )
        case Call():
            return Call(operand.name, tuple(substituted(argument, values) for argument in operand.arguments))
        case Choose():
            return Choose(
                substituted_predicate(operand.condition, values),
                substituted(operand.then, values),
                substituted(operand.otherwise, values),
            )
        case _:
            return operand


def substituted_predicate(tree: Predicate, values: Mapping[Path, Operand]) -> Predicate:
    """A predicate with some of its paths replaced."""
    match tree:
        case Constant():
            return tree
        case Not():
            return Not(substituted_predicate(tree.term, values))
        case And() | Or():
            return type(tree)(tuple(substituted_predicate(term, values) for term in tree.terms))
        case Compare():
            return Compare(tree.op, substituted(tree.left, values), substituted(tree.right, values))
        case Like() | Glob() | Match() | Find() | In() | Exists():
            return replace(tree, operand=substituted(tree.operand, values))
