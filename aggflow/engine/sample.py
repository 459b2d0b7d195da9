"""A sample: some rows of a source in memory, on which drafts are tried while somebody waits."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import ibis
import pyarrow as pa

from aggflow.backends.connect import Session
from aggflow.backends.interruption import interrupt
from aggflow.backends.memory import CAPABILITY, memory
from aggflow.backends.source_rows import SourceRows
from aggflow.engine.declarations import Declarations
from aggflow.engine.wish import Wish
from aggflow.spec.declaration import digest, plain
from aggflow.spec.source import Source
from aggflow.timeline import ALWAYS, Micros, Window

OpenRows: TypeAlias = Callable[[], AbstractContextManager[SourceRows]]
MOST_ROWS = 50_000
_MOST_KEPT = 8
_KEPT = 600.0  # seconds: as long as somebody is busy with a form


@dataclass(frozen=True)
class Sample:
    """Rows of a source in memory.

    Attributes
    ----------
    source
        As it was opened.
    types
        Its columns, and their types where it is.
    table
        The rows.
    share
        Which part they are of all that there are; 1 for all of them.
    newest
        When the newest of all events was, in microseconds since the epoch; None where there is none.
    until
        Until when it is good enough, on the process's monotonic clock, in seconds.
    """

    source: Source
    types: dict[str, Any]
    table: pa.Table
    share: float
    newest: Micros | None
    until: float

    @contextmanager
    def open(self) -> Iterator[SourceRows]:
        """The rows as those of a source."""
        table: Any = ibis.memtable(self.table)
        # What is JSON there arrives as text; a path leads into JSON only.
        json = {name: "json" for name, type_ in self.types.items() if type_.is_json()}
        yield SourceRows(Session(self.source, memory(), CAPABILITY, table.cast(json) if json else table))


class Samples:
    """Samples of a workspace's sources, the last few kept.

    Parameters
    ----------
    declarations
        The sources.
    most
        How many rows a sample has, about.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        declarations: Declarations,
        most: int = MOST_ROWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._declarations = declarations
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Sample] = OrderedDict()

    def get(
        self, source: Source, wish: Wish, where: str = "", window: Window = ALWAYS, *, anew: bool = False
    ) -> Sample:
        """Rows of a window that fulfil a predicate: all of them where they are few.

        Parameters
        ----------
        source, where, window
            Which rows.
        wish
            Stops reading when it is withdrawn.
        anew
            Whether one that is kept will not do.

        Raises
        ------
        SourceError
            The source cannot be read.
        CancelledError
            Nobody waits for it any more.
        """
        key = _key(source, where, window)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or anew or kept.until < self._clock():
            kept = self._taken(source, where, window, wish)
            with self._lock:
                self._kept[key] = kept
                self._kept.move_to_end(key)
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return kept

    def has(self, source: Source, where: str, window: Window) -> bool:
        """Whether a sample is at hand."""
        kept = self._kept.get(_key(source, where, window))
        return kept is not None and kept.until >= self._clock()

    def _taken(self, source: Source, where: str, window: Window, wish: Wish) -> Sample:
        with opened(self._declarations, source, wish) as rows:
            table = rows.table.filter([*rows.within(window), rows.predicate(where)])
            time_us: Any = rows.time_us(ALWAYS)
            seen = rows.fetch(table.aggregate(n=table.count(), newest=time_us.max())).to_pylist()[0]
            share = min(1.0, self._most / max(1, seen["n"]))
            some = table if share == 1 else table.sample(share)
            return Sample(
                rows.source,
                dict(rows.columns),
                rows.fetch(some.select(list(rows.columns))),
                share,
                seen["newest"],
                self._clock() + _KEPT,
            )


def _key(source: Source, where: str, window: Window) -> tuple[object, ...]:
    return digest(plain(source)), where, window


@contextmanager
def opened(declarations: Declarations, source: Source, wish: Wish) -> Iterator[SourceRows]:
    """The rows of a source for as long as they are wished for; what runs on them is stopped after that."""
    with declarations.open(source) as rows, wish.stopping(lambda: interrupt(rows)):
        yield rows
