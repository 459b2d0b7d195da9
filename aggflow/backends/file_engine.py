"""A file engine: an engine of this process that reads the files which a source's URL names."""

from __future__ import annotations

import glob
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ibis
import ibis.expr.types as ir

from aggflow.backends.capability import Capability
from aggflow.backends.pool import missing_driver
from aggflow.errors import LONGEST_PATH, SourceUnavailableError
from aggflow.quote import cut

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".csv.gz": "read_csv", ".json": "read_json"}


def started(url: str, can: Capability) -> Any:
    """The engine, with the options of its row and of the URL (``?spark.master=...``).

    Raises
    ------
    UnsupportedError
        It is not installed.
    """
    options = {**dict(can.options), **dict(parse_qsl(urlsplit(url).query))}
    try:
        backend: Any = getattr(ibis, can.name)
        with warnings.catch_warnings():
            # What the engine's own modules say of one another when they are loaded.
            warnings.simplefilter("ignore", DeprecationWarning)
            return backend.connect(_session(can, options)) if can.session else backend.connect()
    except ImportError as error:
        raise missing_driver(can, error) from error


def files_as_table(con: Any, path: str, source: str) -> ir.Table:
    """The rows of files.

    Parameters
    ----------
    con
        The engine.
    path
        A file, a pattern, or a folder of Parquet files.
    source
        The source's name, for errors.

    Raises
    ------
    SourceUnavailableError
        There are none.
    """
    must_match(path, source)
    reader = next((name for ending, name in _READERS.items() if path.endswith(ending)), "read_parquet")
    return getattr(con, reader)(path)


def must_match(path: str, source: str) -> None:
    """Refuse a path or pattern of files that do not exist.

    Raises
    ------
    SourceUnavailableError
        There are none.
    """
    if not glob.glob(path, recursive=True):  # noqa: PTH207 - an absolute pattern is no Path.glob
        raise SourceUnavailableError(
            f"source {source!r}: no file matches {cut(path, LONGEST_PATH)}", hint="check the path"
        )
    folder = Path(path)
    if folder.is_dir() and not any(folder.rglob("*.parquet")):
        raise SourceUnavailableError(
            f"source {source!r}: there is no Parquet file in {cut(path, LONGEST_PATH)}",
            hint="name CSV files by a pattern: *.csv",
        )


def _session(can: Capability, options: dict[str, str]) -> Any:
    """The session of an engine that has one a process."""
    module, _, name = can.session.rpartition(".")
    builder: Any = getattr(__import__(module, fromlist=[name]), name).builder
    for key, value in options.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()
