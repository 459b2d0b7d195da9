"""A source's shape: its columns and their types, kept for a moment: enough to check what is declared on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import ibis

from aggflow.backends.connect import Session
from aggflow.backends.source_rows import SourceRows
from aggflow.engine.declarations import Declarations
from aggflow.errors import AggflowError
from aggflow.spec.source import Source

_KEPT, _KEPT_ERROR = 60.0, 5.0  # seconds: columns hardly change, a source that is away may come back


@dataclass(frozen=True)
class _Look:
    """What looking at a source gave.

    Attributes
    ----------
    rows
        Its rows, unbound: expressions can be made on them and not be run; None where it failed.
    error
        Why it failed.
    until
        Until when that holds.
    """

    rows: SourceRows | None
    error: AggflowError | None
    until: float


class SourceShapes:
    """The shapes of a workspace's sources.

    Parameters
    ----------
    declarations
        The sources.
    generation
        Of the workspace's definitions, now.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        declarations: Declarations,
        generation: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._declarations = declarations
        self._generation = generation
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, str], _Look] = {}

    def rows(self, name: str) -> SourceRows:
        """The rows of a source, unbound: what is made of them can be checked, and not be run.

        Raises
        ------
        NotFoundError
            There is no such source.
        SourceError
            It cannot be opened, or its columns cannot play their part.
        """
        key = (self._generation(), name)
        look = self._kept.get(key)
        if look is None or look.until < self._clock():
            look = self._look(name)
            with self._lock:
                # Only shapes of definitions as they are now are asked for again.
                self._kept = {one: kept for one, kept in self._kept.items() if one[0] == key[0]}
                self._kept[key] = look
        if look.rows is None:
            assert look.error is not None  # noqa: S101 - one of the two is there
            raise look.error
        return look.rows

    def _look(self, name: str) -> _Look:
        try:
            rows = self._unbound(self._declarations.get("source", name).spec)
        except AggflowError as error:
            return _Look(None, error, self._clock() + _KEPT_ERROR)
        return _Look(rows, None, self._clock() + _KEPT)

    def _unbound(self, source: Source) -> SourceRows:
        with self._declarations.open(source) as rows:
            table = ibis.table(dict(rows.columns), name="events")
            return SourceRows(Session(rows.source, None, rows.can, table))
