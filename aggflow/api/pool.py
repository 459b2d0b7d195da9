"""The pool: the threads where blocking work is done, few, so that they do not take the processor from one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do blocking work in a thread of the pool, and wait for it without blocking the event loop.

    Examples
    --------
    >>> asyncio.run(run(divmod, 7, 2))
    (3, 1)
    """
    return await asyncio.get_running_loop().run_in_executor(None, partial(function, *args, **kwargs))


def limit(threads: int) -> None:
    """Give the running event loop its pool, and let routes written as plain functions have no more threads.

    Parameters
    ----------
    threads
        How many at most, of each kind.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(threads, thread_name_prefix="aggflow-work"))
    anyio.to_thread.current_default_thread_limiter().total_tokens = threads
