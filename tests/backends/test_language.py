"""Predicates and row functions: every operator and every function gives on each engine what DuckDB gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
from conftest import ENGINES, Open
from events import Loaded, in_duckdb

from aggflow.backends.capabilities import CAPABILITIES
from aggflow.backends.connect import session
from aggflow.backends.source_rows import SourceRows
from aggflow.errors import UnsupportedError
from aggflow.language import OPERATORS
from aggflow.language.function import FUNCTIONS

# Of columns that all engines hold alike.
PREDICATES = (
    "@.kind == 'a'", "@.kind == 'A'", "@.kind == 'ä'", "@.kind == ''", "@.kind == ' '", "@.kind == 'line\\nbreak'",
    "@.kind != 'a'", "!(@.kind == 'a')", "@.kind == null", "@.kind != null", "@.kind", "!(@.kind)",
    "@.kind < 'a'", "@.kind >= 'a'", "@.kind > 'ä'", "@.kind <= 'A'", "@.kind == 7", "@.kind < 8", "@.kind == true",
    "@.kind in ['a', 'b', ' ']", "@.kind in ['A', null]", "@.kind in []", "!(@.kind in ['a', 'null'])",
    "@.kind LIKE 'a%'", "@.kind LIKE '%a%'", "@.kind LIKE '_'", "@.kind LIKE '%k\\n%'", "@.kind LIKE '100%'",
    "@.kind LIKE '%\\\\\\\\%'", "@.kind ILIKE 'A'", "@.kind ILIKE '%Q%'", "@.kind LIKE '%break'", "@.kind ILIKE 'Ä'",
    "@.kind =~ /^[a-z]$/", "@.kind =~ /\\bquack\\b/", "@.kind =~ /[^\\x00-\\x7f]/", "@.kind =~ /(?i)QUACK/",
    "@.kind =~ /\\d+%/", "@.kind =~ /\\s/", "@.kind =~ /^.$/", "@.kind =~ /a|b/", "@.kind =~ /\\\\/", "@.kind =~ /q{1}u+?/",
    "@.kind =~ /\\w+\\W\\w+/", "@.kind =~ /line.break/", "@.kind =~ /(?s)line.break/", "@.kind =~ /^break/", "@.kind =~ /\\Aa\\z/",
    "@.kind =~ /\\Bu/", "@.kind =~ /\\S\\D/", "@.kind =~ /(?:qu|a)ck/", "@.kind =~ /(?P<x>qu)/", "@.kind =~ /line$/",
    "@.units == 1", "@.units != 1", "@.units > 9007199254740992", "@.units == 9007199254740993", "@.units <= '7'",
    "@.units in [1, -1, 9007199254740993]", "@.units < 1.5", "@.units == 'apples'", "@.units > -4294967297.5",
    "@.code == 9223372036854775807", "@.code > 9223372036854775806", "@.code == -9223372036854775808",
    "@.code < 9223372036854775808", "@.code > 1e300", "@.small == 32767", "@.small < 40000", "@.small == 40000",
    "@.id < 20", "@.amount < 1", "@.amount > 1", "@.amount != 42", "@.amount == 0.1",
    "@.amount >= 3.7e15", "!(@.amount > 1)", "@.flag == true", "@.flag != true", "@.flag == 1", "@.flag == false",
    "@.happened > '2024-10-26T20:30:00Z'", "@.happened == '2024-02-29T23:59:59.5Z'", "@.happened < '1970-01-01'",
    "@.happened == 1704067200000", "@.happened != '2024-01-01'", "@.happened == null", "@.happened in ['2024-01-01', '2000-03-01']",
    "@.day == '2024-02-29'", "@.day < '1970-01-01'", "@.day >= '2024-02-29T12:00:00Z'", "@.happened < @.arrived", "@.units < @.small",
    "@.doc.user.name == 'ann'", "@.doc.user.age > 30", "@.doc.user.age == '37'", "@.doc.user.vip == true", "@.doc.user.name",
    "@.doc.user.name =~ /^b/", "@.kind.length > 3", "@.kind.length == 0", "@.doc.marks.length == 2",
    "@.kind == 'a' && @.units > 0 || !(@.small < 0 && @.flag == true)", "true", "false",
    '=kind ~ nameglob("*a*")', '=matches(kind, re("^a"))',
)  # fmt: skip
FUNCTION_TEXTS = {
    "str": ("str(units)",),
    "int": ("int(amount)", "int(kind)"),
    "float": ("float(units)", "float(kind)"),
    "lower": ("lower(kind)",),
    "upper": ("upper(kind)",),
    "trim": ("trim(kind)",),
    "length": ("length(kind)",),
    "substring": (
        "substring(kind, 1)",
        "substring(kind, 0, 2)",
        "substring(kind, 2, 3)",
        "substring(kind, 99)",
    ),
    "split": ('split(kind, "a", 0)', 'split(kind, "a", 1)', 'split(kind, "a", 5)', 'split(kind, "l", 1)'),
    "peek": (
        'peek(kind, re("[a-z]+"))',
        'peek(kind, re("([a-z])([a-z])"), 2)',
        'peek(kind, re("(x)?(q)"), 1)',
    ),
    "subsall": (
        'subsall(kind, re("[aeiou]+"), "_")',
        'subsall(kind, re("^"), "")',
        'subsall(kind, re("a"), "$1")',
    ),
    "abs": ("abs(amount)", "abs(units)"),
    "signum": ("signum(amount)", "signum(units)"),
    "floor": ("floor(amount)", "floor(units)"),
    "ceil": ("ceil(amount)",),
    "round": ("round(amount)", "round(amount, 1)", "round(units)"),
    "sqrt": ("sqrt(amount)", "sqrt(units)"),
    "log": ("log(amount)", "log(units)"),
    "log10": ("log10(amount)",),
    "log2": ("log2(amount)", "log2(units)"),
    "nvl": ('nvl(kind, "none")', "nvl(units, 0)", "nvl(amount, small)"),
    "year": ("year(happened)", "year(day)"),
    "month": ("month(happened)",),
    "day": ("day(happened)", "day(day)"),
    "hour": ("hour(happened)", "hour(day)"),
    "minute": ("minute(happened)",),
    "second": ("second(happened)",),
}
ARITHMETIC = (
    "units + 1", "small * small", "units - small", "amount * 2.5", "units / small", "amount / amount", "small / 0",
    "small - 0.5", 'ifthenelse(kind = "a", units, small)', 'ifthenelse(units > 0, "more", kind)',
)  # fmt: skip
ROWS = {"parquet": "duckdb", "csv": "duckdb"}
LACKING = [
    (name, function) for name in ENGINES for function in sorted(CAPABILITIES[ROWS.get(name, name)].lacks)
]


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return in_duckdb(tmp_path_factory.mktemp("reference"))


def test_every_operator_and_function_is_asked() -> None:
    assert set(FUNCTION_TEXTS) == set(FUNCTIONS)
    asked = " ".join(PREDICATES)
    assert all(symbol in asked for symbol in OPERATORS if symbol not in ("exists", "glob"))


def compared(rows: SourceRows, texts: dict[str, str], *, predicates: bool) -> dict[str, dict[int, Any]]:
    """By text, what it gives by the id of each row."""
    columns: dict[str, Any] = {}
    for name, text in texts.items():
        if predicates:
            truth: Any = rows.predicate(text)
            columns[name] = truth.ifelse(1, 0)
        else:
            value: Any = rows.value(f"={text}")
            columns[name] = value
    found = rows.fetch(rows.table.select(id=rows.value("id"), **columns))
    ids = found["id"].to_pylist()
    return {texts[name]: dict(zip(ids, found[name].to_pylist(), strict=True)) for name in texts}


def differences(
    got: dict[str, dict[int, Any]], wanted: dict[str, dict[int, Any]], skip: set[int]
) -> list[str]:
    wrong: list[str] = []
    for text, values in wanted.items():
        bad = {
            i: (got[text][i], value)
            for i, value in values.items()
            if i not in skip and not same(got[text][i], value)
        }
        if bad:
            wrong.append(f"{text}: {len(bad)} rows, {dict(list(bad.items())[:3])}")
    return wrong


def same(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and not math.isfinite(wanted):
        wanted = None
    if isinstance(got, float) and not math.isfinite(got):
        got = None
    if got is None or wanted is None:
        return got is wanted
    if isinstance(wanted, float):
        return math.isclose(float(got), wanted, rel_tol=1e-9, abs_tol=1e-300)
    return got == wanted


def named(texts: Any) -> dict[str, str]:
    return {f"x{i}": text for i, text in enumerate(texts)}


def unlike(loaded: Loaded, reference: Loaded) -> set[int]:
    """Rows that this engine cannot hold as they are."""
    columns = ("kind", "amount", "doc", "happened")
    there = {row["id"]: row for row in loaded.rows}
    return {
        row["id"] for row in reference.rows if any(not same(there[row["id"]][c], row[c]) for c in columns)
    }


def test_predicates(loaded: Loaded, open_rows: Open, reference: Loaded) -> None:
    texts = named(dict.fromkeys(PREDICATES))
    with session(reference.source) as opened:
        wanted = compared(SourceRows(opened), texts, predicates=True)
    with open_rows() as rows:
        got = compared(rows, texts, predicates=True)
    normal = {text: {i: bool(v) for i, v in values.items()} for text, values in got.items()}
    assert not differences(
        normal,
        {t: {i: bool(v) for i, v in values.items()} for t, values in wanted.items()},
        unlike(loaded, reference),
    )


def test_row_functions(loaded: Loaded, open_rows: Open, reference: Loaded) -> None:
    with open_rows() as rows:
        texts = named(
            [
                *ARITHMETIC,
                *(t for name, ts in FUNCTION_TEXTS.items() if name not in rows.can.lacks for t in ts),
            ]
        )
        got = compared(rows, texts, predicates=False)
    with session(reference.source) as opened:
        wanted = compared(SourceRows(opened), texts, predicates=False)
    assert not differences(got, wanted, unlike(loaded, reference))


@pytest.mark.parametrize(
    ("loaded", "name"),
    [
        pytest.param(
            engine,
            name,
            marks=pytest.mark.xfail(raises=UnsupportedError, strict=True, reason=f"{engine} has no {name}()"),
        )
        for engine, name in LACKING
    ],
    indirect=["loaded"],
)
def test_what_an_engine_lacks_is_refused(open_rows: Open, name: str) -> None:
    with open_rows() as rows:
        compared(rows, named(FUNCTION_TEXTS[name]), predicates=False)
