"""A watch over the answers under load: a client that asks all the time, and holds each answer against both states."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

import httpx
from load_home import STATES, LoadHome, State, present

from aggflow.workspace import Workspace

Rows = list[dict[str, Any]]
_PAUSE_SECONDS: Final = 0.02
HOUR: Final = timedelta(hours=1)
CARRIERS: Final = ["AA", "B6", "DL", "EV", "UA", "US", "WN"]


@dataclass(frozen=True)
class Checked:
    """A question whose answers are known.

    Attributes
    ----------
    name
        For people.
    endpoint
        Its name.
    end
        Where it ends; None for now.
    filters
        Of the question.
    """

    name: str
    endpoint: str
    end: datetime | None
    filters: Mapping[str, list[str]] | None = None

    def body(self) -> dict[str, Any]:
        """What is sent."""
        end = {} if self.end is None else {"end": self.end.isoformat()}
        return end if self.filters is None else {**end, "groupingFilters": dict(self.filters)}


def questions(home: LoadHome) -> list[Checked]:
    """What is asked: each of its answers is made of what changes all the time."""
    chosen = {"carrier": CARRIERS}
    return [
        Checked("24-hour total", "total", home.hour),
        Checked("24-hour total, two days before", "total", home.hour - timedelta(days=2)),
        Checked("7-day hourly series", "series", home.hour),
        Checked("24-hour total of some carriers", "chosen total", home.hour - HOUR, chosen),
        Checked("24-hour total, end = now", "total", None),
    ]


@dataclass
class Expected:
    """What each question gives in each of the states.

    Attributes
    ----------
    rows
        By question, state and, where it ends now, the hour that now lies in.
    """

    rows: dict[tuple[str, State, datetime | None], Rows] = field(
        default_factory=dict[tuple[str, State, datetime | None], Rows]
    )

    @classmethod
    def of(cls, home: LoadHome, ws: Workspace) -> Expected:
        """Ask in both states; the home ends in the first."""
        found = cls()
        for state in reversed(STATES):
            home.build(ws, state)
            for asked in questions(home):
                for hour in (None,) if asked.end else home.hours():
                    end = asked.end or (hour and hour + HOUR / 2)
                    answer = ws.query(asked.endpoint, end=end, grouping_filters=asked.filters)
                    found.rows[asked.name, state, hour] = answer.rows
        return found

    def state(self, asked: Checked, rows: Rows, since: datetime, until: datetime) -> State | None:
        """The state that rows are of; None where they are of neither, or of both."""
        hours = [None] if asked.end else list(_hours(since, until))
        for state in STATES:
            if any(self.rows.get((asked.name, state, hour)) == rows for hour in hours):
                return state
        return None

    def check(self) -> None:
        """Make sure that the states can be told apart."""
        for (name, state, hour), rows in self.rows.items():
            if state == "a" and rows == self.rows[name, "b", hour]:
                raise AssertionError(f"{name}: both states give the same")


def _hours(since: datetime, until: datetime) -> set[datetime]:
    return {at.replace(minute=0, second=0, microsecond=0) for at in (since, until)}


class Watch:
    """Asks all the time, in a thread of its own, until it is ended.

    Parameters
    ----------
    urls, token
        The services, asked in turn.
    home
        What it answers from.
    expected
        What it may answer.
    ids
        Of the endpoints, by name.
    """

    def __init__(
        self, urls: Sequence[str], token: str, home: LoadHome, expected: Expected, ids: Mapping[str, str]
    ) -> None:
        self.seen: Counter[tuple[str, State]] = Counter()
        self.wrong: list[str] = []
        self._urls, self._token, self._home, self._expected, self._ids = urls, token, home, expected, ids
        self._is_over = threading.Event()
        self._has_seen_all = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        asked = questions(self._home)
        with httpx.Client(headers={"Authorization": f"Bearer {self._token}"}, timeout=60) as client:
            while not self._is_over.is_set():
                for url, one in itertools.product(self._urls, asked):
                    self._ask(client, url, one)
                    # It is there to look, not to be the load.
                    self._is_over.wait(_PAUSE_SECONDS)

    def _ask(self, client: httpx.Client, url: str, asked: Checked) -> None:
        since = present()
        try:
            response = client.post(f"{url}/api/v1/data/{self._ids[asked.endpoint]}", json=asked.body())
        except httpx.HTTPError as error:
            self.wrong.append(f"{asked.name}: {error!r}")
            return
        state = None
        if response.status_code == 200:
            state = self._expected.state(asked, response.json(), since, present())
        if state is None:
            self.wrong.append(f"{asked.name}: {response.status_code} {response.text[:500]}")
        else:
            self.seen[asked.name, state] += 1
            if not self._lacking():
                self._has_seen_all.set()

    def see_all(self, seconds: float) -> None:
        """Wait until each question was answered in both states, or for so long."""
        self._has_seen_all.wait(seconds)

    def _lacking(self) -> list[str]:
        return [
            f"{asked.name} in state {state}"
            for asked in questions(self._home)
            for state in STATES
            if not self.seen[asked.name, state]
        ]

    def check(self) -> None:
        """Make sure that every answer was of one state, and that each question was answered in both.

        Raises
        ------
        AssertionError
            With the first answers that were not.
        """
        if self.wrong:
            first = "\n".join(self.wrong[:3])
            raise AssertionError(f"{len(self.wrong)} answers are of neither state:\n{first}")
        if lacking := self._lacking():
            raise AssertionError(f"never seen: {', '.join(lacking)}")
