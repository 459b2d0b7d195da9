"""An extension of IPython: what ``%load_ext aggflow`` brings: magics, completion, charts without a network."""

from __future__ import annotations

from importlib.util import find_spec

from IPython.core.interactiveshell import InteractiveShell

from aggflow.charts.renderer import bring
from aggflow.notebook.cell_completer import CellCompleter
from aggflow.notebook.magics import AggflowMagics

_NAME = "aggflow"


def load(shell: InteractiveShell) -> None:
    """Bring magics and completion, once; and the renderer of charts where Altair is installed."""
    shell.register_magics(AggflowMagics)
    completer = shell.Completer
    if not any(map(_is_ours, completer.custom_matchers)):
        completer.custom_matchers.append(CellCompleter(shell).matcher)
    if find_spec("altair") is not None:
        bring()


def _is_ours(matcher: object) -> bool:
    return getattr(matcher, "matcher_identifier", None) == _NAME
