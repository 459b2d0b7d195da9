"""A partner: another Python process, which a test leads through a program line by line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60.0


class Partner:
    """A process that prints a line where it stands, and reads one before it goes on.

    Parameters
    ----------
    code
        What it runs.
    arguments
        Its ``sys.argv[1:]``.
    """

    def __init__(self, code: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def go_on(self) -> None:
        """Let it take its next step."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def line(self) -> str:
        """What it says next; empty where it has ended."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        """Kill it, wherever it is."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Let it come to its end, if it has not; its exit code."""
        assert self._process.stdin
        if not self._process.stdin.closed:
            self._process.communicate("\n\n", timeout=_PATIENCE_SECONDS)
        return self._process.returncode
