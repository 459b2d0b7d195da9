"""An explanation: why an answer is what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from aggflow.engine.plan import Candidate
from aggflow.figure import counted, plural
from aggflow.timeline import Window, WindowSet, format_instant


@dataclass(frozen=True)
class Explanation:
    """Which rollup answered, and what was read.

    Attributes
    ----------
    rollup
        The rollup that answered, for people.
    find_candidates
        Gives every rollup of the source, with why it could not answer, or nothing.
    stored
        The windows that came from segments.
    live
        The windows that were read from the source.
    segments, cells
        How many segments were looked into, how many cells merged.
    rows
        How many source rows the live part read for this answer; 0 where it was kept from before.
    statements
        The statements that were sent to the source for this answer.
    tail_age
        Seconds since the live part was computed; None without one.
    milliseconds
        How long the answer took, and how much of it the source.
    cut
        Rows that the limit left out.
    find_events
        Gives when there were events, by the name of each rollup that can answer.
    """

    rollup: str
    find_candidates: Callable[[], Sequence[Candidate]]
    stored: WindowSet
    live: WindowSet
    segments: int
    cells: int
    rows: int
    statements: Sequence[object]
    tail_age: float | None
    milliseconds: float
    source_milliseconds: float
    cut: int = 0
    find_events: Callable[[], Mapping[str, Window]] = dict[str, Window]

    @cached_property
    def candidates(self) -> Sequence[Candidate]:
        """Every rollup of the source, those that could answer first; looked up when it is asked for."""
        return self.find_candidates()

    @cached_property
    def events(self) -> Mapping[str, Window]:
        """Where the answer is of none, when there were some, by rollup; looked up when it is asked for."""
        return {} if self.cells or self.rows else self.find_events()

    @cached_property
    def sql(self) -> tuple[str, ...]:
        """The statements as SQL."""
        return tuple(map(str, self.statements))

    @property
    def plan(self) -> str:
        """``rollup``, ``source`` or ``mixed``: where the numbers come from."""
        if not self.live:
            return "rollup"
        return "mixed" if self.stored else "source"

    @property
    def provenance(self) -> str:
        """Where the numbers come from, in one line; the same whenever the same is read."""
        from_where = {
            "rollup": f"from {self.rollup}",
            "source": "from the source alone",
            "mixed": f"from {self.rollup} and a live tail",
        }[self.plan]
        return f"{from_where} · {counted(self.cells, 'cell')}{self._left_out}"

    @property
    def summary(self) -> str:
        """One line for people: where the numbers come from, and how long it took."""
        whole = self.provenance.removesuffix(self._left_out)
        return f"{whole} · {self.milliseconds:.1f} ms{self._left_out}"

    @property
    def _left_out(self) -> str:
        return f" · {self.cut:,} more {plural(self.cut, 'row')} cut by the limit" if self.cut else ""

    @property
    def hint(self) -> str:
        """What to do in Python, where the question asked of a time that has no events; else empty."""
        return self.hint_for("end={!r}")

    def hint_for(self, option: str) -> str:
        """What to do, where the question asked of a time that has no events; else empty.

        Whoever asks with the present as the end of data that ended long ago sees nothing, and should
        see why.

        Parameters
        ----------
        option
            How another end is given, such as ``--end {}``.
        """
        asked = (self.stored | self.live).span
        if asked is None or not self.events or any(asked & events for events in self.events.values()):
            return ""
        name, events = max(self.events.items(), key=lambda item: item[1].end)
        other = option.format(format_instant(events.end))
        return f"no events in {asked}; {name} has some in {events}: ask with {other}"

    def __str__(self) -> str:
        lines = [f"Answered {self.summary}"]
        lines += [f"hint: {hint}" for hint in [self.hint] if hint]
        lines += ["", "Rollups of the source:" if self.candidates else "Rollups of the source: none yet"]
        lines += [
            f"  {'miss' if candidate.miss else 'hit '}  {candidate.name}"
            + (
                f" — {candidate.miss}"
                if candidate.miss
                else f" — {counted(candidate.rows, 'row')} in the segments of the window"
            )
            for candidate in self.candidates
        ]
        lines += ["", "Windows:"]
        lines += [f"  stored  {window}" for window in self.stored] or ["  stored  none"]
        lines += [f"  live    {window}" for window in self.live]
        read = ((self.segments, "segment"), (self.cells, "cell"), (self.rows, "source row"))
        lines += ["", "Read: " + ", ".join(counted(*figure) for figure in read)]
        if self.tail_age is not None:
            lines.append(f"The live part is {self.tail_age:.1f} s old.")
        lines.append(f"Time: {self.milliseconds:.1f} ms, of it the source {self.source_milliseconds:.1f} ms")
        if self.statements:
            sent, verb = len(self.statements), "was" if len(self.statements) == 1 else "were"
            lines.append(f"SQL: {counted(sent, 'statement')} {verb} sent to the source; .sql has them")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
