"""A task form: the draft of a task, its query checked against the columns of its source as one types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final, cast

from aggflow.engine.stored import Stored
from aggflow.engine.stored_task import StoredTask
from aggflow.errors import AggflowError, ParseError, Problem
from aggflow.language import Completion, Path, Word, parse_linq, to_linq
from aggflow.notebook.change import Change
from aggflow.notebook.curl_text import curl_of, segment
from aggflow.notebook.entry import Entry, Option, Section
from aggflow.notebook.form import Form
from aggflow.notebook.linq_draft import LinqDraft
from aggflow.notebook.previewer import Work
from aggflow.notebook.python_text import python_call, python_cell
from aggflow.notebook.sheet import alone
from aggflow.notebook.source_columns import first_source
from aggflow.notebook.trial_view import shown_trial
from aggflow.notebook.zone_entry import zone_entry
from aggflow.spec.task import Task
from aggflow.timeline import format_instant

_LINQ: Final = "linq"
_GRAINS: Final = (
    Option("", "the query's period"),
    Option("1m", help="one minute"),
    Option("5m", help="five minutes"),
    Option("15m", help="fits the days of every time zone"),
    Option("1h", help="one hour"),
    Option("1d", help="a day of the time zone"),
)
_DELAYS: Final = (
    Option("0", help="up to now"),
    Option("60", help="a minute"),
    Option("3600", help="an hour"),
    Option("86400", help="a day"),
)


class TaskForm(Form[Task]):
    """The draft of a task."""

    kind = "task"
    plural = "tasks"
    declares = Task

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.draft = LinqDraft()
        super().__init__(*args, **kwargs)
        self.draft = LinqDraft().typed(self.get(_LINQ))

    def sections(self) -> tuple[Section, ...]:
        """The query, from when on, and how fine it is kept."""
        return _SECTIONS

    # -- the query

    @alone
    def set(self, path: str, value: Any) -> None:
        """Put a value at a path; of the query, where one types is noted."""
        if path == _LINQ:
            self.draft = self.draft.typed(value)
        super().set(path, value)

    def completion(self) -> Completion:
        """What could stand where one types in the query."""
        return self.draft.completion(self.ws)

    @alone
    def complete(self, completion: Completion, word: Word) -> None:
        """Put a word in where one types."""
        draft = self.draft.completed(completion, word)
        self.set(_LINQ, draft.text)
        self.draft = draft
        self.touch()

    # -- the definition

    def stored(self) -> Mapping[str, Stored[Task]]:
        """The tasks of the workspace."""
        return self.ws.tasks

    def first(self) -> str:
        """A task needs a source."""
        return first_source(self.ws)

    def empty(self) -> dict[str, Any]:
        """A new draft reads the only source, where there is one."""
        values = super().empty()
        sources = list(self.ws.sources)
        if len(sources) == 1:
            values[_LINQ] = f"from {to_linq(Path(tuple(sources[0].split('.'))))} group every 1h"
        return values

    def _take(self, stored: Stored[Task]) -> None:
        text = str(self.get(_LINQ) or "")
        super()._take(stored)
        # What was typed stays as it was typed, where it says what is stored.
        shown = text if _canonical(text) == stored.spec.linq else with_units(stored.spec.linq)
        self._values[_LINQ] = shown
        self.draft = LinqDraft().typed(shown)
        self._notify("")

    def misfits(self, spec: Task) -> Iterator[Problem]:
        """What the source cannot serve: an unknown table or column has its place in the text."""
        text = str(self.get(_LINQ))
        try:
            self.ws.read_linq(text)
        except ParseError as error:
            yield Problem(_LINQ, str(error))
        except AggflowError as error:
            yield Problem(_LINQ, f"source {spec.source!r}: {error.message}", error.hint)

    def effects(self, spec: Task, before: Stored[Task] | None) -> Iterator[Change]:
        """What becomes of what is built."""
        for effect in self.ws.effects_of_task(spec):
            rebuilds = before is not None and "anew" in effect.what
            warns = rebuilds or effect.kind == "endpoint"
            text = effect.what if effect.kind == "task" else str(effect)
            yield Change(text, "error" if effect.blocks else "warning" if warns else "note")

    # -- the preview

    def seen(self) -> Any:
        """What the preview depends on: not how it is called and described."""
        spec = self.sketch()
        return None if spec is None else (spec.linq, spec.time_zone, spec.from_date)

    def preview(self) -> Work | None:
        """What the query gives of its newest buckets."""
        spec = self.sketch()
        if spec is None:
            return None
        return lambda wish: shown_trial(self.ws.try_task(spec, wish), spec.name)

    def put(self, spec: Task) -> Stored[Task]:
        """Save it."""
        return self.ws.add_task(
            spec.name,
            linq=spec.linq,
            from_date=spec.from_date,
            delay=spec.delay,
            time_zone=spec.time_zone,
            min_grain=spec.min_grain,
            locale=spec.locale,
            description=spec.description,
            owner_email=spec.owner_email,
        )

    def saved(self) -> str:
        """What to do next."""
        stored = cast("StoredTask | None", self._base)
        status = "" if stored is None else f"Its status is {escape(stored.status.value)}. "
        return f"{status}<code>ws.run_tasks()</code> builds it here; under <code>aggflow up</code> it is built by itself."

    # -- as text

    def as_python(self) -> str:
        """The call that saves the same.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        """
        # The beginning is kept in milliseconds, and read better as a time.
        since: dict[str, Any] = {"from_date": self._beginning()} if self.spec().from_date else {}
        return python_cell(python_call("add_task", self.spec(), linq=self._query(), **since))

    def _query(self) -> str:
        """The query as a person would write it: as it was typed, where that is one line."""
        typed = str(self.get(_LINQ)).strip()
        return typed if "\n" not in typed else with_units(self.spec().linq)

    def _beginning(self) -> str | int:
        from_date = self.spec().from_date
        return format_instant(from_date * 1000) if from_date else 0

    def as_curl(self) -> str:
        """The command that saves the same over the tasks API.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        """
        spec = self.spec()
        query = {"linq": self._query(), "timeZone": spec.time_zone, "locale": spec.locale}
        body: dict[str, Any] = {"name": spec.name, "query": query, "fromDate": self._beginning()}
        rest = {"delay": spec.delay, "minGrain": spec.min_grain, "description": spec.description}
        body |= {key: value for key, value in rest.items() if value}
        method, route = self.route(spec)
        return curl_of(method, route, body)

    def route(self, spec: Task) -> tuple[str, str]:
        """The route of the tasks API."""
        there = self.ws.tasks.get(spec.name)
        place = f"/aggregations/v2/aggrtasks/{segment(self.ws.name)}"
        return ("POST", place) if there is None else ("PUT", f"{place}/{there.task_id}")


def _canonical(text: str) -> str:
    """The text as it is stored; empty where it is no query."""
    try:
        return to_linq(parse_linq(text))
    except ParseError:
        return ""


def with_units(linq: str) -> str:
    """A canonical text with its periods in the largest unit that they are whole in.

    Examples
    --------
    >>> with_units('from t where eq(a, "every 1000") group every 5400000 by a')
    'from t where eq(a, "every 1000") group every 90m by a'
    """
    return _PERIOD.sub(
        lambda found: found[0] if found[1] is None else f"every {_period(int(found[1]))}", linq
    )


def _period(milliseconds: int) -> str:
    for unit, length in _UNITS:
        if milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return str(milliseconds)


_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))
# Texts and quoted names are passed over.
_PERIOD: Final = re.compile(r'"(?:\\.|[^"\\])*"|`(?:[^`]|``)*`|\bevery (\d+)\b')
_SECTIONS: Final = (
    Section(
        "Task",
        (
            Entry("name", "Name", placeholder="by client"),
            Entry(
                "from_date",
                "From",
                default="0",
                placeholder="2013-01-01",
                help="a date, a time, or 0 for the beginning of the data",
            ),
            Entry(
                _LINQ,
                "Query (LINQ)",
                "code",
                placeholder='from flights where origin = "LGA" group every 1h by carrier select avg(dep_delay)',
            ),
        ),
    ),
    Section(
        "How it is kept",
        (
            zone_entry(help="days and longer follow it"),
            Entry(
                "min_grain",
                "Finest bucket",
                "combo",
                offer=lambda _: _GRAINS,
                placeholder="the query's period",
            ),
            Entry(
                "delay",
                "Delay in seconds",
                "combo",
                "0",
                offer=lambda _: _DELAYS,
                help="what is younger waits",
            ),
            Entry("description", "Description", is_wide=True),
        ),
    ),
    Section(
        "For clients",
        (
            Entry("locale", "Locale", default="en"),
            Entry("owner_email", "Owner's e-mail"),
        ),
        is_open=False,
    ),
)
