"""The charting library: Altair, imported when something is drawn, explained where it is missing."""

from __future__ import annotations

from typing import Any

from aggflow.errors import AggflowError

_INSTALL = "pip install 'aggflow[demo]'"


def altair() -> Any:
    """The module ``altair``.

    Raises
    ------
    AggflowError
        It is not installed.
    """
    try:
        import altair as alt
    except ImportError as error:
        raise AggflowError("charts need Altair", hint=_INSTALL) from error
    return alt


def vl_convert() -> Any:
    """The module ``vl_convert``, which makes pictures and pages without a browser.

    Raises
    ------
    AggflowError
        It is not installed.
    """
    try:
        import vl_convert as module
    except ImportError as error:
        raise AggflowError("saving a chart needs vl-convert", hint=_INSTALL) from error
    return module
