"""An advisor: finds the aggregates of a cube that would have saved most of what was read.

Which ones is chosen greedily by benefit, as V. Harinarayan, A. Rajaraman and J. D. Ullman choose
views of a data cube ("Implementing Data Cubes Efficiently", SIGMOD 1996, section 4): one after the
other, always the one that saves most beyond those that are there or chosen already.  That is never
worse than 63 % of the best choice of so many.  Here each question counts as often as it was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

from aggflow.backends.cell_count import count_rows
from aggflow.catalog import Build, LoggedQuestion
from aggflow.engine.advice import Advice
from aggflow.engine.aggregate_choice import AggregateChoice, smallest_choices
from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.cell_counts import CellCounter, holds, stored_cells
from aggflow.engine.plan import Need, miss
from aggflow.engine.reader import OpenRows
from aggflow.engine.residual import residual_of
from aggflow.engine.served import Served
from aggflow.engine.target import Target
from aggflow.engine.version import Version
from aggflow.measures.registry import state_keys
from aggflow.spec.cube import Cube
from aggflow.spec.rollup import Rollup
from aggflow.store import Resident
from aggflow.timeline import ALWAYS, Window, WindowSet

_HOUR_US = 3_600_000_000
# Questions whose own aggregates are looked at, those that read most; unions are made of pairs of them.
_MOST_ASKED = 8
_LEAST_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class _Asked:
    """Questions of one shape, and what answering one of them took."""

    shape: AskedShape
    windows: tuple[Window, ...]
    times: int
    read: float

    @classmethod
    def of(cls, entry: LoggedQuestion) -> _Asked:
        windows = tuple(Window(start, end) for start, end in entry.windows)
        read = (entry.rows_read + entry.source_rows) / entry.asked
        return cls(AskedShape.from_plain(entry.shape), windows, entry.asked, read)

    @cached_property
    def need(self) -> Need:
        return self.shape.need()

    def __str__(self) -> str:
        return f"{self.shape}, asked {'once' if self.times == 1 else f'{self.times:,} times'}"


@dataclass(frozen=True, order=True)
class _Cost:
    """What a rollup reads for a question, ordered as the router prefers rollups."""

    live_hours: int
    cells: int
    live: int = field(compare=False)


# What each question costs; None where no rollup answers it.
_Costs: TypeAlias = Mapping[_Asked, _Cost | None]


class Advisor:
    """Finds the aggregates that a cube should have.

    Parameters
    ----------
    cube
        The cube.
    logged
        What was asked of its source.
    targets
        The rollups of the source.
    served
        Gives versions and coverage of a rollup.
    resident
        States in memory.
    open_rows
        Opens the source.
    builds
        Builds of the past, for their pace.
    """

    def __init__(
        self,
        cube: Cube,
        logged: Iterable[LoggedQuestion],
        targets: Sequence[Target],
        served: Callable[[str], Served],
        resident: Resident,
        open_rows: OpenRows,
        builds: Iterable[Build],
    ) -> None:
        self._cube = cube
        self._targets = targets
        self._served = served
        self._open_rows = open_rows
        self._builds = tuple(builds)
        # Questions that any rollup may answer: an endpoint has its own.
        found = [asked for entry in logged if (asked := _Asked.of(entry)).shape.is_routed and asked.windows]
        self._asked = sorted(found, key=lambda asked: -asked.times * asked.read)
        self._counter = CellCounter(targets, served, resident, open_rows, _hull(found))

    def advise(self, most: int = 5) -> list[Advice]:
        """The aggregates that would have saved most, each beyond those before it.

        Parameters
        ----------
        most
            How many at most.

        Raises
        ------
        SourceError
            No built rollup tells how many cells an aggregate would have, and the source cannot be read.
        """
        own = {asked: smallest_choices(self._cube, asked.shape, asked.windows) for asked in self._asked}
        own = dict([pair for pair in own.items() if pair[1]][:_MOST_ASKED])
        singles = [choice for choices in own.values() for choice in choices]
        pairs = [one.together(other, self._cube) for one, other in combinations(singles, 2)]
        choices = list({choice.rollup: choice for choice in [*singles, *pairs] if choice}.values())
        least = {asked: self._least(asked, choices) for asked, choices in own.items()}
        now: _Costs = {asked: self._present(asked) for asked in self._asked}
        total = sum(asked.times * asked.read for asked in self._asked)
        found: list[Advice] = []
        while len(found) < most and (best := self._best(choices, now, least)) is not None:
            choice, gains = best
            if sum(gains.values()) < _LEAST_SHARE * total:
                break
            found.append(self._advice(choice, gains, total))
            now = {asked: self._with(choice.rollup, asked, cost) for asked, cost in now.items()}
        return found

    def _best(
        self, choices: Sequence[AggregateChoice], now: _Costs, least: Mapping[_Asked, int]
    ) -> tuple[AggregateChoice, dict[_Asked, float]] | None:
        """The choice that saves most, and what it saves for which question; None where none saves."""
        best: tuple[AggregateChoice, dict[_Asked, float]] | None = None
        most = 0.0
        # Counting cells takes a statement: choices that cannot be better are not counted.
        hopes = [(self._hope(choice, now, least), i) for i, choice in enumerate(choices)]
        for hope, i in sorted(hopes, key=lambda pair: (-pair[0], pair[1])):
            if hope <= most:
                break
            gains = self._gains(choices[i], now)
            if (saved := sum(gains.values())) > most:
                best, most = (choices[i], gains), saved
        return best

    def _hope(self, choice: AggregateChoice, now: _Costs, least: Mapping[_Asked, int]) -> float:
        """What a choice saves at most: it has no fewer cells than the smallest one for each question."""
        return sum(
            asked.times * max(0.0, _read(asked, cost) - least.get(asked, 0))
            for asked, cost in now.items()
            if not miss(choice.rollup, asked.need)
        )

    def _least(self, asked: _Asked, own: Iterable[AggregateChoice]) -> int:
        known = [cost.cells for choice in own if (cost := self._cost(choice.rollup, asked)) is not None]
        return min(known, default=0)

    def _gains(self, choice: AggregateChoice, now: _Costs) -> dict[_Asked, float]:
        """What a choice saves, by question."""
        return {
            asked: asked.times * (_read(asked, cost) - _read(asked, self._with(choice.rollup, asked, cost)))
            for asked, cost in now.items()
        }

    def _with(self, rollup: Rollup, asked: _Asked, cost: _Cost | None) -> _Cost | None:
        """What a question costs where there is one rollup more."""
        found = [one for one in (cost, self._cost(rollup, asked)) if one is not None]
        return min(found, default=None)

    def _present(self, asked: _Asked) -> _Cost | None:
        """What a question costs with the rollups that are there, those of cubes being built."""
        cost: _Cost | None = None
        for target in self._targets:
            if target.name.startswith("cube ") or self._holds(target, asked):
                cost = self._with(target.rollup, asked, cost)
        return cost

    def _holds(self, target: Target, asked: _Asked) -> bool:
        served = self._served(target.rollup_id)
        return served.versions[-1].data_hash == target.data_hash and all(
            holds(served, window) for window in asked.windows
        )

    def _cost(self, rollup: Rollup, asked: _Asked) -> _Cost | None:
        """What a rollup reads for a question; None where it cannot answer it."""
        if miss(rollup, asked.need):
            return None
        counts = [self._counter.of(grain) for grain in _grains(rollup, asked.need)]
        live = WindowSet(asked.windows) - WindowSet(
            Window(start, end)
            for start, end in (counts[0].whole(window) for window in asked.windows)
            if start < end
        )
        return _Cost(
            -(-live.microseconds // _HOUR_US),
            sum(counted.cells_in(window) for counted in counts for window in asked.windows),
            # What is cut is read from the source, and makes cells of its own.
            sum(counts[0].cut_rows(window) for window in asked.windows)
            + sum(counted.cut_cells(window) for counted in counts for window in asked.windows),
        )

    def _advice(self, choice: AggregateChoice, gains: Mapping[_Asked, float], total: float) -> Advice:
        counted = self._counter.of(choice.rollup)
        saved = sum(gains.values())
        served = sorted((asked for asked, gain in gains.items() if gain > 0), key=lambda a: -gains[a])
        return Advice(
            cube=self._cube.name,
            interval=str(choice.width),
            dimensions=choice.dimensions,
            measures=choice.measures,
            rows=int(counted.count.cells.sum()),
            build_seconds=self._rows_to_read(choice.rollup) / self._pace(),
            rows_saved=round(saved),
            share_saved=saved / total,
            questions=tuple(map(str, served)),
        )

    def _rows_to_read(self, rollup: Rollup) -> int:
        """What a build of a rollup reads: cells of a finer aggregate of the cube, else the source."""
        finer = [
            self._served(target.rollup_id)
            for target in self._targets
            if target.name.startswith(f"cube {self._cube.name}/") and _makes(target.rollup, rollup)
        ]
        stored = [stored_cells(served) for served in finer if holds(served, ALWAYS)]
        return min(stored, default=None) or self._source_rows

    @cached_property
    def _source_rows(self) -> int:
        everything = Rollup(self._cube.source, self._cube.where, "1d", "UTC", (), ())
        with self._open_rows() as rows:
            return count_rows(rows, everything)

    def _pace(self) -> float:
        """Rows a second of the last builds; of what was counted here where there were none."""
        done = [
            (build.rows_read, build.finished_us - build.started_us)
            for build in self._builds
            if build.rows_read and build.started_us is not None and build.finished_us is not None
        ]
        seconds = sum(microseconds for _, microseconds in done) / 1_000_000
        if seconds > 0:
            return sum(rows for rows, _ in done) / seconds
        counted = self._counter.all
        return max(1.0, sum(one.read for one in counted) / sum(one.seconds for one in counted))


def _read(asked: _Asked, cost: _Cost | None) -> float:
    """Stored cells and source rows that a question reads; as it did in the past where no rollup answers."""
    return asked.read if cost is None else float(cost.cells + cost.live)


def _grains(rollup: Rollup, need: Need) -> list[Rollup]:
    """The groupings at which a rollup keeps the states of a question, as rollups of these alone."""
    residual = residual_of(need.where, rollup, need.plain) or {}
    version = Version("", 0, rollup, None, ALWAYS)
    own = [version.find(key, need.question.paths | residual.keys()) for key in need.keys]
    grains = dict.fromkeys(key.groupings for key in own if key is not None) or {rollup.groupings: None}
    return [replace(rollup, groupings=groupings, kept=()) for groupings in grains]


def _makes(fine: Rollup, coarse: Rollup) -> bool:
    """Whether the states of one rollup can be made of another's."""
    version = Version("", 0, fine, None, ALWAYS)
    return (
        fine.where == coarse.where
        and fine.width.divides(coarse.width, fine.zone, coarse.zone)
        and set(coarse.groupings) <= set(fine.groupings)
        and all(version.find(key, frozenset(key.groupings)) is not None for key in state_keys(coarse))
    )


def _hull(asked: Iterable[_Asked]) -> Window:
    windows = [window for one in asked for window in one.windows]
    if not windows:
        return ALWAYS
    return Window(min(window.start for window in windows), max(window.end for window in windows))
