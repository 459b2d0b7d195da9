"""An overview: all that the status page shows of a workspace, as texts and numbers for its template."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggflow import __version__
from aggflow.api.build_row import BuildRow
from aggflow.api.card import Card, about_of, card_of
from aggflow.api.carrier import Carrier
from aggflow.api.question_row import QuestionRow
from aggflow.api.readiness import OK, readiness
from aggflow.api.rollup_row import RollupRow
from aggflow.api.schedule_row import ScheduleRow
from aggflow.api.viewer import Viewer
from aggflow.engine.build_record import BuildRecord
from aggflow.engine.status import RollupStatus
from aggflow.errors import without_password
from aggflow.figure import ago, counted, size
from aggflow.timeline import Micros
from aggflow.workspace import Workspace

_WEEK_US: Final = 7 * 86_400 * 1_000_000
_MOST_FAILURES: Final = 5
_MOST_OPEN: Final = 20
_MOST_QUESTIONS: Final = 8
_LOOKED_AT: Final = 100
# Each preview is an answer that is computed, so the page does not show one of every endpoint.
_MOST_CARDS: Final = 24


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
    fires
        Whether a Prefect is named to the service, which lets schedules fire.
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
    fires: bool
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
        fires = not Carrier.is_needed()
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
            cards=[
                card_of(ws, one, by_name.get(" ".join(one.spec.subject)), base, now_us)
                for one in endpoints[:_MOST_CARDS]
            ],
            others=[(one.name, about_of(one.spec), one.id) for one in endpoints[_MOST_CARDS:]],
            fires=fires,
            schedules=[ScheduleRow.of(one, now_us, fires=fires) for one in ws.schedules.values()],
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
