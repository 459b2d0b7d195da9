"""Texts and the trees they give: predicates, paths and queries, and what they mean in Ibis."""

from __future__ import annotations

from aggflow.language.aggregator import AGGREGATORS, Aggregator
from aggflow.language.completion import Completion, complete_linq
from aggflow.language.cron import Cron
from aggflow.language.entailment import implies
from aggflow.language.expression import from_ibis
from aggflow.language.function import FUNCTIONS, Function
from aggflow.language.jpath import parse_path, parse_predicate
from aggflow.language.jpath_text import to_jpath
from aggflow.language.kind import OpenColumns
from aggflow.language.linq import parse_condition, parse_linq, parse_operand
from aggflow.language.linq_text import to_linq
from aggflow.language.literal import Literal, quoted, read_number
from aggflow.language.meaning import operand_to_ibis, to_ibis
from aggflow.language.notation import (
    canonical_predicate,
    canonical_subject,
    check_predicate,
    check_subject,
    is_linq,
    read_predicate,
    read_subject,
    write_predicate,
    write_subject,
)
from aggflow.language.operators import OPERATORS, Operator
from aggflow.language.predicate import (
    FALSE,
    TRUE,
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
    Subject,
    all_of,
    any_of,
    conjuncts,
    operand_paths,
    paths,
)
from aggflow.language.query import BUCKET, Aggregate, Named, Query
from aggflow.language.vocabulary import Word, vocabulary

__all__ = [
    "AGGREGATORS",
    "BUCKET",
    "FALSE",
    "FUNCTIONS",
    "OPERATORS",
    "TRUE",
    "Aggregate",
    "Aggregator",
    "And",
    "Arithmetic",
    "Call",
    "Choose",
    "Compare",
    "Completion",
    "Constant",
    "Cron",
    "Exists",
    "Find",
    "Function",
    "Glob",
    "In",
    "Length",
    "Like",
    "Literal",
    "Match",
    "Named",
    "Not",
    "OpenColumns",
    "Operand",
    "Operator",
    "Or",
    "Path",
    "Predicate",
    "Query",
    "Subject",
    "Word",
    "all_of",
    "any_of",
    "canonical_predicate",
    "canonical_subject",
    "check_predicate",
    "check_subject",
    "complete_linq",
    "conjuncts",
    "from_ibis",
    "implies",
    "is_linq",
    "operand_paths",
    "operand_to_ibis",
    "parse_condition",
    "parse_linq",
    "parse_operand",
    "parse_path",
    "parse_predicate",
    "paths",
    "quoted",
    "read_number",
    "read_predicate",
    "read_subject",
    "to_ibis",
    "to_jpath",
    "to_linq",
    "vocabulary",
    "write_predicate",
    "write_subject",
]
