"""A trial view: what a draft would answer, as a chart whose title says what it was made of."""

from __future__ import annotations

from aggflow.engine.trial import Trial
from aggflow.figure import instant
from aggflow.notebook.previewer import Shown
from aggflow.timeline import ALWAYS, BEGINNING, Window

# Pixels: what fits beside the entries in a cell of 900, with a legend beside it or without.
WIDTH, WIDTH_BESIDE_LEGEND, HEIGHT = 350, 270, 240
_MIDNIGHT = " 00:00"


def shown_trial(trial: Trial, name: str) -> Shown:
    """A trial as a preview.

    Parameters
    ----------
    trial
        What was made.
    name
        What is tried.
    """
    answer = trial.answer
    is_series = answer.buckets is not None
    has_legend = is_series and (bool(answer.groupings) or len(answer.fields) > 1)
    chart = answer.chart(
        title=f"{name}: {_made_of(trial)}",
        theme="auto",
        width=WIDTH_BESIDE_LEGEND if has_legend else WIDTH,
        height=HEIGHT if is_series else None,
    )
    of_sample = "" if trial.is_exact else "Counts and sums are those of the sample."
    return Shown(chart, f"{_when(trial)} {of_sample}".strip(), exact=trial.is_exact)


def _when(trial: Trial) -> str:
    """Which time a trial is of, which is not that of just now where the data ended before."""
    asked = (trial.answer.explanation.stored | trial.answer.explanation.live).span
    return "" if asked is None else f"Shows {_told(asked)}."


def _told(window: Window) -> str:
    """A window for people.

    Examples
    --------
    >>> _told(Window(0, 86_400_000_000)), _told(Window(0, 3_600_000_000)), _told(ALWAYS)
    ('1970-01-01 to 1970-01-02, UTC', '1970-01-01 00:00 to 1970-01-01 01:00, UTC', 'all time')
    >>> _told(Window(BEGINNING, 0)), _told(Window(0, ALWAYS.end))
    ('all time until 1970-01-01, UTC', 'all time from 1970-01-01, UTC')
    """
    if window == ALWAYS:
        return "all time"
    start, end = instant(window.start), instant(window.end)
    ends = [
        text for text, edge in ((start, window.start), (end, window.end)) if ALWAYS.start < edge < ALWAYS.end
    ]
    # The end of a window is not in it: midnights need no clock.
    if all(text.endswith(_MIDNIGHT) for text in ends):
        ends = [text.removesuffix(_MIDNIGHT) for text in ends]
    if window.start == BEGINNING:
        return f"all time until {ends[0]}, UTC"
    return f"{' to '.join(ends)}, UTC" if len(ends) > 1 else f"all time from {ends[0]}, UTC"


def _made_of(trial: Trial) -> str:
    """What a trial was made of, for the title of its chart."""
    if not trial.rows and trial.is_exact:
        return "from what is built"
    if trial.is_exact:
        return f"all {trial.rows:,} events"
    share = f"1 event in {1 / trial.share:.0f}" if trial.share < 2 / 3 else f"{trial.share:.0%} of the events"
    return f"a sample, {share}"
