"""A card: an endpoint on the status page, with what it answers and how to ask it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

from aggflow.api.curl import curl
from aggflow.charts import kept
from aggflow.engine.answer import Answer
from aggflow.engine.preview import Preview
from aggflow.engine.status import RollupStatus
from aggflow.engine.stored import Stored
from aggflow.errors import AggflowError, without_password
from aggflow.figure import counted, instant
from aggflow.spec.choice import AnyChoice
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.timing import TimeSeries
from aggflow.timeline import Micros
from aggflow.workspace import Workspace

_WEEK_US: Final = 7 * 86_400 * 1_000_000
_TABLE_ROWS: Final = 5


@dataclass(frozen=True)
class Card:
    """One endpoint: what it answers, and how to ask it.

    Attributes
    ----------
    id, name, description
        Which.
    about
        Its window, and what it is told apart by.
    shown
        How much of the answer is shown; empty where that is all.
    as_of
        The end of the question.
    figures
        Names and numbers, where it answers one row of them.
    headings, rows
        The first rows, where there is neither a picture nor one row.
    picture
        The version of its picture; empty where there is none.
    missing
        Why there is nothing to see.
    curl
        The command.
    """

    id: str
    name: str
    description: str
    about: str
    shown: str
    as_of: str
    figures: Sequence[tuple[str, str]]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    picture: str
    missing: str
    curl: str


def card_of(
    ws: Workspace, endpoint: Stored[Endpoint], status: RollupStatus | None, base: str, now_us: Micros
) -> Card:
    """The card of an endpoint, with a preview of what it answers; ``base`` is the address of the service."""
    preview: Preview | None = None
    missing = ""
    try:
        preview = ws.preview(endpoint.id, status)
    except AggflowError as error:
        missing = without_password(error.message)
    is_recent = preview is None or now_us - preview.end_us < _WEEK_US
    end_us = None if preview is None or is_recent else preview.end_us
    filters = {} if preview is None else preview.grouping_filters
    return Card(
        id=endpoint.id,
        name=endpoint.name,
        description=endpoint.description,
        about=about_of(endpoint.spec),
        as_of="" if preview is None else instant(preview.end_us),
        missing=missing,
        curl=curl(base, endpoint.id, end_us, filters),
        **_seen(preview),
    )


def _seen(preview: Preview | None) -> dict[str, Any]:
    """How an answer is shown: as figures, as a picture, or as a table where charts are not installed."""
    found: dict[str, Any] = {"figures": (), "headings": (), "rows": (), "picture": "", "shown": ""}
    if preview is None:
        return found
    answer: Answer = preview.answer
    if answer.buckets is None and not answer.groupings:
        names, rows = answer.shown(1)
        return found | {"figures": list(zip(names, rows[0], strict=True)) if rows else ()}
    if answer.count and draws():
        return found | {"picture": preview.fingerprint, "shown": kept(answer)}
    headings, rows = answer.shown(_TABLE_ROWS)
    more = f"{len(rows)} of {counted(answer.count, 'row')}" if answer.count > len(rows) else ""
    return found | {"headings": headings, "rows": rows, "shown": more}


def draws() -> bool:
    """Whether charts can be drawn here."""
    return all(find_spec(name) is not None for name in ("altair", "vl_convert"))


def about_of(spec: Endpoint) -> str:
    """What an endpoint answers: its window, its points, and what it is told apart by."""
    timing = spec.timing
    points = (
        f", a point every {timing.interval}" if isinstance(timing, TimeSeries) and timing.interval else ""
    )
    told = [name for name, choice in spec.groupings.items() if _is_shown(choice)]
    kind, name = spec.subject
    asked = name if kind == "filter" else f"{kind} {name}"
    return f"{timing.duration} of {asked}{points}" + (f", by {', '.join(told)}" if told else "")


def _is_shown(choice: AnyChoice) -> bool:
    return choice.kind == "all" or bool(getattr(choice, "returned", False))
