"""A file: a chart saved as a picture, a page or its specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aggflow.charts.library import altair, vl_convert
from aggflow.errors import AggflowError

ENDINGS = (".png", ".svg", ".html", ".json")
_SCALE = 2  # two dots a pixel: sharp on screens and in documents


def save(chart: Any, path: str | Path) -> Path:
    """Save a chart; its ending says as what.

    Parameters
    ----------
    chart
        What :func:`draw` or ``answer.chart()`` gave, or any Altair chart.
    path
        ``.png`` and ``.svg`` (pictures, made without a browser), ``.html`` (a page that needs no
        network) or ``.json`` (the Vega-Lite specification).  Replaced if it exists.

    Returns
    -------
    Path
        Where it was saved.

    Raises
    ------
    AggflowError
        The ending is another one, Altair or vl-convert is not installed, or the file cannot be written.
    """
    target = Path(path)
    content = _content(chart, target)
    try:
        target.write_bytes(content)
    except OSError as error:
        raise AggflowError(
            f"the chart cannot be written to {target}: {error.strerror}", hint="choose another place"
        ) from error
    return target


def _content(chart: Any, target: Path) -> bytes:
    ending = target.suffix.lower()
    if ending not in ENDINGS:
        raise AggflowError(
            f"a chart cannot be saved as {ending or 'a file without ending'!r}",
            hint="endings are " + ", ".join(ENDINGS),
        )
    if ending == ".json":
        return chart.to_json(indent=2).encode()
    if ending == ".html":
        vl_convert()
        return chart.to_html(inline=True).encode()
    return to_png(chart.to_dict()) if ending == ".png" else to_svg(chart.to_dict()).encode()


def to_png(spec: dict[str, Any]) -> bytes:
    """A specification as a PNG picture.

    Parameters
    ----------
    spec
        Of a chart: ``chart.to_dict()``.

    Raises
    ------
    AggflowError
        Altair or vl-convert is not installed.
    """
    return vl_convert().vegalite_to_png(spec, vl_version=_version(), scale=_SCALE)


def to_svg(spec: dict[str, Any]) -> str:
    """A specification as an SVG picture.

    Parameters
    ----------
    spec
        Of a chart: ``chart.to_dict()``.

    Raises
    ------
    AggflowError
        Altair or vl-convert is not installed.
    """
    return vl_convert().vegalite_to_svg(spec, vl_version=_version())


def _version() -> str:
    # v6.4.1 of the schema is 6.4 of the converter.
    return ".".join(altair().SCHEMA_VERSION.removeprefix("v").split(".")[:2])
