"""A schedule builder: a form for a schedule in JupyterLab, with the times at which it builds next."""

from __future__ import annotations

from html import escape
from typing import Any, cast

import ipywidgets as widgets

from aggflow.charts.fires import draw_fires
from aggflow.charts.renderer import bundle
from aggflow.notebook.builder import Builder, framed
from aggflow.notebook.html_text import heading, note
from aggflow.notebook.parts_style import PARTS_STYLE
from aggflow.notebook.schedule_form import ScheduleForm
from aggflow.spec.fire import Fire
from aggflow.timeline import Micros
from aggflow.workspace import Workspace

_WIDTH = 400
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class ScheduleBuilder(Builder):
    """A form for a schedule: which cube, and when: a cron expression as text and field by field.

    Parameters
    ----------
    ws
        The workspace.
    job_id
        Of the schedule that is opened; None for a new one.

    Raises
    ------
    NotFoundError
        There is no such schedule.
    """

    def __init__(self, ws: Workspace, job_id: str | None = None) -> None:
        super().__init__(ScheduleForm(ws, job_id))

    def extra_cards(self) -> list[Any]:
        """When it builds: the sentence, the next times on a line and as a list."""
        self.when = widgets.HTML()
        self.runs_chart = widgets.Output()
        self.runs_chart.add_class("agf-line")
        self.runs = widgets.HTML()
        head = widgets.HTML(PARTS_STYLE + heading("When it builds"))
        return [framed(head, self.when, self.runs_chart, self.runs)]

    def refreshed(self) -> None:
        """Let what is said of the next times follow a change."""
        form = cast("ScheduleForm", self.form)
        spec = form.checked.spec
        if spec is None:
            self.when.value = note("The next times are shown as soon as the expression can be read.")
            self.runs_chart.outputs, self.runs.value = (), ""
            return
        fires, now_us = form.fires(), form.ws.now_us()
        self.when.value = f'<div class="agf-sentence">{escape(form.when)}</div>'
        chart = draw_fires(fires, spec.zone, now_us, theme="auto", width=_WIDTH)
        data = bundle(chart.to_dict())
        self.runs_chart.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        self.runs.value = _listed(fires, now_us)


def _listed(fires: tuple[Fire, ...], now_us: Micros) -> str:
    """The times as a list: how soon, the time on the clock, what daylight saving makes of it."""
    rows = "".join(
        f'<tr><td class="agf-soon">in {_soon(fire.at_us - now_us)}</td><td>{escape(str(fire))}</td>'
        f'<td class="agf-note">{escape(fire.note)}</td></tr>'
        for fire in fires
    )
    return f'<table class="agf-times">{rows}</table>'


def _soon(us: Micros) -> str:
    """A length of time in its two largest units.

    Examples
    --------
    >>> _soon(90_061_000_000), _soon(59_000_000), _soon(400_000)
    ('1 d 1 h', '59 s', '0 s')
    """
    rest = us // 1_000_000
    parts: list[str] = []
    for seconds, unit in _UNITS:
        count, rest = divmod(rest, seconds)
        if count or parts:
            parts.append(f"{count} {unit}")
        if len(parts) == 2:
            break
    shown = [part for part in parts if not part.startswith("0 ")]
    return " ".join(shown) or "0 s"
