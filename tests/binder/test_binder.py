"""Binder's folder: its commands, in their order, in an environment that has nothing yet."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from daemon import free_port
from lab import alone, wait_for

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
COPIED = ("aggflow", "binder", "flows", "notebooks", "pyproject.toml", "README.md", "LICENSE")
# As JupyterHub has it: nothing is at the root of the address.
PREFIX = "/user/me/"
TOKEN = "tested"  # noqa: S105 - a server of the tests alone


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A copy of the repository with an environment of its own, as the image has it; ``PWD`` is the copy."""
    folder = tmp_path_factory.mktemp("binder")
    repository = folder / "repository"
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, repository / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, repository / name)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    kept = alone(folder)
    installed = {**kept, "HOME": os.environ["HOME"]}  # where pip keeps what it had before
    # Most of what is installed is never imported here: what is, is compiled then.
    command = [python, "-m", "pip", "install", "--quiet", "--no-compile", "-r", "binder/requirements.txt"]
    subprocess.run(command, cwd=repository, env=installed, check=True)
    return {**kept, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "PWD": str(repository)}


@pytest.fixture(scope="module")
def visit(environment: dict[str, str]) -> Iterator[str]:
    """The address of a visit."""
    repository = Path(environment["PWD"])
    subprocess.run(["bash", "binder/postBuild"], cwd=repository, env=environment, check=True)
    ports = {"AGGFLOW_SERVICE_PORT": str(free_port()), "PREFECT_SERVER_API_PORT": str(free_port())}
    port = free_port()
    command = [
        *(
            "bash",
            "binder/start",
            "jupyter",
            "lab",
            "--allow-root",
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
        ),
        *(f"--ServerApp.port={port}", f"--ServerApp.base_url={PREFIX}", f"--IdentityProvider.token={TOKEN}"),
    ]
    log = repository.parent / "start.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=repository,
            env={**environment, **ports, "JUPYTERHUB_SERVICE_PREFIX": PREFIX},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}{PREFIX}"
        wait_for(f"{url}api", process, log, seconds=240)
        yield url
    finally:
        # JupyterLab, and what was begun beside it, which ends its own.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        _wait_until_gone(process.pid)


def _wait_until_gone(group: int) -> None:
    for _ in range(1500):  # runs that are under way end first
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError("what binder/start began did not end")


def asked(url: str) -> httpx.Response:
    """What is there, as soon as it is: Prefect begins while JupyterLab is there already."""
    said = ""
    for _ in range(240):
        # Not as ?token=, which the service would take for one of its own.
        headers = {"Authorization": f"token {TOKEN}"}
        answer = httpx.get(url, headers=headers, timeout=60, follow_redirects=True)
        if answer.status_code == 200:
            return answer
        said = answer.text
        time.sleep(0.5)
    raise AssertionError(said)


def test_a_visit_begins_with_answers_and_prefect_beside_jupyterlab(visit: str) -> None:
    assert asked(f"{visit}lab").status_code == 200
    page = asked(f"{visit}aggflow/").text
    assert "worst" in page
    assert "built until" in page
    assert asked(f"{visit}prefect/api/health").json() is True
    assert asked(f"{visit}prefect/ui-settings").json()["api_url"] == f"{PREFIX}prefect/api"
    assert f"{PREFIX}prefect/" in asked(f"{visit}prefect/").text


def test_what_is_installed_fits_together(environment: dict[str, str]) -> None:
    subprocess.run(["python", "-m", "pip", "check"], env=environment, check=True)
    subprocess.run(["voila", "--version"], env=environment, check=True)
