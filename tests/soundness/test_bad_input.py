"""Bad input, from the workspace: one clear sentence, nothing half-written, and the next run goes on."""

from __future__ import annotations

import errno
import math
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from little_disk import files_of_at_most

import aggflow as af
from aggflow.catalog import Catalog
from aggflow.errors import (
    AggflowError,
    CatalogDamagedError,
    CatalogError,
    ConflictError,
    NotFoundError,
    ParseError,
    QueryError,
    SegmentDamagedError,
    SegmentMissingError,
    SourceError,
    SourceMissingError,
    SourceTypeError,
    SourceUnavailableError,
    SpecError,
    StoreFullError,
    StoreReadOnlyError,
)
from aggflow.settings import Settings
from aggflow.store import SegmentStore
from aggflow.workspace import Workspace

# Declarations take the texts of calculations and intervals, which type checkers do not know.
Aggregation: Any = af.Aggregation
Field: Any = af.Field
Lookback: Any = af.Lookback

NOW = datetime(2024, 1, 10, tzinfo=UTC)
is_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting is for root")


class Home:
    """A folder with events and a workspace, at a time that stands still."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.file = folder / "events.ddb"
        self.sql(
            "CREATE TABLE events AS SELECT TIMESTAMP '2024-01-01' + to_minutes(7 * i::integer) AS happened, i AS n,"
            " i / 7.0 AS x, 'k' || i % 5 AS kind, '{\"a\": ' || i || '}' AS doc FROM range(1500) r(i)"
        )
        self.home = folder / "home"
        self.segments_in = self.home / "segments"
        self.settings = {"live_ttl": 0, "retry_wait": 0, **settings}
        self.ws = self.opened()
        self.ws.add_source("events", f"duckdb://{self.file}", table="events", time="happened", json="doc")

    def opened(self) -> Workspace:
        return Workspace(
            Catalog.open(self.home / "catalog.db"),
            SegmentStore(str(self.segments_in)),
            Settings.model_validate(self.settings),
            "self",
            str(self.home),
            clock=lambda: int(NOW.timestamp()) * 1_000_000,
        )

    def sql(self, *statements: str) -> None:
        with duckdb.connect(str(self.file)) as con:
            for statement in statements:
                con.execute(statement)

    def declare(self, **options: Any) -> None:
        """A filter by kind, and a total of everything."""
        calculations = ["COUNT", "SUM", "MAX", "PERCENTILES", "APPROX_COUNT_DISTINCT"]
        options = {"groupings": ["kind"], "aggregations": [Aggregation("x", "x", calculations)]} | options
        self.ws.add_filter("f", source="events", interval="1h", **options)
        fields = [Field("rows", "x", "COUNT"), Field("sum", "x", "SUM"), Field("max", "x", "MAX")]
        self.ws.add_endpoint("total", filter="f", timing=Lookback("30d"), fields=fields)

    def build(self, **options: Any) -> Any:
        return self.ws.build("f", progress=False, **options)

    def total(self, *, live: bool = False) -> dict[str, Any]:
        (row,) = self.ws.query("total", live=live).rows
        return row["fields"]

    def raw(self, where: str = "true") -> dict[str, Any]:
        """The same straight from the events."""
        with duckdb.connect(str(self.file), read_only=True) as con:
            row = con.execute(
                f"SELECT count(*), sum(x) FILTER (isfinite(x)), max(x) FILTER (isfinite(x)) FROM events"
                f" WHERE happened < '2024-01-10' AND {where}"
            ).fetchone()
        assert row is not None
        return {"rows": row[0], "sum": pytest.approx(row[1]), "max": row[2]}

    def segments(self) -> list[Path]:
        return sorted(path for path in self.segments_in.rglob("*") if path.is_file())

    def coverage(self) -> list[Any]:
        return [status.covered for status in self.ws.status()]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.ws.close()


def clear(error: AggflowError, *words: str) -> str:
    """One sentence that says what matters, without a stack or a driver's many lines."""
    text = str(error)
    assert all(word in text for word in words), text
    assert "Traceback" not in text
    assert error.message.count("\n") == 0 or isinstance(error, ParseError | SpecError)
    return text


# -- declarations ---------------------------------------------------------------------------------------


