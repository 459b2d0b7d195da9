"""A trial view: what a draft would answer, as a chart whose title says what it was made of."""

from __future__ import annotations

from aggflow.engine.trial import Trial
from aggflow.notebook.previewer import Shown

WIDTH, HEIGHT = 380, 240  # pixels: beside the entries in a cell of 900


def shown_trial(trial: Trial, name: str) -> Shown:
    """A trial as a preview.

    Parameters
    ----------
    trial
        What was made.
    name
        What is tried.
    """
    series = trial.answer.buckets is not None
    chart = trial.answer.chart(
        title=f"{name}: {_made_of(trial)}", theme="auto", width=WIDTH, height=HEIGHT if series else None
    )
    text = "" if trial.is_exact else "Counts and sums are those of the sample."
    return Shown(chart, text, exact=trial.is_exact)


def _made_of(trial: Trial) -> str:
    """What a trial was made of, for the title of its chart."""
    if not trial.rows and trial.is_exact:
        return "from what is built"
    if trial.is_exact:
        return f"all {trial.rows:,} events"
    share = f"1 event in {1 / trial.share:.0f}" if trial.share < 2 / 3 else f"{trial.share:.0%} of the events"
    return f"a sample, {share}"
