"""Plain paths: those of a predicate on whose values conditions can be tested, instead of on rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from aggflow.backends.source_rows import SourceRows
from aggflow.engine.residual import is_testable
from aggflow.errors import NotFoundError, SourceError
from aggflow.language import Predicate, paths, read_predicate, write_subject

# Who asks for what is built does not wait for a source that is away, but now and then.
_AGAIN_S: Final = 10.0


def plain_paths(predicate: Predicate, rows: SourceRows) -> frozenset[str]:
    """The paths of a predicate whose values are texts, whole numbers or truth values.

    Raises
    ------
    NotFoundError
        It names a column that is not there.
    """
    return frozenset(
        write_subject(path) for path in paths(predicate) if is_testable(rows.column(path).type())
    )


class PlainPaths:
    """The plain paths of a definition's predicate, found when they are first asked for.

    Parameters
    ----------
    where
        Its predicate.
    open_rows
        Opens its source, which knows the types.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        where: str,
        open_rows: Callable[[], AbstractContextManager[SourceRows]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._predicate = read_predicate(where)
        self._open_rows = open_rows
        self._clock = clock
        # Without a path there is nothing to look up.
        self._found = None if paths(self._predicate) else frozenset[str]()
        self._tried: float | None = None

    def get(self) -> frozenset[str]:
        """The paths; none while the source is away, so that states that need no test still answer."""
        if self._found is not None:
            return self._found
        now = self._clock()
        if self._tried is None or now - self._tried >= _AGAIN_S:
            self._tried = now
            try:
                with self._open_rows() as rows:
                    self._found = plain_paths(self._predicate, rows)
            except (SourceError, NotFoundError):
                # Who needs the source itself is told; others need no more than their states.
                return frozenset()
        return self._found or frozenset()