def test_an_unknown_table(home: Home) -> None:
    with pytest.raises(SourceMissingError) as caught:
        home.ws.add_source("s", f"duckdb://{home.file}", table="event", time="happened")
    clear(caught.value, "source 's'", "no table 'event'", "did you mean 'events'")
    assert "s" not in home.ws.sources


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": "happend"}, ("no column 'happend'", "did you mean 'happened'")),
        ({"time": "kind"}, ("column 'kind' is string, no time", "cast to a timestamp")),
        ({"time": "n"}, ("column 'n' is int64, no time",)),
        ({"time": "happened", "json": "docs"}, ("no column 'docs'", "did you mean 'doc'")),
        ({"time": "happened", "ingestion_time": "arrived"}, ("no column 'arrived'",)),
        ({"time": "happened", "ingestion_time": "kind"}, ("column 'kind' is string, no time",)),
        ({"time": "happened", "time_zone": "Europe/Berln"}, ("Europe/Berln", "did you mean 'Europe/Berlin'")),
        ({"time": "happened", "lateness": "soon"}, ("lateness", "soon")),
        ({"time": "happened", "colour": "red"}, ("unknown key 'colour'",)),
    ],
)
def test_sources_that_cannot_be(home: Home, options: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(AggflowError) as caught:
        home.ws.add_source("s", f"duckdb://{home.file}", table="events", **options)
    clear(caught.value, *words)
    assert "s" not in home.ws.sources


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"source": "event"}, ("no source 'event'", "did you mean 'events'")),
        ({"interval": "1 fortnight"}, ("interval", "1 fortnight")),
        ({"interval": "10s"}, ("interval", "30")),
        ({"time_zone": "Mars/Olympus"}, ("time_zone", "Mars/Olympus")),
        ({"where": "@.kind ="}, ("where", "^")),
        ({"where": "kind == 'a' AND"}, ("where",)),
        ({"groupings": ["kinds"]}, ()),
        (
            {"aggregations": [("a", "kind", ["PERCENTILES"])]},
            ("aggregations[0].field", "'kind' is string", "need numbers"),
        ),
        ({"aggregations": [("a", "doc", ["SUM"])]}, ("'doc' is string", "need numbers")),
        ({"aggregations": [("a", "happened", ["AVG"])]}, ("need numbers",)),
        ({"aggregations": [("a", "x", ["MEDAIN"])]}, ("MEDAIN",)),
        ({"aggregations": [("a", None, ["SUM"])]}, ("needs a field",)),
        ({"aggregations": [("a", "x", [])]}, ("at least one calculation",)),
    ],
)
def test_filters_that_cannot_be(home: Home, options: dict[str, Any], words: tuple[str, ...]) -> None:
    home.ws.add_source("plain", f"duckdb://{home.file}", table="events", time="happened")
    options = {"source": "plain", "interval": "1h"} | options
    made = options.pop("aggregations", [("events",)])
    with pytest.raises(AggflowError) as caught:
        home.ws.add_filter("f", aggregations=[Aggregation(*one) for one in made], **options)
    clear(caught.value, *words)
    assert "f" not in home.ws.filters


def test_all_problems_of_a_filter_are_told_at_once(home: Home) -> None:
    home.ws.add_source("plain", f"duckdb://{home.file}", table="events", time="happened")
    with pytest.raises(SpecError) as caught:
        home.ws.add_filter(
            "f",
            source="plain",
            interval="1h",
            where="@.nowhere == 1",
            groupings=["kinds"],
            aggregations=[Aggregation("a", "kind", ["SUM"]), Aggregation("b", "none", ["MAX"])],
        )
    assert [problem.path for problem in caught.value.problems] == [
        "where", "groupings[0]", "aggregations[0].field", "aggregations[1].field"
    ]  # fmt: skip


def test_a_column_that_cannot_be_grouped_by_is_refused(home: Home) -> None:
    home.sql("CREATE TABLE nested AS SELECT *, {'a': n} AS pair, [n] AS list FROM events")
    home.ws.add_source("nested", f"duckdb://{home.file}", table="nested", time="happened")
    for column in ("pair", "list"):
        with pytest.raises(SpecError) as caught:
            home.ws.add_filter("f", source="nested", interval="1h", groupings=[column])
        clear(caught.value, "groupings[0]", column)


def test_a_failed_change_leaves_the_filter_as_it_was(home: Home) -> None:
    home.declare()
    home.build()
    before = home.ws.filters["f"].spec, home.coverage(), home.total()
    wrong: tuple[dict[str, Any], ...] = (
        {"aggregations": [Aggregation("x", "kind", ["SUM"])]},
        {"where": "@.kind =="},
        {"groupings": ["a", "a"]},
    )
    for options in wrong:
        with pytest.raises(AggflowError):
            home.ws.add_filter("f", source="events", interval="1h", **options)
    assert (home.ws.filters["f"].spec, home.coverage(), home.total()) == before


