"""A capability: what one backend can do and how it spells it, a row a backend.

Every difference between backends that the rest of the package must know stands in this table; no
other module asks for a backend's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aggflow.errors import UnsupportedError, did_you_mean


@dataclass(frozen=True)
class Capability:
    """One backend's row.

    Attributes
    ----------
    name
        Ibis' name of the backend.
    title
        Its name for people.
    extra
        The extra that installs its driver: of aggflow, or of Ibis where it was not tried; empty where the
        driver is always there.
    tried
        Whether all tests run on the real engine; where not, its queries are compiled and parsed, and no more.
    schemes
        How the URLs of its sources begin.
    options
        What is given to its driver beside the URL.
    setup
        The file with what is run once in every session, before anything is asked.
    micros
        How an instant becomes microseconds since the epoch: ``function`` (a function of the
        backend's own), ``instant`` (one that takes times with a zone only), ``cast`` (a timestamp casts to them), ``text`` (times are texts: whole seconds
        by a function, their fraction read), ``seconds`` (a function gives whole seconds since some origin,
        another the microsecond), ``civil`` (integer arithmetic on year, month, day and time
        of day, exact everywhere).
    micros_function
        That function, for ``function``, ``instant``, ``text`` and ``seconds``.
    micros_origin
        Of ``seconds``: what that function gives for the epoch.
    compares_times
        Whether a time column compares with a time literal as times do (and so can use an index or
        prune files); where not, windows are taken by microseconds.
    snapshot
        What makes all statements of one batch read the same rows: ``stage`` copies the window into a
        temporary table first, ``select`` by a CREATE TABLE AS of its own, which keeps collations; ``cache``
        lets the engine keep them; ``none`` leaves it to the comparison of counts.
    hash
        A function that hashes to 64 bits; empty where there is none: distinct values travel then.
    hash_type
        What it gives.
    arrow
        How results arrive: ``ibis`` gives Arrow with the types that it says; ``frame``: the engine gives a
        frame that becomes Arrow; ``rows`` are fetched and typed one by one.
    text_column
        How a column of texts is read so that it compares by code points, where it would compare by a
        collation (``{}`` is the column); else empty.
    json
        The function that takes a text from JSON by a path.
    json_path
        How that path is given: as one text, every name ``quoted`` or ``bracketed``; or as ``parts``, a text
        a name.
    json_python
        The form of a Python function that reads JSON and numbers, where the backend has none; else empty.
    json_type
        The function that names the type of what is at a path, where booleans do not come as ``true``
        and ``false`` by themselves; else empty.
    json_unquote
        The function that makes a text of a JSON value, where the one above gives that; else empty.
    json_valid
        The function that says whether a text is JSON at all; empty where those above do not mind.
    json_length
        The function that gives the length of an array in JSON.
    json_length_of
        Whether it takes a JSON text and a ``path``, or the ``value`` that was found there.
    number_of_text
        How a text becomes a number, or null: ``try_cast``, ``regex`` (a test, then a cast), or a function's
        name.
    reads_files
        What files its URLs name, if they do: a ``database``'s, opened read-only for each piece of work and
        closed after it, so that its owner can write to it in between; or those of ``events``, read anew each
        time.
    session
        The class whose session it runs in, one a process; else empty.
    shown_as
        The dialect in which its statements are shown, where it has none; else empty.
    windows
        Whether it has window functions.
    times
        Whether literal and cast times are as wide as Ibis makes them (``plain``), or have to be told to
        hold ``micros``: nanoseconds end in 2262.
    shifts
        Whether whole numbers are shifted as ``bits``, their sign kept, or have to be divided: ``remainder``.
    remainder
        Whether ``%`` gives a whole number of 64 bits, or a float, which is exact below 2**53 only.
    functions
        What it computes by a function of its own instead of Ibis' way: Ibis' operation, the function, and
        what that takes before the operation's own arguments.
    part_of_text
        The function that gives a part of a text that is cut at a separator, where Ibis' way gives something
        else; ``python`` for one of this package; of ``split_part`` and ``substring_index`` only parts that
        are there.
    python_functions
        Functions of this package that its sessions are given: by which name, and which.
    counts_bytes
        Whether the length of a text is counted in bytes, and has to be counted in Python.
    regex
        The dialect in which it reads regular expressions, where that is not RE2.
    lacks
        The row functions of LINQ that it cannot compute.
    has_nan
        Whether it holds floats that are no number; where not, they are null when they arrive.
    interrupt
        The method of its driver's connection that stops, from another thread, the statement that it
        runs; empty where there is none: it runs to its end then.
    has_infinity
        Whether it holds infinite floats.
    """

    name: str
    title: str
    extra: str
    schemes: tuple[str, ...]
    tried: bool = field(default=True, kw_only=True)
    micros: Literal["function", "instant", "cast", "text", "seconds", "civil"]
    micros_function: str = ""
    micros_origin: int = 0
    options: tuple[tuple[str, str], ...] = ()
    setup: str = ""
    compares_times: bool = True
    snapshot: Literal["stage", "select", "cache", "none"] = "stage"
    hash: str = ""
    hash_type: Literal["uint64", "int64"] = "uint64"
    arrow: Literal["ibis", "frame", "rows"] = "ibis"
    text_column: str = ""
    json: str = "json_extract_string"
    json_path: Literal["quoted", "bracketed", "parts"] = "quoted"
    json_python: Literal["", "python", "pyarrow"] = ""
    json_type: str = ""
    json_unquote: str = ""
    json_valid: str = "json_valid"
    json_length: str = "json_array_length"
    json_length_of: Literal["path", "value"] = "path"
    number_of_text: str = "try_cast"
    reads_files: Literal["", "database", "events"] = ""
    session: str = ""
    shown_as: str = ""
    windows: bool = True
    times: Literal["plain", "micros"] = "plain"
    shifts: Literal["bits", "remainder"] = "bits"
    remainder: Literal["integer", "float"] = "integer"
    functions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    part_of_text: str = ""
    python_functions: tuple[tuple[str, str], ...] = ()
    counts_bytes: bool = False
    regex: Literal["re2", "python", "pcre", "java", "rust", "posix"] = "re2"
    lacks: frozenset[str] = frozenset()
    has_nan: bool = True
    has_infinity: bool = True
    interrupt: str = ""


CAPABILITIES = {
    row.name: row
    for row in (
        Capability(
            name="duckdb",
            title="DuckDB; Parquet and CSV files without a scheme",
            interrupt="interrupt",
            extra="",
            schemes=("duckdb",),
            micros="function",
            micros_function="epoch_us",
            hash="hash",
            reads_files="database",
        ),
        Capability(
            name="sqlite",
            title="SQLite",
            part_of_text="aggflow_part",
            # SQLite's own know the letters of ASCII only.
            functions=(("Lowercase", "aggflow_lower", ()), ("Uppercase", "aggflow_upper", ())),
            python_functions=(
                ("aggflow_lower", "read_lower"),
                ("aggflow_upper", "read_upper"),
                ("aggflow_part", "read_part"),
            ),
            regex="python",
            interrupt="interrupt",
            extra="sqlite",
            schemes=("sqlite",),
            micros="text",
            micros_function="strftime",
            # Ibis writes a literal with a blank between date and time, where data may hold a T:
            # compared as texts, rows of the first day would be lost.
            compares_times=False,
            arrow="rows",
            json="json_extract_scalar",
            json_type="json_type",
            number_of_text="regex",
            reads_files="database",
            remainder="float",
            has_nan=False,
        ),
        Capability(
            name="postgres",
            title="Postgres",
            regex="posix",
            part_of_text="pg_temp.aggflow_part",
            functions=(
                # With the letters of all languages, which the order of code points does not know.
                ("Lowercase", "pg_temp.aggflow_lower", ()),
                ("Uppercase", "pg_temp.aggflow_upper", ()),
                ("RegexSearch", "pg_temp.aggflow_find", ()),
            ),
            interrupt="cancel",
            extra="postgres",
            schemes=("postgresql", "postgres"),
            setup="postgres.sql",
            micros="function",
            micros_function="pg_temp.aggflow_micros",
            hash="pg_temp.aggflow_hash",
            hash_type="int64",
            snapshot="select",
            text_column='{} COLLATE "C"',
            json="pg_temp.aggflow_json",
            json_path="parts",
            json_valid="",
            json_length="pg_temp.aggflow_json_length",
            number_of_text="pg_temp.aggflow_number",
        ),
        Capability(
            name="mysql",
            title="MySQL, MariaDB",
            regex="pcre",
            functions=(("RegexReplace", "regexp_replace", ()),),
            extra="mysql",
            schemes=("mysql", "mariadb"),
            options=(("charset", "utf8mb4"),),
            setup="mysql.sql",
            micros="seconds",
            micros_function="to_seconds",
            micros_origin=62_167_219_200,  # of the year 0
            snapshot="select",
            # Of the session's collation, which the setup chooses.
            text_column="CAST({} AS CHAR)",
            # By way of pandas, as Ibis does it, integers beside a null would become floats.
            arrow="rows",
            json="json_extract",
            json_unquote="json_unquote",
            json_length="json_length",
            json_length_of="value",
            number_of_text="regex",
            shifts="remainder",
            has_nan=False,
            has_infinity=False,
            part_of_text="substring_index",
        ),
        Capability(
            name="polars",
            title="Polars",
            part_of_text="python",
            counts_bytes=True,
            regex="rust",
            extra="polars",
            schemes=("polars",),
            micros="cast",
            hash="hash",
            # Its 2**32, by which Ibis would divide, is of 32 bits and wraps to 0.
            shifts="remainder",
            times="micros",
            json_python="python",
            number_of_text="python",
            reads_files="events",
            windows=False,
            shown_as="duckdb",
        ),
        Capability(
            name="datafusion",
            title="DataFusion",
            part_of_text="python",
            # A group that took no part is left out there, and the next one is taken for it.
            lacks=frozenset({"peek"}),
            # Ibis' own go by way of nanoseconds, which end in 2262.
            functions=(
                ("ExtractMinute", "date_part", ("minute",)),
                ("ExtractSecond", "date_part", ("second",)),
            ),
            regex="rust",
            extra="datafusion",
            schemes=("datafusion",),
            micros="cast",
            times="micros",
            snapshot="cache",
            json_python="pyarrow",
            number_of_text="python",
            reads_files="events",
        ),
        Capability(
            name="pyspark",
            title="Spark",
            # What SQL extracts has a fraction.
            functions=(("ExtractSecond", "second", ()),),
            part_of_text="split_part",
            regex="java",
            extra="pyspark",
            schemes=("pyspark", "spark"),
            options=(
                ("spark.ui.enabled", "false"),
                ("spark.log.level", "ERROR"),
                ("spark.ui.showConsoleProgress", "false"),
                ("spark.driver.bindAddress", "127.0.0.1"),
                ("spark.driver.host", "127.0.0.1"),
            ),
            session="pyspark.sql.SparkSession",
            micros="instant",
            micros_function="unix_micros",
            snapshot="cache",
            # By way of pandas, as Ibis does it, a null would become the text NaN.
            arrow="frame",
            # Ibis' own hash is of 32 bits there.
            hash="xxhash64",
            hash_type="int64",
            json="get_json_object",
            json_path="bracketed",
            json_valid="",
            json_length_of="value",
            # What Java reads as a number is more: 1d, 1f, 0x1p3.
            number_of_text="regex",
            reads_files="events",
        ),
        Capability(
            name="bigquery",
            title="BigQuery",
            tried=False,
            extra="bigquery",
            schemes=("bigquery",),
            micros="instant",
            micros_function="unix_micros",
            snapshot="none",
            json="json_value",
            json_valid="",
            json_length="",
        ),
        Capability(
            name="snowflake",
            title="Snowflake",
            tried=False,
            extra="snowflake",
            schemes=("snowflake",),
            micros="civil",
            snapshot="none",
            hash="hash",
            hash_type="int64",
            json="",
            json_length="",
            regex="java",
        ),
        Capability(
            name="databricks",
            title="Databricks",
            tried=False,
            extra="databricks",
            schemes=("databricks",),
            micros="instant",
            micros_function="unix_micros",
            snapshot="none",
            hash="xxhash64",
            hash_type="int64",
            json="get_json_object",
            json_path="bracketed",
            json_valid="",
            json_length_of="value",
            number_of_text="regex",
            regex="java",
            part_of_text="split_part",
        ),
        Capability(
            name="trino",
            title="Trino",
            tried=False,
            extra="trino",
            schemes=("trino",),
            micros="civil",
            snapshot="none",
            json="",
            json_length="",
            regex="java",
        ),
        Capability(
            name="athena",
            title="Athena",
            tried=False,
            extra="athena",
            schemes=("athena",),
            micros="civil",
            snapshot="none",
            json="",
            json_length="",
            regex="java",
        ),
        Capability(
            name="clickhouse",
            title="ClickHouse",
            tried=False,
            extra="clickhouse",
            schemes=("clickhouse",),
            micros="civil",
            snapshot="none",
            hash="xxHash64",
            json="",
            json_length="",
        ),
        Capability(
            name="redshift",
            title="Redshift",
            tried=False,
            extra="redshift",
            schemes=("redshift",),
            micros="civil",
            snapshot="none",
            json="",
            json_length="",
            number_of_text="regex",
            regex="posix",
        ),
    )
}


def capability(name: str) -> Capability:
    """The row of a backend.

    Raises
    ------
    UnsupportedError
        There is none.

    Examples
    --------
    >>> capability("duckdb").micros_function
    'epoch_us'
    """
    if name not in CAPABILITIES:
        raise UnsupportedError(
            f"sources on {name!r} are not supported", hint=did_you_mean(name, CAPABILITIES)
        )
    return CAPABILITIES[name]


def capability_of_scheme(scheme: str) -> Capability:
    """The row of the backend whose URLs begin so.

    Raises
    ------
    UnsupportedError
        There is none.

    Examples
    --------
    >>> capability_of_scheme("postgresql").name
    'postgres'
    """
    schemes = {known: row for row in CAPABILITIES.values() for known in row.schemes}
    if scheme not in schemes:
        raise UnsupportedError(f"sources on {scheme!r} are not supported", hint=did_you_mean(scheme, schemes))
    return schemes[scheme]
