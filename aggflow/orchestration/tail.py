"""A tail: what a log says anew, as far as it is for people; all of it stays in its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Lines of runs and of passes; not where a run can be seen, which an address above them says, nor how an
# error came about, which its end says.
_HIDDEN: Final = r"(?!.*' - (View at|Encountered exception|Engine execution exited))"
_SHOWN: Final = re.compile(rf"\d\d:\d\d:\d\d(\.\d+)? \| (aggflow \||[A-Z]+ +\| (Flow|Task) run '{_HIDDEN})")


class Tail:
    """The end of a file that another process writes.

    Parameters
    ----------
    file
        Which; it may not be there yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        self._begun = b""

    def lines(self) -> Iterator[str]:
        """The lines for people that were written since the last time."""
        try:
            with self._file.open("rb") as log:
                log.seek(self._read)
                new = log.read()
        except FileNotFoundError:
            return
        self._read += len(new)
        *whole, self._begun = (self._begun + new).split(b"\n")
        for line in whole:
            text = line.decode("utf-8", errors="replace").rstrip()
            # Several processes write there: one may have begun a line that another ends.
            if shown := _SHOWN.search(text):
                yield text[shown.start() :]
