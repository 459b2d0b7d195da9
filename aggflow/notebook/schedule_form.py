"""A schedule form: the draft of a schedule, its expression as a text and field by field, both in step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final, cast

from aggflow.engine.stored import Stored
from aggflow.engine.stored_schedule import StoredSchedule
from aggflow.errors import ConflictError, NotFoundError, Problem
from aggflow.notebook.change import Change
from aggflow.notebook.cron_fields import COMMON, CRON_FIELDS, field_problems, fields_of, text_of
from aggflow.notebook.curl_text import curl_of, segment
from aggflow.notebook.entry import Entry, Option, Section
from aggflow.notebook.form import Checked, Form
from aggflow.notebook.python_text import python_call, python_cell
from aggflow.notebook.sheet import alone
from aggflow.notebook.zone_entry import zone_entry
from aggflow.spec.fire import Fire, next_fires
from aggflow.spec.schedule import Schedule

_TEXT: Final = "time_expression"
_FIELDS: Final = frozenset(field.name for field in CRON_FIELDS)
_PATH: Final = "aggregate/create"
FIRES: Final = 10


class ScheduleForm(Form[Schedule]):
    """The draft of a schedule.

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

    kind = "schedule"
    plural = "schedules"
    declares = Schedule

    def sections(self) -> tuple[Section, ...]:
        """Which cube, how it is built, and when."""
        return _sections(self._cubes)

    # -- the definition

    def stored(self) -> Mapping[str, Stored[Schedule]]:
        """The schedules of the workspace, by what they say."""
        return {one.spec.name: one for one in self.ws.schedules.values()}

    @alone
    def open(self, name: str) -> None:
        """Open a schedule by its job id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        self._take(self.ws.schedule(name))

    def draft_name(self) -> str:
        """What the draft says so far; empty while it cannot be read."""
        spec = self.checked.spec
        return "" if spec is None else spec.name

    @property
    def title(self) -> str:
        """What the draft is, for people."""
        cube = self.get("cube")
        return f"schedule of cube {cube!r}" if cube else "new schedule"

    def first(self) -> str:
        """A schedule needs a cube."""
        if self.ws.cubes or self._base is not None:
            return ""
        return (
            "This workspace has no cube yet, and schedules build cubes. Add one first, then look again:\n"
            "af.CubeBuilder(ws)"
        )

    def empty(self) -> dict[str, Any]:
        """A new draft is of the only cube, where there is one."""
        values = super().empty()
        cubes = list(self.ws.cubes)
        values["cube"] = cubes[0] if len(cubes) == 1 else ""
        return values

    def values_of(self, spec: Schedule) -> dict[str, Any]:
        """The values of a draft for a schedule."""
        return super().values_of(spec) | fields_of(spec.time_expression)

    def plain(self) -> dict[str, Any]:
        """What the draft declares; who made the schedule stays."""
        made_by = "" if self._base is None else self._base.spec.created_by
        return super().plain() | ({"created_by": made_by} if made_by else {})

    def followed(self, path: str) -> None:
        """Keep the text and its fields in step: where one is typed, the other follows."""
        if path == _TEXT:
            self._values |= fields_of(self.get(_TEXT))
        elif path in _FIELDS:
            self._values[_TEXT] = text_of(self.values)

    def is_touched(self, path: str) -> bool:
        """Whether something was typed there; of an expression in either form of it."""
        if path in _FIELDS or path == _TEXT:
            return any(super(ScheduleForm, self).is_touched(one) for one in (_TEXT, *_FIELDS))
        return super().is_touched(path)

    # -- checks

    def _check(self) -> Checked[Schedule]:
        checked = super()._check()
        if all(problem.path != _TEXT for problem in checked.problems):
            return checked
        # Beside the text stands the whole with its caret, beside each field what is wrong with it.
        return Checked(checked.spec, (*checked.problems, *field_problems(self.values)))

    def misfits(self, spec: Schedule) -> Iterator[Problem]:
        """A cube that is not there."""
        cubes = self.ws.cubes
        if spec.cube not in cubes:
            error = NotFoundError("cube", spec.cube, cubes)
            yield Problem("cube", f"{error.message}: it builds nothing", error.hint)

    def _changes(self, spec: Schedule) -> Iterator[Change]:
        """What becomes of the cube, and of the schedule that is open: schedules have no names to be told by."""
        if spec.name in self.stored():
            yield Change("there is a schedule just like this")
            return
        yield Change(f"builds {_what(spec)} {spec.sentence}")
        if spec.full_build:
            yield Change("each time everything is read anew from the source")
        base = self._replaced(spec)
        if base is not None:
            told = f"takes the place of the schedule {base.spec.sentence}: it has another job id from then on"
            yield Change(told, "warning")
            yield Change("batches that the old one began stay, under its job id")

    def meanwhile(self) -> tuple[str, ...]:
        """What somebody else changed since the schedule was opened."""
        base = self._base
        if base is not None and base.id not in self.ws.schedules:
            others = [one.spec.sentence for one in self.ws.schedules.values() if one.cube == base.spec.cube]
            now = f"; the cube is built {' and '.join(others)} now" if others else ""
            return (f"it was removed{now}",)
        spec = self.checked.spec
        if spec is None or (base is not None and base.spec.name == spec.name):
            return ()
        return ("there is a schedule just like it already",) if spec.name in self.stored() else ()

    def put(self, spec: Schedule) -> Stored[Schedule]:
        """Save it: the new one is added before the old one is removed, so that none is lost."""
        base = self._replaced(spec)
        added = self.ws.add_schedule(
            spec.cube,
            spec.time_expression,
            timezone=spec.timezone,
            full_build=spec.full_build,
            created_by=spec.created_by,
        )
        if base is not None and base.id in self.ws.schedules:
            self.ws.remove("schedule", base.id)
        return added

    def _replaced(self, spec: Schedule) -> Stored[Schedule] | None:
        """The schedule that is open, where saving puts another one in its place."""
        base = self._base
        return None if base is None or base.spec.name == spec.name else base

    # -- what it says

    @property
    def when(self) -> str:
        """When it builds, in plain English; empty while it cannot be read."""
        spec = self.checked.spec
        return "" if spec is None else spec.sentence

    def fires(self, count: int = FIRES) -> tuple[Fire, ...]:
        """The next times at which it builds; none while it cannot be read."""
        spec = self.checked.spec
        return () if spec is None else next_fires(spec.cron, spec.zone, self.ws.now_us(), count)

    def saved(self) -> str:
        """What happens now."""
        stored = cast("StoredSchedule | None", self._base)
        job = "" if stored is None else f"Its job id is <code>{escape(stored.id)}</code>. "
        return f"{job}<code>aggflow up</code>, or a Prefect worker, builds at its times."

    def _cubes(self, _: str) -> list[Option]:
        return [Option(name) for name in self.ws.cubes]

    # -- as text

    def as_python(self) -> str:
        """The calls that save the same; ``ws`` is the workspace.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        """
        spec = self.spec()
        base = self._replaced(spec)
        removed = "" if base is None else f'\nws.remove("schedule", "{base.id}")'
        return python_cell(python_call("add_schedule", spec, ("cube", "time_expression")) + removed)

    def as_curl(self) -> str:
        """The commands that save the same over the schedules API.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        ConflictError
            Its cube is gone.
        """
        spec = self.spec()
        cube = self.ws.cubes.get(spec.cube)
        if cube is None:
            raise ConflictError(f"there is no cube {spec.cube!r}")
        place = f"/org/{segment(self.ws.name)}/project/{cube.project_id}/cube/{cube.id}/aggregates-creation/scheduler"
        body = {"time_expression": spec.time_expression, "path": _PATH, "timezone": spec.timezone}
        adding = curl_of("POST", place, body | {"full_build": spec.full_build})
        base = self._replaced(spec)
        return adding if base is None else f"{adding}\n{curl_of('DELETE', f'{place}/jobId/{base.id}')}"


def _what(spec: Schedule) -> str:
    return f"cube {spec.cube!r} {'anew' if spec.full_build else 'where something is missing'}"


def _sections(cubes: Any) -> tuple[Section, ...]:
    def pressed(name: str) -> Entry:
        field = next(field for field in CRON_FIELDS if field.name == name)
        return Entry(
            name,
            field.label,
            "combo",
            field.start,
            help=field.help,
            offer=lambda _: field.options,
            is_declared=False,
        )

    return (
        Section(
            "Schedule",
            (
                Entry("cube", "Cube", "choice", offer=cubes),
                Entry("full_build", "Each time", "choice", default=True, offer=lambda _: _BUILDS),
                zone_entry("timezone", "Time zone of its clock"),
            ),
        ),
        Section(
            "When",
            (
                Entry(
                    _TEXT,
                    "Expression",
                    "combo",
                    text_of({field.name: field.start for field in CRON_FIELDS}),
                    placeholder="0 25 06 ? * *",
                    help="six fields, seconds first",
                    offer=lambda _: COMMON,
                    is_wide=True,
                ),
                *(pressed(field.name) for field in CRON_FIELDS),
            ),
            "Type it as one text, or field by field: the other follows.",
        ),
    )


_BUILDS: Final = (
    Option(True, "everything anew", "reads the whole source each time"),
    Option(False, "what is missing", "reads what came since the last build"),
)
