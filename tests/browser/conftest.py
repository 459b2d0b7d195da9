"""A browser, and a JupyterLab with a workspace in it, once for the tests of a file that look at them.

Not for longer: Playwright leaves an event loop running in the thread of the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import free_port
from flights import prepare
from headless import CHROMIUM, browser
from lab import TOKEN, Lab, alone, server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium")
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def lab(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    root = folder / "root"
    prepare(root)
    environment = {**alone(folder), "AGGFLOW_HOME": str(root / ".aggflow")}
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser", "--expose-app-in-browser"),
        *(
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--IdentityProvider.token={TOKEN}",
        ),
        *(f"--ServerApp.root_dir={root}", f"--LabApp.user_settings_dir={folder / 'settings'}"),
    ]
    with server(command, f"{url}/api", folder, environment):
        yield Lab(url, root, Path(folder / "settings"), chromium)
