"""A comparison: one question, asked of the rollup and of the source."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from aggflow.demo.definitions import DAILY, WORST
from aggflow.demo.flights import END, START, ZONE
from aggflow.demo.tolerance import TOLERANCES
from aggflow.engine.answer import Answer
from aggflow.errors import AggflowError
from aggflow.spec.endpoint import Endpoint
from aggflow.workspace import Workspace
from aggflow.workspace.workspace import open_parts

T = TypeVar("T")

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
"""  # noqa: S608 - likewise
REPEATS: Final = {"rollup": 21, "source": 7}
"""How often each is asked, after a first time."""


@dataclass(frozen=True)
class Comparison:
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


def compare(home: str, file: Path) -> list[Comparison]:
    """Both questions of the demo, asked of the rollup and of the source.

    Parameters
    ----------
    home
        The folder of the workspace, which has the demo's definitions, built.
    file
        The flights.

    Raises
    ------
    AggflowError
        An answer is not what the source gives.
    """
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
) -> Comparison:
    answer, rollup_seconds = _timed(ask, REPEATS["rollup"])
    exact, source_seconds = _timed(read, REPEATS["source"])
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
    return Comparison(endpoint.name, answer.count, rollup_seconds, source_seconds, differences)


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
