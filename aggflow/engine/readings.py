"""Readings: LINQ texts read against the columns of their sources."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from aggflow.backends.source_rows import SourceRows
from aggflow.engine.check import check_reading
from aggflow.engine.declarations import Declarations
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.plain_paths import plain_paths
from aggflow.engine.question import Asked, Question
from aggflow.errors import ParseError
from aggflow.language import parse_linq
from aggflow.measures.registry import state_key
from aggflow.quote import quoted
from aggflow.spec.reading import Reading, reading_of
from aggflow.spec.source import Source
from aggflow.timeline import Interval, Window, Zone

_CENTURY = Interval.of("36525d")
_MOST_KEPT = 512


@dataclass(frozen=True)
class Read:
    """A text that was read.

    Attributes
    ----------
    reading
        What it needs.
    source
        What it reads.
    plain
        The paths of its conditions whose values are texts, numbers or truth values.
    """

    reading: Reading
    source: Source
    plain: frozenset[str]


class Readings:
    """Reads LINQ texts of a workspace, keeping what texts said while their sources stay the same.

    Parameters
    ----------
    declarations
        The sources.
    generation
        Of the workspace's definitions, now.
    """

    def __init__(self, declarations: Declarations, generation: Callable[[], int]) -> None:
        self._declarations = declarations
        self._generation = generation
        self._kept: dict[tuple[int, str], Read] = {}

    def read(self, text: str) -> Read:
        """What a text needs, and its source.

        Raises
        ------
        ParseError
            It is no query, or names a table, column or function that is not there; with its place.
        SourceError
            The source cannot be opened.
        """
        key = (self._generation(), text)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self._read(text)
        return self._kept[key]

    def inquiry(self, text: str, window: Window, zone: Zone, *, live: bool = True) -> Inquiry:
        """The question that a text asks of a window."""
        read = self.read(text)
        reading = read.reading
        rollup = reading.rollup(reading.period or _CENTURY, zone)
        question = Question(
            fields=tuple(
                Asked(one.name, state_key(one.kept, rollup), one.kept.calculation, one.percentile, window)
                for one in reading.measured
            ),
            groupings=reading.groupings,
            series=reading.period,
            zone=zone,
            live=live,
            outputs=reading.outputs,
        )
        return Inquiry("LINQ", read.source, rollup, question, read.plain)

    def _read(self, text: str) -> Read:
        sources = self._declarations.all("source")
        source: Source = sources[table_of(text, sources)].spec
        with self._declarations.open(source) as rows:
            reading = reading_on(text, rows)
            return Read(reading, source, plain_paths(reading.query.predicate, rows))


def table_of(text: str, sources: Collection[str]) -> str:
    """The table that a text reads, one of the sources.

    Raises
    ------
    ParseError
        It is no query, or there is no such table.
    """
    # Read without columns, to know the table.
    table = parse_linq(text, tables=sources).table
    if table not in sources:
        raise ParseError(
            f"there is no table {quoted(table)}",
            text=text,
            position=text.find(table),
            hint="a table is a source: add one by ws.add_source",
        )
    return table


def reading_on(text: str, rows: SourceRows) -> Reading:
    """What a text needs, checked on the rows of its source.

    Raises
    ------
    ParseError
        It names a column or function that is not there, or the source cannot serve it; with its place.
    """
    reading = reading_of(parse_linq(text, columns=rows.columns))
    check_reading(reading, rows, text)
    return reading
