"""Errors of drivers: each class has its place in our tree, and no secret leaves with them."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator

import duckdb
import ibis.common.exceptions as ibis_errors
import pyarrow as pa
import pytest

import aggflow as af
from aggflow.api.hidden import hide
from aggflow.backends.errors import DRIVER_ERRORS, mapped, without_password
from aggflow.errors import (
    AggflowError,
    NotFoundError,
    SourceError,
    SourceMissingError,
    SourceQueryError,
    SourceTypeError,
    SourceUnavailableError,
    UnsupportedError,
)
from aggflow.orchestration.place import told

JAVA = """An error occurred while calling o37.parquet.
: org.apache.spark.SparkException: Job aborted due to stage failure: Exception thrown in awaitResult:
\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:53)
Caused by: java.lang.RuntimeException: file:/events/a.parquet is not a Parquet file
\tat org.apache.parquet.hadoop.ParquetFileReader.readFooter(ParquetFileReader.java:557)
"""


def classes(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


EVERY = sorted(
    {
        kind
        for root in (duckdb.Error, sqlite3.Error, ibis_errors.IbisError, pa.ArrowException, OSError)
        for kind in classes(root)
        if kind.__module__.split(".")[0] in ("duckdb", "_duckdb", "sqlite3", "ibis", "pyarrow", "builtins")
    },
    key=lambda kind: (kind.__module__, kind.__name__),
)


def raised(error: Exception) -> SourceError:
    with pytest.raises(SourceError) as caught, mapped("flights"):
        raise error
    return caught.value


def bare(kind: type[Exception], text: str) -> Exception:
    """An error of a class, whatever its __init__ asks for."""
    error = kind.__new__(kind)
    error.args = (text,)
    try:
        str(error)
    except ValueError:  # its text is made of several parts
        error.args = (text, text)
    return error


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_class_of_every_driver_is_mapped(kind: type[Exception]) -> None:
    error = raised(bare(kind, "what happened\nand a stack of lines"))
    assert error.message.startswith("source 'flights': ")
    assert error.hint
    assert "\n" not in str(error)
    assert isinstance(error.__cause__, kind)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own


def test_the_first_class_of_the_table_that_fits_is_the_nearest() -> None:
    for i, (kind, _) in enumerate(DRIVER_ERRORS):
        assert not any(issubclass(kind, earlier) for earlier, _ in DRIVER_ERRORS[:i]), kind


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (duckdb.CatalogException("no table"), SourceMissingError),
        (duckdb.IOException("lock"), SourceUnavailableError),
        (duckdb.ConversionException("x"), SourceTypeError),
        (duckdb.BinderException("x"), SourceQueryError),
        (duckdb.ParserException("x"), SourceQueryError),
        (ibis_errors.TableNotFound("x"), SourceMissingError),
        (ibis_errors.OperationNotDefinedError("x"), UnsupportedError),
        (pa.ArrowInvalid("x"), SourceTypeError),
        (FileNotFoundError("x"), SourceUnavailableError),
        (sqlite3.DatabaseError("file is not a database"), SourceQueryError),
    ],
)
def test_classes_that_say_who_must_act(error: Exception, ours: type[SourceError]) -> None:
    assert type(raised(error)) is ours


def test_sqlite_says_by_a_code_whether_trying_again_helps(tmp_path: object) -> None:
    con = sqlite3.connect(f"{tmp_path}/a.db", timeout=0)
    other = sqlite3.connect(f"{tmp_path}/a.db", timeout=0)
    con.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceUnavailableError, match="locked") as busy, mapped("flights"):
        other.execute("SELECT * FROM sqlite_master")
    with pytest.raises(SourceQueryError, match="no such column") as wrong, mapped("flights"):
        con.execute("SELECT missing FROM sqlite_master")
    con.close()
    other.close()
    assert (busy.value.retryable, wrong.value.retryable) == (True, False)


def test_our_own_errors_pass_as_they_are() -> None:
    ours = NotFoundError("column", "x")
    with pytest.raises(AggflowError) as caught, mapped("flights"):
        raise ours
    assert caught.value is ours


def test_who_interrupts_a_statement_is_no_error_of_the_source() -> None:
    # So DuckDB tells it; asked for real, the signal would meet whichever line is run just then.
    with pytest.raises(KeyboardInterrupt), mapped("flights"):
        raise RuntimeError("Query interrupted") from KeyboardInterrupt()


def test_a_mistake_in_code_is_not_dressed_up() -> None:
    with pytest.raises(TypeError), mapped("flights"):
        raise TypeError("a bug")


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach postgresql://me:hunter2@host/db",
        "cannot reach postgresql://me:p@hunter2@host/db?x=1",
        "cannot reach postgresql://me:a/hunter2@host:5432/db",
        "cannot reach mysql://:hunter2@host/db and mysql://you:hunter2@host/db",
        "connection string: host=h password=hunter2 user=me",
        "mysql://host/db?user=me&Password=hunter2&ssl=1",
        "md:db?motherduck_token=hunter2",
        "athena://?aws_access_key_id=hunter2&aws_secret_access_key=hunter2&region_name=eu",
        "s3://b/a.parquet?access_key=hunter2&endpoint=e",
        "https://host/a.csv?sp=r&sig=hunter2&se=2026 is gone",
        "https://host/a.csv?X-Amz-Signature=hunter2&X-Amz-Credential=hunter2",
        "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=hunter2==;EndpointSuffix=e",
        "snowflake://me@acc/db?private_key=hunter2",
        "ch://host?API_KEY=hunter2",
        "ch://host?apikey=hunter2",
        "host=h password='my hunter2 pw' user=me",
        "host=h password='my \\'hunter2 pw' user=me",
        "host=h password='my hunter2 pw",
        'host=h password="my hunter2 pw" user=me',
        "DRIVER={ODBC};UID=me;PWD={a;hunter2};DATABASE=d",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3DODBC%3BPWD%3Dhunter2%3BDATABASE%3Dd",
        "options='password=hunter2'",
        "url=mysql://host/db?password=hunter2",
        "SELECT * FROM s3('u', secret_access_key = 'hunter2')",
        '{"user": "me", "password": "my hunter2, pw"}',
        '{"password": "a\\"hunter2"}',
        "{'credentials_json': 'hunter2', 'host': 'h'}",
        '{"api_keys": ["a", "hunter2"]}',
        '{"pin": 1, "token" : hunter2}',
        '{"text": "{\\"password\\": \\"my hunter2 pw\\"}"}',
        "private_key=-----BEGIN KEY-----\nhunter2\n-----END KEY----- user=me",
    ],
)
def test_passwords_are_never_shown(text: str) -> None:
    assert "hunter2" not in without_password(text)
    error = raised(duckdb.IOException(text))
    assert "hunter2" not in str(error)
    assert "hunter2" not in repr(error)


def test_what_is_no_password_stays() -> None:
    for text in (
        "duckdb:///data/a.ddb",
        "postgresql://me@host:5432/db",
        "at 12:30 me@example.org wrote",
        "cassandra://host?keyspace=shop&monkey=1&signal=2&design=3&keyword=4&tokenizer=icu&bypass=yes",
        "SELECT * FROM a JOIN b ON a.key = b.key AND a.customer_key = b.customer_key",
        '{"keyspace": "shop", "password": null, "keyword": ["a"]}',
        "Access denied for user 'me' (using password: YES)",
    ):
        assert without_password(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("host=h password='my secret pw' user=me", "host=h password='***' user=me"),
        ('{"password": "x, y", "host": "h"}', '{"password": "***", "host": "h"}'),
        (
            "athena://?aws_access_key_id=AK&aws_secret_access_key=S&region_name=eu",
            "athena://?aws_access_key_id=***&aws_secret_access_key=***&region_name=eu",
        ),
        ("PWD={a;b};DATABASE=d", "PWD=***;DATABASE=d"),
    ],
)
def test_what_is_around_a_secret_stays(text: str, shown: str) -> None:
    assert without_password(text) == shown
    assert without_password(shown) == shown


@pytest.mark.parametrize("text", ["a=", "a={", "key='", "password", 'x"', "\\", '"key":', "a ", "key=["])
def test_a_long_text_is_read_once(text: str) -> None:
    # Of what is read again from each of its letters this would take hours, of what calls itself, all frames.
    without_password(text * 20_000)


def test_a_source_shows_no_key() -> None:
    source = af.Source("s", "athena://?aws_secret_access_key=hunter2&api_key=hunter2", "t", table="e")
    for shown in (repr(source), str(source.shown()), str(hide({"url": source.url}))):
        assert "hunter2" not in shown
        assert "api_key=***" in shown


def test_a_flow_is_told_no_key() -> None:
    assert told("postgresql://db/shop?sslpassword=x") is None
    assert told("s3://shop?access_key=x") is None
    assert told("cassandra://db?keyspace=shop") == "cassandra://db?keyspace=shop"


def test_a_long_message_is_cut() -> None:
    assert len(raised(duckdb.Error("x" * 10_000)).message) < 400


def test_what_java_raised_is_told_by_its_cause() -> None:
    from py4j.protocol import Py4JError

    error = raised(Py4JError(JAVA))
    assert isinstance(error, SourceQueryError)
    assert error.message == "source 'flights': file:/events/a.parquet is not a Parquet file"
    plain = raised(Py4JError("An error occurred while calling o37.parquet"))
    assert plain.message == "source 'flights': An error occurred while calling o37.parquet"