def test_what_others_need_is_not_removed(home: Home) -> None:
    home.declare()
    with pytest.raises(ConflictError) as caught:
        home.ws.remove("source", "events")
    clear(caught.value, "filter 'f' needs source 'events'")
    with pytest.raises(NotFoundError) as missing:
        home.ws.build("g", progress=False)
    clear(missing.value, "no filter 'g'")


# -- questions ------------------------------------------------------------------------------------------


def test_questions_that_cannot_be_answered(home: Home) -> None:
    home.declare()
    home.build()
    asks: list[tuple[Callable[[], Any], tuple[str, ...]]] = [
        (lambda: home.ws.query("totl"), ("no endpoint 'totl'", "did you mean 'total'")),
        (lambda: home.ws.query("total", end="tomorrow"), ("tomorrow",)),
        (lambda: home.ws.query("total", grouping_filters={"kind": ["a"]}), ("kind",)),
    ]
    for ask, words in asks:
        with pytest.raises(AggflowError) as caught:
            ask()
        clear(caught.value, *words)


def test_an_until_before_everything_builds_nothing_of_it(home: Home) -> None:
    home.declare()
    report = home.build(until="1999-01-01")
    assert report.rows_read == 0
    assert home.build().rows_read == home.raw()["rows"]


# -- rows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null", ["NULL", "'infinity'", "'-infinity'"])
def test_rows_without_a_time_are_counted_and_reported(home: Home, null: str) -> None:
    home.sql(f"INSERT INTO events SELECT {null}::timestamp, n, x, kind, doc FROM events WHERE n < 7")
    home.declare()
    report = home.build()
    assert report.null_times == 7
    assert home.total() == home.raw("isfinite(happened)")
    (build,) = home.ws.builds.values()
    assert build.null_times == 7


def test_only_rows_of_the_filter_count_as_without_a_time(home: Home) -> None:
    home.sql("INSERT INTO events SELECT NULL, n, x, kind, doc FROM events WHERE n < 10")
    home.declare(where="@.kind == 'k1'")
    assert home.build().null_times == 2


def test_infinities_and_nan_are_left_out(home: Home) -> None:
    for bad in ("nan", "inf", "-inf"):
        home.sql(f"UPDATE events SET x = '{bad}'::double WHERE n % 97 = {len(bad)}")
    home.declare()
    home.build()
    found = home.total()
    assert found == home.raw()
    assert math.isfinite(found["sum"])


def test_a_sum_beyond_64_bits_is_an_error_of_the_question_not_of_the_build(home: Home) -> None:
    home.sql(f"UPDATE events SET n = {2**63 - 1} WHERE n % 2 = 0")
    home.declare(aggregations=[Aggregation("x", "n", ["COUNT", "SUM", "MAX"])])
    home.build()
    with pytest.raises(QueryError) as caught:
        home.total()
    clear(caught.value, "64-bit")


def test_json_that_is_none_holds_nothing_and_stops_nothing(home: Home) -> None:
    home.sql(
        "UPDATE events SET doc = 'apples' WHERE n % 10 = 3", "UPDATE events SET doc = NULL WHERE n % 10 = 4"
    )
    home.declare(aggregations=[Aggregation("x", "@.a", ["COUNT", "SUM", "MAX"])], where="@.a >= 0")
    home.build()
    with duckdb.connect(str(home.file), read_only=True) as con:
        wanted = con.execute(
            "SELECT count(*), sum(n), max(n) FROM events WHERE n % 10 NOT IN (3, 4) AND happened < '2024-01-10'"
        ).fetchone()
    assert tuple(home.total().values()) == wanted


def test_an_empty_source_is_built_and_answers(home: Home) -> None:
    home.sql("DELETE FROM events")
    home.declare()
    report = home.build()
    assert (report.rows_read, report.null_times) == (0, 0)
    assert home.total() == {"rows": 0, "sum": None, "max": None}
    home.sql("INSERT INTO events VALUES ('2024-01-05', 1, 2.5, 'k', '{}')")
    assert home.build(full=True).rows_read == 1
    assert home.total() == {"rows": 1, "sum": 2.5, "max": 2.5}


