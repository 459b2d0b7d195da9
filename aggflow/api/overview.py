"""An overview: all that the status page shows of a workspace, as texts and numbers for its template."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

from aggflow import __version__
from aggflow.api.coverage_picture import Bar, bars_of
from aggflow.api.curl import curl
from aggflow.api.readiness import OK, readiness
from aggflow.api.viewer import Viewer
from aggflow.engine.answer import Answer
from aggflow.engine.build_record import BuildRecord
from aggflow.engine.declarations import Stored
from aggflow.engine.preview import Preview
from aggflow.engine.slow_question import SlowQuestion
from aggflow.engine.status import RollupStatus
from aggflow.engine.stored_schedule import StoredSchedule
from aggflow.errors import AggflowError, without_password
from aggflow.spec.choice import AnyChoice
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.timing import TimeSeries
from aggflow.terminal import ago, counted, instant, size, took
from aggflow.timeline import BEGINNING, Interval, Micros
from aggflow.workspace import Workspace

_SECOND_US: Final = 1_000_000
_WEEK_US: Final = 7 * 86_400 * _SECOND_US
_MOST_FAILURES: Final = 5
_MOST_OPEN: Final = 20
_MOST_QUESTIONS: Final = 8
_LOOKED_AT: Final = 100
_TABLE_ROWS: Final = 5
# Each preview is an answer that is computed, so the page does not show one of every endpoint.
_MOST_CARDS: Final = 24
_LATE_US: Final = 15 * 60 * _SECOND_US


@dataclass(frozen=True)
class RollupRow:
    """One rollup: what is built of it, drawn over time.

    Attributes
    ----------
    kind, name
        ``filter``, ``task`` or ``cube``, and what it is called.
    about
        Its source and its interval.
    bars, start, end
        The picture, and the times at its ends; no bars where there is nothing to draw.
    built
        Up to when, and how long ago that is.
    is_late
        Whether that is longer ago than its interval explains.
    stored
        How much there is.
    """

    kind: str
    name: str
    about: str
    bars: Sequence[Bar]
    start: str
    end: str
    built: str
    is_late: bool
    stored: str

    @classmethod
    def of(cls, status: RollupStatus, now_us: Micros) -> RollupRow:
        """The row of a rollup."""
        kind, name = _kind_and_name(status.name)
        shown = status.extent
        return cls(
            kind=kind,
            name=name,
            about=f"every {status.interval} of {status.source}",
            bars=() if shown is None else bars_of(status, shown),
            start="" if shown is None else instant(shown.start),
            end="" if shown is None else instant(shown.end),
            built=_built(status, now_us),
            is_late=_is_late(status, now_us),
            stored=f"{counted(status.cells, 'cell')} · {counted(status.segments, 'segment')} · {size(status.bytes)}",
        )


def _kind_and_name(reference: str) -> tuple[str, str]:
    """The kind and the name of a rollup's status, which calls filters by their name alone.

    Examples
    --------
    >>> _kind_and_name("delays"), _kind_and_name("cube flights/hourly")
    (('filter', 'delays'), ('cube', 'flights/hourly'))
    """
    kind, _, name = reference.partition(" ")
    return (kind, name) if kind in ("task", "cube") and name else ("filter", reference)


def _built(status: RollupStatus, now_us: Micros) -> str:
    span = status.covered.span
    if span is None:
        return "nothing is built yet"
    start = "" if span.start <= BEGINNING else f"from {instant(span.start)} "
    gaps = len(status.covered) - 1
    holes = f", with {counted(gaps, 'gap')}" if gaps else ""
    if status.events is None:
        holes += ", without any event"
    return f"built {start}until {instant(span.end)}, {ago(span.end, now_us)}{holes}"


def _is_late(status: RollupStatus, now_us: Micros) -> bool:
    span = status.covered.span
    if span is None:
        return True
    interval_us = Interval.of(status.interval).seconds_at_most * _SECOND_US
    return now_us - span.end > max(2 * interval_us, _LATE_US)


@dataclass(frozen=True)
class BuildRow:
    """One build.

    Attributes
    ----------
    id, name, kind, status
        Which, of what, how.
    when
        How long ago it was begun, or ended.
    progress
        0 to 100; None before that is known.
    done
        What it did so far.
    error
        What stopped it.
    """

    id: str
    name: str
    kind: str
    status: str
    when: str
    progress: int | None
    done: str
    error: str

    @classmethod
    def of(cls, record: BuildRecord, now_us: Micros) -> BuildRow:
        """The row of a build."""
        build = record.build
        since_us = build.finished_us or build.started_us or build.created_us
        done = f"{counted(build.rows_read, 'row')} read"
        if build.started_us is not None and build.finished_us is None:
            done += f" in {took((now_us - build.started_us) / _SECOND_US)}"
        return cls(
            id=build.id,
            name=record.reference or "a rollup that is gone",
            kind=build.kind,
            status=build.status,
            when=ago(since_us, now_us),
            progress=None if record.progress is None else round(record.progress * 100),
            done=done,
            error=without_password(build.error["message"]) if build.error else "",
        )


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule.

    Attributes
    ----------
    cube, sentence, kind
        What it builds, when, and how.
    next, last
        When it fires next, and when it did last.
    """

    cube: str
    sentence: str
    kind: str
    next: str
    last: str

    @classmethod
    def of(cls, schedule: StoredSchedule, now_us: Micros) -> ScheduleRow:
        """The row of a schedule."""
        fires = () if schedule.paused else schedule.spec.next_fires(now_us, 1)
        latest = schedule.latest_execution
        return cls(
            cube=schedule.cube,
            sentence=schedule.spec.sentence,
            kind="full" if schedule.full_build else "incremental",
            next="paused" if schedule.paused else f"in {_ahead(fires[0] - now_us)}" if fires else "never",
            last="never" if latest is None else ago(latest.executed_us, now_us),
        )


