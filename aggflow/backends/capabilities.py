"""The capability table: a row a backend.

Every difference between backends that the rest of the package must know stands in it; no other
module asks for a backend's name.
"""

from __future__ import annotations

from aggflow.backends.capability import Capability
from aggflow.errors import UnsupportedError, did_you_mean
from aggflow.quote import quoted

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
                ("aggflow_refuse", "refuse_text"),
            ),
            # SUM takes a text for 0.
            number="aggflow_refuse",
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
            text_column='CAST({} AS TEXT) COLLATE "C"',
            json="pg_temp.aggflow_json",
            json_path="parts",
            json_valid="",
            json_length="pg_temp.aggflow_json_length",
            number_of_text="pg_temp.aggflow_number",
        ),
        Capability(
            name="mysql",
            title="MySQL, MariaDB",
            tried_on="MariaDB",
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
            cursor="MySQLdb.cursors.SSCursor",
            json="json_extract",
            json_unquote="json_unquote",
            json_length="json_length",
            json_length_of="value",
            number_of_text="regex",
            shifts="remainder",
            casts="cut",
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
            f"sources on {quoted(name)} are not supported", hint=did_you_mean(name, CAPABILITIES)
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
        raise UnsupportedError(
            f"sources on {quoted(scheme)} are not supported", hint=did_you_mean(scheme, schemes)
        )
    return schemes[scheme]
