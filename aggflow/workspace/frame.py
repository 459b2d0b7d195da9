"""A frame: a table in this session's memory, which no build elsewhere could read; how it becomes a source."""

from __future__ import annotations

import re
from typing import Any, Final

from aggflow.errors import Problem, SpecError

# How each library writes a file, by the beginning of the name of its module and the name of the type.
_WRITES: Final = {
    ("pandas", "DataFrame"): "frame.to_parquet({file!r})",
    ("polars", "DataFrame"): "frame.write_parquet({file!r})",
    ("polars", "LazyFrame"): "frame.sink_parquet({file!r})",
    ("pyarrow", "Table"): "pyarrow.parquet.write_table(frame, {file!r})",
    ("duckdb", "DuckDBPyRelation"): "frame.write_parquet({file!r})",
}


def refusal_of(given: Any, name: str, time: str, *, option: str) -> SpecError:
    """The error for what is neither a URL nor an Ibis table, with the lines that make a source of it.

    Parameters
    ----------
    given
        What was given.
    name, time
        The source, and its time column.
    option
        Where it was given: ``url`` or ``table``.

    Examples
    --------
    >>> import pyarrow as pa
    >>> print(refusal_of(pa.table({"at": [1]}), "web clicks", "at", option="url"))
    source 'web clicks': url: a pyarrow Table is in the memory of this session, where no later build could read it
    (write it: pyarrow.parquet.write_table(frame, 'web_clicks.parquet'), and add the file:
    ws.add_source('web clicks', 'web_clicks.parquet', time='at'); for this session alone: table=ibis.memtable(frame))
    """
    kind = type(given)
    library = kind.__module__.partition(".")[0].lstrip("_")
    writes = _WRITES.get((library, kind.__name__))
    if writes is None:
        wanted = "a URL or the path of a file" if option == "url" else "the name of a table, or an Ibis table"
        problem = Problem(option, f"a {kind.__name__} is not {wanted}", "'events.parquet', for one")
        return SpecError(f"source {name!r}", [problem])
    file = re.sub(r"\W+", "_", name) + ".parquet"
    message = (
        f"a {library} {kind.__name__} is in the memory of this session, where no later build could read it"
    )
    hint = (
        f"write it: {writes.format(file=file)}, and add the file: ws.add_source({name!r}, {file!r}, time={time!r}); "
        "for this session alone: table=ibis.memtable(frame)"
    )
    return SpecError(f"source {name!r}", [Problem(option, message, hint)])
