"""Texts and the trees they give: predicates and paths, and what they mean in Ibis."""

from __future__ import annotations

from aggflow.language.entailment import implies
from aggflow.language.expression import from_ibis
from aggflow.language.jpath import parse_path, parse_predicate
from aggflow.language.meaning import to_ibis
from aggflow.language.operators import OPERATORS, Operator
from aggflow.language.predicate import (
    FALSE,
    TRUE,
    And,
    Compare,
    Constant,
    Exists,
    In,
    Length,
    Like,
    Literal,
    Match,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
    all_of,
    any_of,
    conjuncts,
    paths,
    quoted,
    read_number,
    to_jpath,
)

__all__ = [
    "FALSE",
    "OPERATORS",
    "TRUE",
    "And",
    "Compare",
    "Constant",
    "Exists",
    "In",
    "Length",
    "Like",
    "Literal",
    "Match",
    "Not",
    "Operand",
    "Operator",
    "Or",
    "Path",
    "Predicate",
    "all_of",
    "any_of",
    "conjuncts",
    "from_ibis",
    "implies",
    "parse_path",
    "parse_predicate",
    "paths",
    "quoted",
    "read_number",
    "to_ibis",
    "to_jpath",
]
