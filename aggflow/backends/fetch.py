"""A fetch: the rows that an expression gives, as Arrow, with the types that Ibis says."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from aggflow.backends.capability import Capability
from aggflow.backends.typed_rows import typed_rows


def fetch(con: Any, can: Capability, expression: ir.Table) -> pa.Table:
    """Run an expression.

    Parameters
    ----------
    con
        The Ibis backend.
    can
        Its row in the capability table.
    expression
        What to fetch.

    Raises
    ------
    SourceTypeError
        A value is not of its column's type, where the backend does not see to that.
    """
    if can.arrow == "ibis":
        return con.to_pyarrow(expression)
    if can.arrow == "frame":
        found = con.raw_sql(con.compile(expression)).toArrow()
        wanted: Any = expression.schema().to_pyarrow()
        return found.rename_columns(wanted.names).cast(wanted)
    # By way of pandas, as Ibis would do it, integers beside a null would become floats.
    with closing(con.raw_sql(con.compile(expression))) as cursor:
        return pa.Table.from_batches([typed_rows(cursor.fetchall(), expression.schema())])
