"""A task run: what one run of tasks settled, what it built, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from aggflow.brief import brief, lines
from aggflow.engine.build_record import BuildRecord
from aggflow.engine.build_report import BuildReport
from aggflow.errors import BuildError
from aggflow.figure import counted, took
from aggflow.markup import nothing


@dataclass(frozen=True)
class Settlement:
    """What a run made of what had been asked of a task.

    Attributes
    ----------
    task
        Its name.
    before, after
        Its status.
    error
        Why it could not be done; None where it was.
    """

    task: str
    before: str
    after: str
    error: Exception | None = None

    @property
    def name(self) -> str:
        """Whose it is."""
        return f"task {self.task}"


@dataclass(frozen=True)
class Built:
    """What a run made of a rollup that was due.

    Attributes
    ----------
    reference
        ``task by client``, ``filter delays``.
    report
        What its build did; None where there was nothing to build, or it failed.
    error
        Why it failed; None where it did not.
    """

    reference: str
    report: BuildReport | None = None
    error: Exception | None = None

    @classmethod
    def of(cls, record: BuildRecord) -> Built:
        """What became of a build that was asked for, by its record."""
        build, plain = record.build, record.to_plain()
        if plain["error"] is not None:
            return cls(record.reference, error=BuildError(plain["error"]["message"]))
        seconds = record.seconds or 0.0
        report = BuildReport(build.windows_done, build.rows_read, build.states_written, seconds)
        return cls(record.reference, report)

    @property
    def name(self) -> str:
        """Whose it is."""
        return self.reference

    @property
    def outcome(self) -> str:
        """What became of it, in words.

        Examples
        --------
        >>> Built("task a", BuildReport(2, 100, 10, 0.1)).outcome, Built("task b").outcome
        ('100 rows in 2 windows', 'nothing to build')
        """
        if self.error is not None:
            return f"failed: {self.error}"
        if self.report is None or not self.report.windows:
            return "nothing to build"
        return f"{counted(self.report.rows_read, 'row')} in {counted(self.report.windows, 'window')}"


@dataclass(frozen=True)
class TaskRun:
    """What one run of tasks did.

    Attributes
    ----------
    settled
        Tasks of which something had been asked.
    built
        Rollups that were due, in the order in which they were built.
    seconds
        How long it took.
    """

    settled: tuple[Settlement, ...]
    built: tuple[Built, ...]
    seconds: float

    @property
    def failed(self) -> tuple[Settlement | Built, ...]:
        """What could not be done."""
        return tuple(one for one in (*self.settled, *self.built) if one.error is not None)

    def _told(self) -> list[str]:
        """What it did, a line each."""
        settled = [f"{one.name}: {one.before} → {one.after}" for one in self.settled]
        return settled + [f"{one.reference}: {one.outcome}" for one in self.built]

    def __repr__(self) -> str:
        what = "a run of tasks" if self._told() else "a run of tasks: nothing was due"
        return lines(brief(what, {"took": took(self.seconds)}), self._told())

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(line)}</li>" for line in self._told())
        return f"<ul>{items}</ul>" if items else nothing("nothing was due")
