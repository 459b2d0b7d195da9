"""A build monitor: the builds of a workspace in JupyterLab: what is under way, live, and what was."""

from __future__ import annotations

import threading
from typing import Any, Final

import ipywidgets as widgets

from aggflow.errors import Problem
from aggflow.notebook.build_row import BuildRow
from aggflow.notebook.build_text import ended_table, open_row, what_runs
from aggflow.notebook.build_watch import BuildWatch, Seen, Watchman
from aggflow.notebook.builder import framed
from aggflow.notebook.html_text import heading, message, note
from aggflow.notebook.parts_style import PARTS_STYLE
from aggflow.notebook.style import STYLE
from aggflow.workspace import Workspace

_SHOWN: Final = 12
_DEAF: Final = "This kernel hears no button while a cell runs: interrupt it"


class BuildMonitor(widgets.VBox):
    """The builds of a workspace: how far those under way are, with a button that stops each; the last ones.

    It looks once a second while something is built, less often while nothing is, on a thread of its own:
    the kernel is free for other work.  It looks until it is closed, or its kernel ends.

    A kernel hears no button while a cell runs.  A build by a cell of the same kernel is therefore shown with
    its button switched off and what stops it, the kernel's interrupt; one that a cell begins on a thread,
    ``threading.Thread(target=ws.build, args=["delays"]).start()``, is cancelled as those elsewhere are.

    Parameters
    ----------
    ws
        The workspace.
    """

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.watch = BuildWatch(ws)
        self.seen = Seen()
        self._lock = threading.RLock()
        self._rows: dict[str, _OpenRow] = {}
        self.head = widgets.HTML()
        self.head.add_class("agf-head")
        self.under_way = widgets.VBox()
        self.under_way.add_class("agf-builds")
        self.ended = widgets.HTML()
        self.said = widgets.HTML()
        self.again = widgets.Button(description="Look now", tooltip="Look at the builds now")
        self.again.add_class("agf-button")
        self.again.on_click(lambda _: self.watchman.look_now())
        bar = widgets.HBox([self.again, self.said])
        bar.add_class("agf-bar")
        running = framed(widgets.HTML(heading("Under way")), self.under_way, bar)
        history = framed(widgets.HTML(heading("Ended")), self.ended)
        column = widgets.VBox([running, history])
        column.add_class("agf-column")
        super().__init__([widgets.HTML(STYLE + PARTS_STYLE), self.head, column])
        self.add_class("agf-builder")
        self.watchman = Watchman(self.watch, self.show)
        self.show(self.watch.look())
        self.watchman.start()

    def __repr__(self) -> str:
        return f"BuildMonitor of workspace {self.ws.name!r}"

    def show(self, seen: Seen) -> None:
        """Show what was seen; called from any thread."""
        with self._lock:
            self.seen = seen
            self._tell(
                message([Problem("", seen.error, "it is tried again")], "warning") if seen.error else ""
            )
            if seen.error:
                return
            _put(self.head, what_runs(seen.open))
            self._show_open(seen.open)
            _put(self.ended, ended_table(seen.ended[:_SHOWN]) or note("Nothing was built yet."))

    def _show_open(self, rows: tuple[BuildRow, ...]) -> None:
        known = self._rows
        self._rows = {row.id: known.get(row.id) or _OpenRow(self, row.id) for row in rows}
        for row in rows:
            self._rows[row.id].show(row)
        if list(known) != list(self._rows) or not self.under_way.children:
            empty = widgets.HTML(
                note("Nothing is built just now. What begins here or elsewhere is shown at once.")
            )
            self.under_way.children = tuple(self._rows.values()) or (empty,)

    def cancel(self, build_id: str) -> None:
        """Ask a build to stop after the batch that it is at."""
        problem = self.watch.cancel(build_id)
        self._tell(message([Problem("", problem)]) if problem else "")
        self.watchman.look_now()

    def _tell(self, text: str) -> None:
        _put(self.said, text)

    def close(self) -> None:
        """Look no more, and take the widgets away."""
        self.watchman.stop()
        super().close()


class _OpenRow(widgets.HBox):
    """A build that runs or waits, with the button that stops it."""

    def __init__(self, monitor: BuildMonitor, build_id: str) -> None:
        self.text = widgets.HTML()
        self.text.add_class("agf-build-text")
        self._cancelled = False
        self.button = widgets.Button(description="Cancel")
        self.button.add_class("agf-button")
        self.button.on_click(lambda _: self._cancel(monitor, build_id))
        super().__init__([self.text, self.button])
        self.add_class("agf-build")

    def show(self, row: BuildRow) -> None:
        _put(self.text, open_row(row))
        self.button.tooltip = f"Cancel the build of {row.name}" if row.is_heard else _DEAF
        _disable(self.button, disabled=self._cancelled or not row.is_heard)

    def _cancel(self, monitor: BuildMonitor, build_id: str) -> None:
        self._cancelled = True
        self.button.disabled = True
        self.button.description = "Cancelling …"
        monitor.cancel(build_id)


def _put(widget: Any, text: str) -> None:
    if widget.value != text:
        widget.value = text


def _disable(button: widgets.Button, *, disabled: bool) -> None:
    if button.disabled != disabled:
        button.disabled = disabled
