"""A stage: rows copied into a temporary table, so that all statements about them read the same ones."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir

from aggflow.backends.capability import Capability


@contextmanager
def stage(con: Any, can: Capability, rows: ir.Table) -> Iterator[ir.Table]:
    """Copy rows into a temporary table that is gone after the ``with``.

    Parameters
    ----------
    con, can
        The Ibis backend, and its row in the capability table.
    rows
        What to copy.
    """
    if can.snapshot == "cache":
        cached: Any = rows.cache()
        with cached as kept:
            yield kept
        return
    name = f"aggflow_{uuid.uuid4().hex[:12]}"
    if can.snapshot == "select":
        con.raw_sql(f"CREATE TEMPORARY TABLE {name} AS {con.compile(rows)}").close()
        # With the types that are known of the rows: a database may name them otherwise.
        staged = ops.DatabaseTable(
            name=name, schema=rows.schema(), source=con, namespace=ops.Namespace()
        ).to_expr()
    else:
        staged = con.create_table(name, rows, temp=True)
    try:
        yield staged
    except BaseException:
        # With a connection that broke, the table is gone already: what broke it is the news.
        with contextlib.suppress(Exception):
            con.drop_table(name, force=True)
        raise
    con.drop_table(name, force=True)
