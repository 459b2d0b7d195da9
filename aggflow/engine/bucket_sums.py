"""Bucket sums: the cells of a segment merged to one a bucket and group, for one form of a question.

An endpoint is asked about one window after the other.  Of a segment's bucket sums each of these is a
slice that is merged in no time, however many groupings the segment has that the endpoint adds up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from aggflow.engine.reductions import Merged, Reductions
from aggflow.measures.cells import Cells
from aggflow.timeline import Window

_MOST_ASKED: Final = 1024
# Sums that are hardly fewer than the cells they are made of would take their memory a second time.
_FEWER: Final = 4


class BucketSums:
    """The bucket sums that are worth their memory: made when a form is asked of a second window.

    What is asked once, as most combinations of filters that people click together, costs nothing here.

    Parameters
    ----------
    kept
        Where they are kept, beside what else was merged.
    """

    def __init__(self, kept: Reductions[Merged]) -> None:
        self.kept = kept
        self._asked: OrderedDict[Hashable, Window | None] = OrderedDict()
        self._making: set[Hashable] = set()
        self._lock = threading.Lock()

    def get(self, name: Hashable, window: Window, make: Callable[[], Merged]) -> Cells | None:
        """The sums of all buckets of a segment, where they are worth it.

        Parameters
        ----------
        name
            Of the segment and the form.
        window
            Which of its buckets are asked for now.
        make
            Merges the segment.
        """
        found = self.kept.find(name)
        if found is not None:
            return found.cells
        if not self.kept.budget or not self._is_worth_it(name, window):
            return None
        with self._lock:
            if name in self._making:
                # After a build all that ask want the same.  One makes it, nobody waits for it.
                return None
            self._making.add(name)
        try:
            return self._made(name, make)
        finally:
            with self._lock:
                self._making.discard(name)

    def _made(self, name: Hashable, make: Callable[[], Merged]) -> Cells | None:
        made = make()
        if len(made.cells) * _FEWER > made.read:
            self._note(name, None)
            return None
        self.kept.get(name, lambda: made)
        return made.cells

    def _is_worth_it(self, name: Hashable, window: Window) -> bool:
        with self._lock:
            known = self._asked.get(name, window)
        if known == window:
            self._note(name, window)
        # None: they were tried, and are as many as the cells.
        return known is not None and known != window

    def _note(self, name: Hashable, window: Window | None) -> None:
        with self._lock:
            self._asked[name] = window
            self._asked.move_to_end(name)
            while len(self._asked) > _MOST_ASKED:
                self._asked.popitem(last=False)
