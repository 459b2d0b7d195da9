"""A stop: the signal that ends a run, let through where a driver made another error of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stoppable() -> Iterator[None]:
    """Work that a signal may end in the middle of a statement.

    DuckDB, for one, then raises an error of its own, and the run would count as failed, not as stopped.
    """
    from prefect.exceptions import TerminationSignal

    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, TerminationSignal):
                raise cause from None
            cause = cause.__cause__ or cause.__context__
        raise
