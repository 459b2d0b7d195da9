"""A log writer: puts lines of the log on standard error, many at once where many come."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from typing import Final

_SECONDS: Final = 0.2
_BYTES: Final = 1 << 16


class LogWriter(logging.StreamHandler):  # pyright: ignore[reportMissingTypeArgument] - generic for type checkers only
    """Writes what is no warning a little later: a write for each line takes longer than answering a request.

    Warnings and errors are written at once, with all that came before them.
    """

    def __init__(self) -> None:
        super().__init__(os.fdopen(2, "w", _BYTES, encoding="utf-8", errors="replace", closefd=False))
        self._waiting = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._write_on, name="aggflow-log", daemon=True)
        self._thread.start()
        # A thread that holds the stream when the interpreter ends would bring it down.
        atexit.register(self.end)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        try:
            self.stream.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - as every handler of the log does
            self.handleError(record)
            return
        if record.levelno >= logging.WARNING or self._is_over:
            self.flush()
        elif not self._waiting.is_set():
            self._waiting.set()

    def end(self) -> None:
        """Write what is there, and from now on every record at once."""
        self._is_over = True
        self._waiting.set()
        self._thread.join()
        self.flush()

    def _write_on(self) -> None:
        while not self._is_over:
            self._waiting.wait()
            time.sleep(_SECONDS)
            self._waiting.clear()
            self.flush()
