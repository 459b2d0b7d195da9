"""A trial view: what a draft would answer, as a chart whose title says what it was made of."""

from __future__ import annotations

from aggflow.engine.trial import Trial
from aggflow.notebook.previewer import Shown

# Pixels: what fits beside the entries in a cell of 900, with a legend beside it or without.
WIDTH, WIDTH_BESIDE_LEGEND, HEIGHT = 350, 270, 240


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
