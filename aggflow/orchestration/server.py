"""An embedded Prefect server: how it is started, for a home that has no other Prefect."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
PORT: Final = 4200

QUIET: Final = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The pages of version 2 ask a service that counts visits how to count, also where they may not.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
}
"""Nothing is told to anyone; whoever wants it otherwise says so in the environment."""
_KEPT: Final = {
    # A run of tasks a minute is half a million a year.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 86_400),
}


def address(port: int) -> str:
    """Where its UI is."""
    return f"http://{HOST}:{port}"


def api_address(port: int) -> str:
    """Where its API is."""
    return f"{address(port)}/api"


def environment(given: Mapping[str, str], folder: Path, port: int) -> dict[str, str]:
    """The variables of the server, and of all that talk to it.

    Parameters
    ----------
    given
        Those of this process; what users say there of the server holds.
    folder
        Where Prefect keeps what is its own: no profile of the user's is read.
    port
        Where it listens.
    """
    return {
        **QUIET,
        **_KEPT,
        **given,
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": api_address(port),
        # Else the UI asks port 4200, wherever it was loaded from; behind a proxy it has another address.
        "PREFECT_UI_API_URL": given.get("PREFECT_UI_API_URL") or api_address(port),
        # Prefect writes the UI's own address into its files: two servers would overwrite each other's.
        "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui"),
    }


def command(port: int) -> list[str]:
    """What starts it."""
    return [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
