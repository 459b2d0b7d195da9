"""A builder beside the load: replaces the last days' states once a second, by one state and the other in turn.

python tests/benchmarks/load_builder.py FOLDER HOUR
"""

from __future__ import annotations

import sys
import time
from datetime import datetime
from itertools import cycle
from pathlib import Path

from load_home import STATES, LoadHome


def main() -> None:
    """Build until killed; a line a build."""
    home = LoadHome(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
    with home.opened() as ws:
        for state in cycle(reversed(STATES)):
            began = time.monotonic()
            home.build(ws, state)
            took = time.monotonic() - began
            print(f"{state} {took:.3f}", flush=True)
            time.sleep(max(0.0, 1.0 - took))


if __name__ == "__main__":
    main()
