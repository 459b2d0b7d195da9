"""A home is held by one process, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aggflow.errors import HomeInUseError
from aggflow.orchestration.lock import locked

HOLDER = """
import sys, time
from pathlib import Path
from aggflow.orchestration.lock import locked
with locked(Path(sys.argv[1]), "shop"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(
                HomeInUseError, match=rf"another `aggflow up` \(process {holder.pid}\) serves shop"
            ),
            locked(tmp_path, "shop"),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with locked(tmp_path, "shop"):
        pass
