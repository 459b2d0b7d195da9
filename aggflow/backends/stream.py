"""A stream: the rows that an expression gives, as Arrow record batches, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from typing import Any, Final

import ibis.expr.types as ir
import pyarrow as pa

from aggflow.backends.capability import Capability
from aggflow.backends.typed_rows import typed_rows

BATCH_ROWS: Final = 131_072
"""Rows of a record batch, at most."""


def stream(con: Any, can: Capability, expression: ir.Table) -> Iterator[pa.RecordBatch]:
    """Run an expression, and give its rows as they come; nothing else may be run before the last was taken.

    Parameters
    ----------
    con
        The Ibis backend.
    can
        Its row in the capability table.
    expression
        What to run.

    Yields
    ------
    pyarrow.RecordBatch
        With the types that Ibis says; together all rows.

    Raises
    ------
    SourceTypeError
        A value is not of its column's type, where the backend does not see to that.
    """
    schema: Any = expression.schema().to_pyarrow()
    if can.arrow == "ibis":
        with con.to_pyarrow_batches(expression, chunk_size=BATCH_ROWS) as reader:
            yield from (batch.rename_columns(schema.names).cast(schema) for batch in reader)
    elif can.arrow == "frame":
        found = con.raw_sql(con.compile(expression)).toArrow()
        yield from found.rename_columns(schema.names).cast(schema).to_batches(BATCH_ROWS)
    else:
        with closing(_cursor(con, can, con.compile(expression))) as cursor:
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield typed_rows(rows, expression.schema())


def _cursor(con: Any, can: Capability, sql: str) -> Any:
    if not can.cursor:
        return con.raw_sql(sql)
    module, _, name = can.cursor.rpartition(".")
    cursor = con.con.cursor(getattr(import_module(module), name))
    cursor.execute(sql)
    return cursor
