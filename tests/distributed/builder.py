"""A builder: a process that builds a part of a filter again and again, until its input ends, and tells how it goes.

    AGGFLOW_HOME=… python builder.py SINCE UNTIL

Every line that it writes is JSON: ``{"done": windows, "of": windows}`` after a batch, ``{"built": round}`` after a
build, ``{"error": class}`` after one that another try may help.
"""

from __future__ import annotations

import json
import sys
import threading

from aggflow.engine.progress import Progress
from aggflow.errors import AggflowError
from aggflow.workspace import open_workspace


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    since, until = sys.argv[1:]
    ended = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    with open_workspace() as ws:
        rounds = 0
        while not ended.is_set():
            try:
                ws.build(
                    "f",
                    since=since,
                    until=until,
                    full=True,
                    progress=_told,
                )
            except AggflowError as error:
                if not error.retryable:
                    raise
                tell(error=type(error).__name__)
            else:
                rounds += 1
                tell(built=rounds)


def _told(progress: Progress) -> None:
    tell(done=progress.windows_done, of=progress.windows_total)


if __name__ == "__main__":
    main()
