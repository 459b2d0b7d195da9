"""A statement: an expression that was sent to a backend; its SQL is written when somebody reads it."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from aggflow.backends.capabilities import capability
from aggflow.backends.quirks import adapted


@dataclass(frozen=True, eq=False)
class Statement:
    """An expression that was sent.

    Attributes
    ----------
    expression
        What was asked.
    dialect
        The backend's, by its name; where it has no SQL, one in which people can read what was asked.
    """

    expression: ir.Table
    dialect: str

    def __str__(self) -> str:
        can = capability(self.dialect)
        return str(ibis.to_sql(adapted(self.expression, can), dialect=can.shown_as or can.name))