@pytest.mark.parametrize(
    ("type_", "offset"),
    [
        ("timestamptz", "-05:00"),
        ("date", ""),
        ("timestamp_s", ""),
        ("timestamp_ms", ""),
        ("timestamp_ns", ""),
    ],
)
def test_every_type_of_time_is_read(home: Home, type_: str, offset: str) -> None:
    home.sql(f"CREATE TABLE t AS SELECT (happened::text || '{offset}')::{type_} AS happened, x FROM events")
    home.ws.add_source("t", f"duckdb://{home.file}", table="t", time="happened")
    home.ws.add_filter("g", source="t", interval="1h", aggregations=[Aggregation("x", "x", ["COUNT"])])
    timing = af.TimeSeries("30d", interval="1d")
    home.ws.add_endpoint("series", filter="g", timing=timing, fields=[Field("rows", "x", "COUNT")])
    home.ws.build("g", progress=False)
    answer = home.ws.query("series", live=False)
    with duckdb.connect(str(home.file), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        days = con.execute(
            "SELECT count(*) FROM t WHERE happened < '2024-01-10' GROUP BY date_trunc('day', happened) ORDER BY date_trunc('day', happened)"
        ).fetchall()
    assert [row["fields"]["rows"] for row in answer.rows if row["fields"]["rows"]] == [n for (n,) in days]


# -- the source fails -----------------------------------------------------------------------------------


def broken_and_mended(
    home: Home, break_it: Callable[[], None], mend: Callable[[], None], kind: type[SourceError]
) -> str:
    """A build that meets a broken source says so and changes nothing; mended, the next one goes on."""
    home.declare()
    home.build(until="2024-01-04")
    before = home.coverage(), home.segments(), home.total(live=True)
    break_it()
    with pytest.raises(kind) as caught:
        home.build()
    assert (home.coverage(), home.segments()) == before[:2]
    last = next(iter(home.ws.builds.values()))
    assert (last.status, bool(last.error)) == ("error", True)
    with pytest.raises(kind):
        home.total(live=True)
    mend()
    home.build()
    assert home.total() == home.raw()
    return clear(caught.value, "source 'events'")


def test_a_source_that_is_gone(home: Home) -> None:
    away = home.file.with_suffix(".away")

    def move(one: Path, other: Path) -> None:
        one.rename(other)

    text = broken_and_mended(
        home, lambda: move(home.file, away), lambda: move(away, home.file), SourceUnavailableError
    )  # fmt: skip
    assert "there is no file" in text


def test_a_source_that_is_no_database_any_more(home: Home) -> None:
    data = home.file.read_bytes()

    def write(content: bytes) -> None:
        home.file.write_bytes(content)

    broken_and_mended(
        home, lambda: write(b"x" * 5000), lambda: write(data), SourceError
    )  # fmt: skip


def test_a_table_that_is_dropped(home: Home) -> None:
    text = broken_and_mended(
        home,
        lambda: home.sql("ALTER TABLE events RENAME TO others"),
        lambda: home.sql("ALTER TABLE others RENAME TO events"),
        SourceMissingError,
    )
    assert "no table 'events'" in text


def test_a_time_column_that_is_dropped(home: Home) -> None:
    text = broken_and_mended(
        home,
        lambda: home.sql("ALTER TABLE events RENAME happened TO occurred"),
        lambda: home.sql("ALTER TABLE events RENAME occurred TO happened"),
        SourceMissingError,
    )
    assert "no column 'happened'" in text


def test_a_column_of_the_filter_that_is_dropped(home: Home) -> None:
    home.declare()
    home.build(until="2024-01-04")
    before = home.coverage(), home.segments()
    home.ws.add_source("events", f"duckdb://{home.file}", table="events", time="happened")
    home.sql("ALTER TABLE events DROP x")
    with pytest.raises(AggflowError) as caught:
        home.build()
    clear(caught.value, "'x'")
    assert home.segments() == before[1]


def test_a_column_whose_type_changed(home: Home) -> None:
    home.declare()
    home.build(until="2024-01-04")
    home.sql("ALTER TABLE events ALTER x TYPE varchar")
    with pytest.raises(SourceTypeError) as caught:
        home.build()
    clear(caught.value, "source 'events'", "'x'")


def test_a_value_that_does_not_fit_names_the_source(home: Home) -> None:
    home.sql("ALTER TABLE events ALTER n TYPE hugeint", f"UPDATE events SET n = {2**100} WHERE n = 700")
    home.declare(aggregations=[Aggregation("x", "n", ["COUNT", "SUM", "MAX"])])
    with pytest.raises(SourceTypeError) as caught:
        home.build()
    clear(caught.value, "source 'events'")
    home.sql("UPDATE events SET n = 700 WHERE n > 10000")
    home.build()
    assert home.total() == {"rows": 1500, "sum": sum(range(1500)), "max": 1499}


def test_a_sqlite_source_is_told_apart_from_its_owner(home: Home) -> None:
    path = home.folder / "events.sqlite"
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("CREATE TABLE events (happened timestamp, x real, kind text)")
    con.execute(
        "INSERT INTO events VALUES ('2024-01-05T10:00:00Z', 1.5, 'k'), ('no time', 2.5, 'k'), (NULL, 3.5, 'k')"
    )
    home.ws.add_source("events", f"sqlite://{path}", table="events", time="happened")
    home.declare()
    assert home.build().null_times == 2
    assert home.total() == {"rows": 1, "sum": 1.5, "max": 1.5}
    con.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceUnavailableError) as caught:
        home.build(full=True)
    clear(caught.value, "source 'events'", "locked")
    con.execute("ROLLBACK")
    con.close()
    home.build(full=True)
    assert home.total() == {"rows": 1, "sum": 1.5, "max": 1.5}


