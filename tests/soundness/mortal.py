"""Builds in processes that can be killed: what a child of a test does."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from shop import Shop

from aggflow.engine.progress import Progress
from aggflow.store import Draft, SegmentFile, SegmentStore

PATIENCE = 300.0
# Each child is a copy of a process that has imported everything and done nothing.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["aggflow.workspace", "ibis.backends.duckdb", "ibis.backends.sql.compilers"]
)


class LastWords(SegmentStore):
    """A store whose process dies when so many segments are written, before anything is committed."""

    segments_left = 1

    def keep(self, draft: Draft) -> SegmentFile:
        """Keep it, and die."""
        written = super().keep(draft)
        self.segments_left -= 1
        if not self.segments_left:
            os.kill(os.getpid(), signal.SIGKILL)
        return written


def build(folder: Path, now: datetime, settings: Any, options: Any, told: Connection, dies: bool) -> None:
    """Build, and tell of every batch: the number of those that are committed, and -1 at the end."""
    shop = Shop(folder, now, **settings)
    if dies:
        shop.ws._store = LastWords(str(folder / "home" / "segments"))

    def tell(progress: Progress) -> None:
        told.send(progress.windows_done)

    shop.ws.build("f", progress=tell, **options)
    told.send(-1)


class Child:
    """A build under way in a process of its own."""

    def __init__(self, process: BaseProcess, told: Connection) -> None:
        self.process = process
        self.told = told

    def wait_for(self, reached: Callable[[int], bool]) -> int:
        """Wait until so many batches are committed; -1 is the end of the build."""
        while True:
            assert self.told.poll(PATIENCE), "the build does not go on"
            done = self.told.recv()
            if reached(done) or done == -1:
                return done

    def ended(self) -> int | None:
        """Wait for its end; its exit code."""
        self.process.join(PATIENCE)
        return self.process.exitcode

    def kill(self) -> None:
        """Kill it, wherever it is."""
        self.process.kill()
        self.process.join()


@contextmanager
def building(shop: Shop, *, dies: bool = False, settings: Any = None, **options: Any) -> Iterator[Child]:
    """A build of a shop's filter in another process, which is gone afterwards."""
    here, there = _PROCESSES.Pipe(duplex=False)
    arguments = (shop.folder, shop.now, settings or {}, options, there, dies)
    process = _PROCESSES.Process(target=build, args=arguments)
    process.start()
    there.close()
    try:
        yield Child(process, here)
    finally:
        process.kill()
        process.join()
        here.close()
