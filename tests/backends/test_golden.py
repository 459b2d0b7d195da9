"""Engines that cannot run here: every state query is compiled for them, parsed back, and held as a file.

``WRITE_GOLDEN=1 pytest tests/backends/test_golden.py`` writes the files anew, to be read before they
are committed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ibis
import pytest
import sqlglot as sg
import sqlglot.expressions as sge

from aggflow.backends.capabilities import CAPABILITIES, capability
from aggflow.backends.connect import Session
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.state_query import queries
from aggflow.errors import UnsupportedError
from aggflow.measures.cells import Layout
from aggflow.measures.registry import state_keys
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.timeline import Window, parse_instant

GOLDEN = Path(__file__).parent / "golden"
UNTRIED = sorted(name for name, row in CAPABILITIES.items() if not row.tried)
# Ibis knows it as the Postgres that it comes from.
COMPILERS = {"redshift": "postgres"}
# Declarations take texts, which type checkers do not know.
AnyFilter: Any = Filter
AnyAggregation: Any = Aggregation
COLUMNS = {
    "happened": "timestamp", "kind": "string", "flag": "boolean", "amount": "float64", "units": "int64",
    "small": "int16", "price": "decimal(18, 4)",
}  # fmt: skip
EVERYTHING: Any = (
    "COUNT", "SUM", "AVG", "MIN", "MAX", "VAR", "STDDEV", "FIRST", "LAST", "PERCENTILES", "APPROX_COUNT_DISTINCT",
)  # fmt: skip
DECLARED: Any = AnyFilter(
    "f", "events", "1h", where="@.units > 1 && @.kind != 'a'", groupings=("kind", "flag"),
    aggregations=(
        AnyAggregation("amount", "amount", EVERYTHING, where="@.flag == true"),
        AnyAggregation("units", "units", ("SUM", "VAR", "MIN", "APPROX_COUNT_DISTINCT")),
        AnyAggregation("price", "price", ("SUM", "LAST")),
        AnyAggregation("kinds", "kind", ("FIRST", "APPROX_COUNT_DISTINCT")),
    ),
)  # fmt: skip
WINDOW = Window(parse_instant("2024-01-01"), parse_instant("2024-02-01"))


def rows_of(name: str) -> SourceRows:
    return SourceRows(
        Session(
            Source("events", "", "happened", "events"),
            None,
            capability(name),
            ibis.table(COLUMNS, name="events"),
        )
    )


def compiled(name: str, staged_as: str = "") -> list[tuple[str, str]]:
    """The state queries of a rollup with all there is, in a dialect."""
    rows, rollup = rows_of(name), rollup_of(DECLARED)
    layout = Layout.of(rollup, {key: rows.kind(key) for key in state_keys(rollup)}, "a hash")
    found: list[tuple[str, str]] = []
    for what, query in queries(rows, rollup, layout, WINDOW, staged_as=staged_as):
        sql = str(ibis.to_sql(query, dialect=COMPILERS.get(name, name)))
        if name in COMPILERS:
            (sql,) = sg.transpile(sql, read=COMPILERS[name], write=name, pretty=True)
        found.append((what, sql))
    return found


@pytest.mark.parametrize("name", UNTRIED)
def test_state_queries_are_those_of_the_file(name: str) -> None:
    # Once the rows, and then what is asked of them: composed they would be said a dozen times.
    asked = compiled(name, "staged")
    path = GOLDEN / f"{name}.sql"
    text = "".join(f"-- {what}\n{sql};\n\n" for what, sql in asked)
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", UNTRIED)
def test_state_queries_are_parsed_by_their_dialect(name: str) -> None:
    for what, sql in compiled(name):
        tree: Any = sg.parse_one(sql, read=name, error_level=sg.ErrorLevel.RAISE)
        assert isinstance(tree, sge.Query), what
        # What is read back says the same.
        assert sg.parse_one(tree.sql(name), read=name) == tree, what


@pytest.mark.parametrize("name", UNTRIED)
def test_the_window_and_the_predicate_reach_the_engine(name: str) -> None:
    (_, rows), *_ = compiled(name)
    where = [str(node.this) for node in sg.parse_one(rows, read=name).find_all(sge.Where)]
    assert any("happened" in text and "2024" in text for text in where)
    assert any("units" in text and "kind" in text for text in where)


def test_there_are_few_files_and_one_for_each() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.sql")) == UNTRIED
    assert len(UNTRIED) <= 15


@pytest.mark.parametrize("name", [name for name in UNTRIED if not CAPABILITIES[name].json])
def test_paths_into_json_are_refused_where_no_function_is_known(name: str) -> None:
    columns = {**COLUMNS, "doc": "string"}
    source = Source("events", "", "happened", "events", json="doc")
    rows = SourceRows(Session(source, None, capability(name), ibis.table(columns, name="events")))
    with pytest.raises(UnsupportedError, match="is not asked for paths into JSON"):
        rows.predicate("@.user.name == 'ann'")
