"""A JupyterLab that runs, and its pages in a browser, as somebody with a mouse sees them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ARTIFACTS = Path(__file__).parent / "artifacts"
TOKEN = "tested"  # noqa: S105 - a server of the tests alone
# Machines that are shared take their time.
PATIENCE_MS = 120_000

# What foreign parts complain of, and why it is none of our business.
FOREIGN = {
    "Voila's template links to icons elsewhere, which none of our pages has": re.compile(
        r".*https://cdn\.jsdelivr\.net/npm/@fortawesome/.*"
    ),
}


def wait_for(url: str, process: subprocess.Popen[Any], log: Path, seconds: float = 120) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


def alone(folder: Path) -> dict[str, str]:
    """The environment of a Jupyter that knows nothing of whoever runs the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "AGGFLOW", "PREFECT"))
    }
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PREFECT_HOME": str(folder / "prefect"),
    }


@contextmanager
def server(command: list[str], url: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A server, until it is not needed any more."""
    log = folder / f"{Path(command[2]).name}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    try:
        wait_for(url, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def quiet(settings: Path, theme: str) -> None:
    """JupyterLab's settings: no news from elsewhere, and a theme."""
    said = {
        "apputils-extension/notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": True,
        },
        "apputils-extension/themes": {"theme": f"JupyterLab {theme.title()}"},
    }
    for name, values in said.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))


@dataclass
class Lab:
    """A JupyterLab that runs.

    Attributes
    ----------
    url
        Where it is.
    root
        The folder that it shows.
    settings
        Where its settings are.
    browser
        What looks at it.
    """

    url: str
    root: Path
    settings: Path
    browser: Any

    @contextmanager
    def page(self, theme: str = "light", path: str = "lab") -> Iterator[Looked]:
        """A page of it; what the browser complains of is an error at its end."""
        quiet(self.settings, theme)
        context = self.browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme=theme)
        context.set_default_timeout(PATIENCE_MS)
        looked = Looked(context.new_page(), self.url)
        looked.page.goto(f"{self.url}/{path}?token={TOKEN}&reset")
        looked.page.wait_for_selector("#jp-main-dock-panel")
        try:
            yield looked
        except BaseException:
            looked.shot("failed")
            raise
        finally:
            looked.is_left = True
            context.close()
        assert not looked.complaints, looked.complaints
        assert not looked.elsewhere, looked.elsewhere

    @contextmanager
    def notebook(self, name: str, theme: str = "light") -> Iterator[Looked]:
        """A notebook, with its kernel."""
        with self.page(theme, f"lab/tree/{name}") as looked:
            page = looked.page
            page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell")
            page.evaluate(
                "async () => { const widget = window.jupyterapp.shell.currentWidget; await widget.context.ready;"
                " await widget.sessionContext.ready; await widget.sessionContext.session.kernel.info; }"
            )
            try:
                yield looked
            finally:
                looked.is_left = True
                page.evaluate(
                    "async () => { const widget = window.jupyterapp.shell.currentWidget;"
                    " if (widget?.sessionContext) await widget.sessionContext.shutdown(); }"
                )


@dataclass
class Looked:
    """A page, with all that it asked for elsewhere and all that it complained of.

    What it complains of while it is left, as that its kernel is gone, is no matter of its own.
    """

    page: Any
    url: str
    complaints: list[str] = field(default_factory=list[str])
    elsewhere: list[str] = field(default_factory=list[str])
    is_left: bool = False

    def __post_init__(self) -> None:
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("request", self._asked)

    def _told(self, message: Any) -> None:
        if message.type == "error":
            self._complain(f"{message.text} {message.location.get('url', '')}")

    def _complain(self, text: str) -> None:
        if not _is_foreign(text) and not self.is_left:
            self.complaints.append(text)

    def _asked(self, request: Any) -> None:
        url = request.url
        if url.startswith("http") and not url.startswith(self.url) and not _is_foreign(url):
            self.elsewhere.append(url)

    def run_all(self) -> None:
        """Run every cell; none may end in an error."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        assert not self.errors(), self.errors()
        assert not self.not_run(), self.not_run()

    def errors(self) -> list[str]:
        """What outputs say went wrong."""
        # Of all cells: what is out of sight is on no page.
        found: list[str] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model)"
            ".filter(model => model.type === 'code').flatMap(model => model.outputs.toJSON())"
            ".filter(output => output.output_type === 'error')"
            ".map(output => `${output.ename}: ${output.evalue}`)"
        )
        return found

    def not_run(self) -> list[str]:
        """The cells of code that have not been run to their end."""
        found: list[str] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model)"
            ".filter(model => model.type === 'code' && !model.executionCount && model.sharedModel.getSource())"
            ".map(model => model.sharedModel.getSource())"
        )
        return found

    def shot(self, name: str) -> None:
        """Keep a picture, to be looked at."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")

    def see(self, selector: str) -> Any:
        """The first of what a selector finds, when it is there and in view."""
        found = self.page.locator(selector).first
        found.wait_for(state="visible")
        found.scroll_into_view_if_needed()
        return found


def _is_foreign(text: str) -> bool:
    return any(pattern.match(text) for pattern in FOREIGN.values())
