"""A statement: an expression that was sent to a backend; its SQL is written when somebody reads it."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir


@dataclass(frozen=True, eq=False)
class Statement:
    """An expression that was sent.

    Attributes
    ----------
    expression
        What was asked.
    dialect
        The backend's.
    """

    expression: ir.Table
    dialect: str

    def __str__(self) -> str:
        return str(ibis.to_sql(self.expression, dialect=self.dialect))
