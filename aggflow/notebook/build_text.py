"""A build text: builds as HTML, for a monitor; everything of users escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from aggflow.notebook.build_row import BuildRow
from aggflow.timeline import format_instant

_NUMBER: Final = ' class="agf-number"'
_COLUMNS: Final = (
    ("", ""),
    ("What", ""),
    ("Began (UTC)", ""),
    ("Took", ""),
    ("Rows read", _NUMBER),
    ("States", _NUMBER),
)
_SIGNS: Final = {"done": "✓ done", "error": "✕ failed", "cancelled": "■ cancelled"}
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))


def what_runs(rows: Sequence[BuildRow]) -> str:
    """The head: how many builds run, and how many wait."""
    counts = {status: sum(row.status == status for row in rows) for status in ("running", "pending")}
    parts = [f"{counts['running']} running"] if counts["running"] else []
    parts += [f"{counts['pending']} waiting"] if counts["pending"] else []
    chip, kind = (", ".join(parts), "warn" if not counts["running"] else "new") if parts else ("idle", "good")
    return f'<span class="agf-title">Builds</span><span class="agf-chip {kind}" role="status">{chip}</span>'


def open_row(row: BuildRow) -> str:
    """A build that runs or waits: what it is, a bar, how far it is and how long it takes."""
    known = row.status == "running" and row.progress is not None
    percent = round(100 * (row.progress or 0)) if known else None
    width = 0 if percent is None else percent
    shown = "" if percent is None else f"{percent} %"
    state = "" if row.status == "running" else " waits"
    part = f" · {escape(row.part)}" if row.part else ""
    bar = (
        f'<div class="agf-ground{" unknown" if percent is None and row.status == "running" else ""}" role="progressbar" '
        f'aria-valuemin="0" aria-valuemax="100"{"" if percent is None else f" aria-valuenow={percent!s}"} '
        f'aria-label="{escape(row.name)}"><div class="agf-done" style="width:{width}%"></div></div>'
    )
    return (
        f'<div class="agf-build-head"><b>{escape(row.name)}</b>{part}<span class="agf-help"> {row.kind}{state}</span>'
        f'<span class="agf-percent">{shown}</span></div>{bar}'
        f'<div class="agf-help">{escape(_how_far(row))}</div>{_note(row)}'
    )


def ended_table(rows: Sequence[BuildRow]) -> str:
    """Builds that ended, as a table; empty for none."""
    if not rows:
        return ""
    body = "".join(
        f'<tr><td class="{row.status}">{_SIGNS[row.status]}</td><td><b>{escape(row.name)}</b> '
        f'<span class="agf-help">{row.kind}</span>{_note(row)}</td>'
        f"<td>{escape(_when(row))}</td><td>{escape(duration(row.seconds))}</td>"
        f'<td class="agf-number">{row.rows:,}</td><td class="agf-number">{row.states:,}</td></tr>'
        for row in rows
    )
    head = "".join(f'<th scope="col"{kind}>{title}</th>' for title, kind in _COLUMNS)
    return f'<table class="agf-ended"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def duration(seconds: float | None) -> str:
    """A length of time for people.

    Examples
    --------
    >>> duration(0.42), duration(75), duration(3_700), duration(None)
    ('0.42 s', '1 min 15 s', '1 h 1 min', '')
    """
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.2g} s"
    rest = round(seconds)
    for index, (length, unit) in enumerate(_UNITS):
        if rest >= length:
            count, rest = divmod(rest, length)
            below, name = _UNITS[index + 1] if index + 1 < len(_UNITS) else (1, "s")
            return f"{count} {unit} {rest // below} {name}"
    return f"{rest} s"


def _how_far(row: BuildRow) -> str:
    parts: list[str] = []
    if row.status == "running":
        total = "" if row.windows_total is None else f" of {row.windows_total:,}"
        parts += [f"{row.windows:,}{total} windows", f"{row.rows:,} rows", f"{row.states:,} states"]
        parts.append(f"{duration(row.seconds)} so far")
    if row.seconds_left is not None:
        parts.append(f"about {duration(row.seconds_left)} left")
    return " · ".join(parts)


def _note(row: BuildRow) -> str:
    kind = "error" if row.status == "error" else "note"
    return f'<div class="agf-message {kind}">{escape(row.note)}</div>' if row.note else ""


def _when(row: BuildRow) -> str:
    at = row.created_us if row.started_us is None else row.started_us
    return format_instant(at // 1_000_000 * 1_000_000).replace("T", " ").removesuffix("Z")