def _ahead(us: Micros) -> str:
    """A time that is to pass, in its two largest units.

    Examples
    --------
    >>> _ahead(42_000_000), _ahead(3_700_000_000), _ahead(200_000_000_000)
    ('1 min', '1 h 1 min', '2 d 7 h')
    """
    minutes = max(1, -(-us // (60 * _SECOND_US)) if us < 60 * _SECOND_US else us // (60 * _SECOND_US))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


@dataclass(frozen=True)
class QuestionRow:
    """What answering one shape of questions took.

    Attributes
    ----------
    text, asked, took, read, when
        The shape, how often it was asked, how long an answer took, what was read for it, when it was last asked.
    share
        How long it took beside the slowest, 0 to 100.
    """

    text: str
    asked: str
    took: str
    read: str
    when: str
    share: int

    @classmethod
    def of(cls, question: SlowQuestion, slowest: float, now_us: Micros) -> QuestionRow:
        """The row of a question; ``slowest`` is how long the slowest took."""
        read = counted(question.cells, "cell")
        if question.rows:
            read += f", {counted(question.rows, 'source row')}"
        return cls(
            text=question.text,
            asked=f"{question.asked:,} x",
            took=took(question.milliseconds / 1000),
            read=read,
            when=ago(question.last_us, now_us),
            share=max(1, round(100 * question.milliseconds / slowest)) if slowest else 1,
        )


@dataclass(frozen=True)
class Card:
    """One endpoint: what it answers, and how to ask it.

    Attributes
    ----------
    id, name, description
        Which.
    about
        Its window, and what it is told apart by.
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
    as_of: str
    figures: Sequence[tuple[str, str]]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    picture: str
    missing: str
    curl: str


def _card(
    ws: Workspace, endpoint: Stored[Endpoint], status: RollupStatus | None, base: str, now_us: Micros
) -> Card:
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
        about=_about(endpoint.spec),
        as_of="" if preview is None else instant(preview.end_us),
        missing=missing,
        curl=curl(base, endpoint.id, end_us, filters),
        **_seen(preview),
    )


def _seen(preview: Preview | None) -> dict[str, Any]:
    """How an answer is shown: as figures, as a picture, or as a table where charts are not installed."""
    found: dict[str, Any] = {"figures": (), "headings": (), "rows": (), "picture": ""}
    if preview is None:
        return found
    answer: Answer = preview.answer
    if answer.buckets is None and not answer.groupings:
        names, rows = answer.shown(1)
        return found | {"figures": list(zip(names, rows[0], strict=True)) if rows else ()}
    if answer.count and draws():
        return found | {"picture": preview.fingerprint}
    headings, rows = answer.shown(_TABLE_ROWS)
    return found | {"headings": headings, "rows": rows}


def draws() -> bool:
    """Whether charts can be drawn here."""
    return all(find_spec(name) is not None for name in ("altair", "vl_convert"))


def _about(spec: Endpoint) -> str:
    timing = spec.timing
    points = (
        f", a point every {timing.interval}" if isinstance(timing, TimeSeries) and timing.interval else ""
    )
    told = [name for name, choice in spec.groupings.items() if _is_shown(choice)]
    return f"{timing.duration} of {spec.filter}{points}" + (f", by {', '.join(told)}" if told else "")


def _is_shown(choice: AnyChoice) -> bool:
    return choice.kind == "all" or bool(getattr(choice, "returned", False))


@dataclass(frozen=True)
class Overview:
    """All that the page shows.

    Attributes
    ----------
    workspace, version, owner, prefect
        Its name, the program's version, whose token it is, where Prefect's page is.
    checks
        By what was looked at, whether it is well.
    tiles
        Names and large numbers, each with a line below.
    open, failures
        Builds that run or wait, and those that failed lately.
    rollups, cards, schedules, questions
        The rows of the page.
    others
        Of the endpoints that have no card: names, what they are about, and ids.
    """

    workspace: str
    version: str
    owner: str
    prefect: str
    checks: Mapping[str, tuple[bool, str]]
    tiles: Sequence[tuple[str, str, str]]
    open: Sequence[BuildRow]
    failures: Sequence[BuildRow]
    rollups: Sequence[RollupRow]
    cards: Sequence[Card]
    others: Sequence[tuple[str, str, str]]
    schedules: Sequence[ScheduleRow]
    questions: Sequence[QuestionRow]

    @classmethod
    def of(cls, viewer: Viewer, base: str) -> Overview:
        """The overview of a viewer's workspace.

        Parameters
        ----------
        viewer
            Who looks.
        base
            The address of the service.
        """
        ws = viewer.workspace
        now_us, statuses = ws.now_us(), ws.status()
        by_name = {status.name: status for status in statuses}
        endpoints = list(ws.endpoints.values())
        records = ws.build_records(limit=_LOOKED_AT)
        slow = ws.slowest_questions(most=_MOST_QUESTIONS)
        slowest = slow[0].milliseconds if slow else 0.0
        return cls(
            workspace=ws.name,
            version=__version__,
            owner=viewer.owner,
            prefect=prefect_page(),
            checks={name: (said == OK, said) for name, said in readiness(ws).checks.items()},
            tiles=_tiles(ws, statuses, records, len(endpoints), now_us),
            open=list(_open(ws, now_us)),
            failures=list(_failures(records, now_us)),
            rollups=[RollupRow.of(status, now_us) for status in statuses],
            cards=[_card(ws, one, by_name.get(one.filter), base, now_us) for one in endpoints[:_MOST_CARDS]],
            others=[(one.name, _about(one.spec), one.id) for one in endpoints[_MOST_CARDS:]],
            schedules=[ScheduleRow.of(schedule, now_us) for schedule in ws.schedules.values()],
            questions=[QuestionRow.of(question, slowest, now_us) for question in slow],
        )


def _tiles(
    ws: Workspace,
    statuses: Sequence[RollupStatus],
    records: Sequence[BuildRecord],
    endpoints: int,
    now_us: Micros,
) -> list[tuple[str, str, str]]:
    done = next((one.build for one in records if one.build.status == "done"), None)
    kinds = [
        counted(len(ws.filters), "filter"),
        counted(len(ws.tasks), "task"),
        counted(len(ws.cubes), "cube"),
    ]
    return [
        ("rollups", f"{len(statuses):,}", ", ".join(kind for kind in kinds if not kind.startswith("0 "))),
        (
            "stored",
            size(sum(status.bytes for status in statuses)),
            counted(sum(status.cells for status in statuses), "cell"),
        ),
        ("endpoints", f"{endpoints:,}", f"over {counted(len(ws.sources), 'source')}"),
        (
            "last build",
            "none" if done is None else ago(done.finished_us or done.created_us, now_us),
            "" if done is None else f"{counted(done.rows_read, 'row')} read",
        ),
    ]


def _open(ws: Workspace, now_us: Micros) -> Iterator[BuildRow]:
    """Builds that run, then those that wait; of a batch also what it is at."""
    for status in ("running", "pending"):
        for record in ws.build_records(status=status, limit=_MOST_OPEN):
            if record.build.status == status:
                yield BuildRow.of(record, now_us)


def _failures(records: Sequence[BuildRecord], now_us: Micros) -> Iterator[BuildRow]:
    """The last failures of a week, one of each rollup, and none that was made up for."""
    seen: set[str] = set()
    found = 0
    for record in records:
        build = record.build
        if record.reference in seen or build.status not in ("done", "error"):
            continue
        seen.add(record.reference)
        if build.status == "error" and now_us - build.created_us < _WEEK_US and found < _MOST_FAILURES:
            found += 1
            yield BuildRow.of(record, now_us)


def prefect_page() -> str:
    """The address of Prefect's page, where it is known and holds no secret."""
    api = os.environ.get("PREFECT_API_URL", "")
    if not api.startswith(("http://", "https://")) or "@" in api or without_password(api) != api:
        return ""
    return api.removesuffix("/api")