# -- the home fails -------------------------------------------------------------------------------------


def test_a_damaged_segment_is_named(home: Home) -> None:
    home.declare()
    home.build()
    (file,) = home.segments()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    again = home.opened()
    with pytest.raises(SegmentDamagedError) as caught:
        again.query("total", live=False)
    clear(caught.value, file.name)
    again.close()
    home.build(full=True)
    assert home.total() == home.raw()


def test_a_missing_segment_is_named(home: Home) -> None:
    home.declare()
    home.build()
    (file,) = home.segments()
    file.unlink()
    again = home.opened()
    with pytest.raises(SegmentMissingError) as caught:
        again.query("total", live=False)
    clear(caught.value, file.name)
    again.close()
    home.build(full=True)
    assert home.total() == home.raw()


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + b"x" * 5000])
def test_a_damaged_catalog_is_said_to_be_and_left_alone(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "catalog.db").write_bytes(content)
    with pytest.raises(CatalogDamagedError) as caught:
        af.open(folder)
    clear(caught.value, "catalog.db", "damaged")
    assert (folder / "catalog.db").read_bytes() == content


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(AggflowError) as caught:
        af.open(tmp_path / "home")
    clear(caught.value, "home")


def test_a_disk_that_is_full_while_building(tmp_path: Path) -> None:
    home = Home(tmp_path, batch_rows=200)
    home.declare()
    home.build(until="2024-01-02")
    before = home.total(live=True)
    size = 2 * max(file.stat().st_size for file in home.segments())
    home.sql(
        "UPDATE events SET kind = 'k' || n WHERE happened > '2024-01-05'"
    )  # larger segments from there on
    with files_of_at_most(size), pytest.raises((StoreFullError, CatalogError)) as caught:
        home.build()
    clear(caught.value, "no space")
    assert not [file for file in home.segments() if file.name.startswith(".")]
    assert home.total(live=True)["rows"] == before["rows"]
    home.build()
    assert home.total() == home.raw()
    home.ws.close()


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


def fill(file: Path) -> None:
    """Take what is left of a disk."""
    try:
        with file.open("wb", buffering=0) as ballast:
            while ballast.write(b"x" * 4096):
                pass
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends by it


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@is_root
def test_a_disk_of_which_nothing_is_left(tmp_path: Path, disk: Path) -> None:
    home = Home(tmp_path, batch_rows=200)
    home.segments_in = disk / "segments"
    home.ws = home.opened()
    home.declare()
    home.build(until="2024-01-02")
    before = home.total(live=True)
    fill(disk / "ballast")
    with pytest.raises(StoreFullError) as caught:
        home.build()
    clear(caught.value, "no space")
    assert not [file for file in home.segments() if file.name.startswith(".")]
    assert home.total(live=True)["rows"] == before["rows"]
    (disk / "ballast").unlink()
    home.build()
    assert home.total() == home.raw()
    home.ws.close()


@is_root
def test_a_home_that_is_read_only_answers_and_refuses_to_build(tmp_path: Path, disk: Path) -> None:
    home = Home(tmp_path)
    home.home = disk / "home"
    home.segments_in = home.home / "segments"
    home.ws = home.opened()
    home.ws.add_source("events", f"duckdb://{home.file}", table="events", time="happened", json="doc")
    home.declare()
    home.build(until="2024-01-04")
    expected = home.total(live=True)
    home.ws.close()
    _mount("-o", "remount,ro", str(disk))
    home.ws = home.opened()
    assert home.total(live=True) == expected
    with pytest.raises((CatalogError, StoreReadOnlyError)) as caught:
        home.build()
    clear(caught.value, "read-only")
    home.ws.close()
    _mount("-o", "remount,rw", str(disk))
    home.ws = home.opened()
    home.build()
    assert home.total() == home.raw()
    home.ws.close()
