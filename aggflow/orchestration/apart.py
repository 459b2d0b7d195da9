"""A call that is made apart: where no event loop runs, whatever runs in the thread that asks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def apart(call: Callable[[], T]) -> T:
    """What a call gives, made in a thread of its own with the settings of this one.

    Some functions of Prefect give a coroutine instead of a result where an event loop runs, as in a notebook.

    Parameters
    ----------
    call
        What is to be called.

    Examples
    --------
    >>> apart(lambda: 1 + 1)
    2
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, call).result()
