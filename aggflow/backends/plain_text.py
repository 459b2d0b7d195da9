"""A plain text: a column of texts read so that it compares by its code points, on every backend."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge

from aggflow.backends.capability import Capability


def with_plain_texts(con: Any, can: Capability, table: ir.Table) -> ir.Table:
    """A table whose texts compare as they do in merged states: no letter equals another, blanks count.

    Parameters
    ----------
    con, can
        The Ibis backend, and its row in the capability table.
    table
        The rows as they are.

    Returns
    -------
    ir.Table
        The same columns, but for points and shapes, which Ibis would read by an extension that may not be
        there; the same table where the backend compares so by itself.
    """
    schema: Any = table.schema()
    if not can.text_column or not any(type_.is_string() for type_ in schema.types):
        return table
    dialect = con.dialect
    shapes = [name for name, type_ in schema.items() if type_.is_geospatial()]
    if shapes:
        table = table.drop(*shapes)
        schema = table.schema()
    columns = [_column(name, type_, can, dialect) for name, type_ in schema.items()]
    rows: Any = sg.parse_one(con.compile(table), read=dialect)
    return con.sql(sg.select(*columns).from_(rows.subquery("rows_")).sql(dialect), schema=schema)


def _column(name: str, type_: Any, can: Capability, dialect: Any) -> sge.Expression:
    column = sge.column(name, quoted=True)
    if not type_.is_string():
        return column
    plain = sg.parse_one(can.text_column.format(column.sql(dialect)), read=dialect)
    return plain.as_(name, quoted=True)
