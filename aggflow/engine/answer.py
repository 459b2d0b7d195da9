"""An answer: the values of a question as rows, with the reason for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from inspect import signature
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from aggflow.engine.csv_text import csv_lines
from aggflow.engine.explanation import Explanation
from aggflow.errors import AggflowError, NotFoundError
from aggflow.figure import counted, plural
from aggflow.markup import table
from aggflow.measures.state import Values
from aggflow.measures.vocabulary import GroupingValue, inferred
from aggflow.timeline import format_seconds

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_ROWS = 20
_PART_ROWS = 2000
_NULL = "\N{EN DASH}"


@dataclass(frozen=True, eq=False)
class Answer:
    """The values of a question.

    Attributes
    ----------
    name
        What was asked, for people.
    buckets
        The start of every row's bucket in whole seconds since the epoch, of a series; else None.
    groupings
        By name, the value of every row.
    fields
        By name, the values.
    count
        How many rows there are.
    explanation
        Where it came from.
    draw
        Makes a chart of it.
    open_from
        Of a series, the start of the first bucket that is not complete yet, in seconds; None where all are.
    """

    name: str
    buckets: tuple[int, ...] | None
    groupings: Mapping[str, tuple[GroupingValue, ...]]
    fields: Mapping[str, Values]
    count: int
    explanation: Explanation
    draw: Callable[..., Any]
    open_from: int | None = None

    def __len__(self) -> int:
        return self.count

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON array of the endpoints API.

        Returns
        -------
        list of dict
            One a row, keys in this order: ``dt`` (RFC 3339, series only), ``groupings`` (only if some
            are returned), ``fields``.
        """
        times = None if self.buckets is None else format_seconds(self.buckets)
        groupings = {name: [_plain(v) for v in values] for name, values in self.groupings.items()}
        fields = {name: [_plain(v) for v in values.to_list()] for name, values in self.fields.items()}
        rows: list[dict[str, Any]] = []
        for i in range(self.count):
            row: dict[str, Any] = {} if times is None else {"dt": times[i]}
            if groupings:
                row["groupings"] = {name: values[i] for name, values in groupings.items()}
            row["fields"] = {name: values[i] for name, values in fields.items()}
            rows.append(row)
        return rows

    def to_arrow(self) -> pa.Table:
        """As an Arrow table: ``dt`` (timestamp, UTC) of a series, groupings, fields; a row a row."""
        columns: dict[str, pa.Array] = {}
        if self.buckets is not None:
            seconds = pa.array(self.buckets, type=pa.int64())
            columns["dt"] = seconds.cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "UTC"))
        columns |= {name: _arrow(values) for name, values in self.groupings.items()}
        columns |= {name: _arrow(values.to_list(), values) for name, values in self.fields.items()}
        return pa.table(columns)

    def to_pandas(self) -> pd.DataFrame:
        """As a pandas frame, the columns of :meth:`to_arrow`."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """As a Polars frame, the columns of :meth:`to_arrow`; needs Polars."""
        try:
            import polars as pl
        except ModuleNotFoundError:
            raise AggflowError("Polars is not installed", hint="pip install 'aggflow[polars]'") from None
        return pl.from_arrow(self.to_arrow())

    def to_csv(self) -> str:
        """As RFC 4180 text with a header: ``dt``, groupings, fields; null is empty, empty text ``""``."""
        return "".join(self.csv_parts())

    def csv_parts(self, rows: int = _PART_ROWS) -> Iterator[str]:
        """The text of :meth:`to_csv` in parts: the header, then so many rows each."""
        columns: dict[str, Sequence[Any]] = {}
        if self.buckets is not None:
            columns["dt"] = format_seconds(self.buckets)
        columns |= self.groupings
        columns |= {name: values.to_list() for name, values in self.fields.items()}
        yield csv_lines([[name] for name in columns])
        for start in range(0, self.count, rows):
            yield csv_lines([values[start : start + rows] for values in columns.values()])

    def chart(self, **options: Any) -> Any:
        """An Altair chart, its mark chosen by the shape of the answer; needs ``aggflow[demo]``.

        Parameters
        ----------
        options
            As :func:`aggflow.charts.draw` takes them: ``fields``, ``title``, ``theme`` (light, dark, auto),
            ``width``, ``height``, ``explained``.

        Raises
        ------
        NotFoundError
            An option, field or theme of that name is not there.
        """
        known = list(signature(self.draw).parameters)[1:]
        for name in options:
            if name not in known:
                error = NotFoundError("option of a chart", name, known)
                error.hint += "; the mark is chosen by the shape of the answer"
                raise error
        return self.draw(self, **options)

    def explain(self) -> Explanation:
        """Which rollup answered and why not the others, what was read where, how long it took."""
        return self.explanation

    def __repr__(self) -> str:
        cut = self.explanation.cut
        more = f", {cut:,} more cut by the limit" if cut else ""
        hint = f"\nhint: {self.explanation.hint}" if self.explanation.hint else ""
        return f"Answer({self.name!r}, {counted(self.count, 'row')}{more})\n{self._text()}{hint}"

    def _text(self) -> str:
        names, rows = self.shown()
        widths = [max(len(name), *(len(row[i]) for row in rows), 0) for i, name in enumerate(names)]
        lines = ["  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True))]
        lines += ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
        if self.count > len(rows):
            lines.append(f"… {self.count - len(rows):,} more rows")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        names, rows = self.shown()
        more = f" of {self.count:,}" if self.count > len(rows) else ""
        caption = f"{len(rows):,}{more} {plural(self.count, 'row')} · {self.explanation.summary}"
        hint = f"hint: {self.explanation.hint}" if self.explanation.hint else ""
        return table(names, rows, numeric=set(self.fields), caption=caption, hint=hint)

    def shown(self, most: int | None = _SHOWN_ROWS) -> tuple[list[str], list[list[str]]]:
        """Names of the columns, and the first ``most`` rows (None: all), as texts for people."""
        columns: list[list[str]] = []
        if self.buckets is not None:
            columns.append([_time_text(s) for s in self.buckets[:most]])
        columns += [[_NULL if v is None else str(v) for v in vs[:most]] for vs in self.groupings.values()]
        columns += [[_number_text(v) for v in vs.to_list()[:most]] for vs in self.fields.values()]
        names = [*([] if self.buckets is None else ["dt"]), *self.groupings, *self.fields]
        return names, [list(row) for row in zip(*columns, strict=True)]


def _plain(value: object) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _arrow(values: Any, of: Values | None = None) -> pa.Array:
    try:
        array = inferred(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # Values of several types in one grouping: their texts.
        array = pa.array([None if value is None else str(value) for value in values])
    if pa.types.is_null(array.type):
        return array.cast(pa.string() if of is None or of.data.dtype == object else pa.float64())
    return array


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _number_text(value: object) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.4g}"
