"""A plan: which windows are missing, which rollup answers and why the others do not, what is live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aggflow.catalog.coverage import Coverage
from aggflow.catalog.coverage_row import CoverageRow
from aggflow.engine.question import Question
from aggflow.engine.residual import residual_of
from aggflow.engine.version import Version
from aggflow.language import implies, read_predicate
from aggflow.measures.registry import StateKey
from aggflow.spec.rollup import Rollup
from aggflow.timeline import BEGINNING, Window, WindowSet


@dataclass(frozen=True)
class Piece:
    """A window of one version that is read from one place.

    Attributes
    ----------
    version
        Whose states they are.
    window
        Whole buckets of that version; an edge of what is asked may cut one that is read from the source.
    row
        The live segment that holds it; None where it is read from the source.
    """

    version: Version
    window: Window
    row: CoverageRow | None

    @property
    def is_live(self) -> bool:
        """Whether it is read from the source."""
        return self.row is None

    @property
    def buckets(self) -> Window:
        """The buckets that it touches."""
        width, zone = self.version.rollup.width, self.version.rollup.zone
        return Window(width.floor(self.window.start, zone), width.ceil(self.window.end, zone))


def pieces(versions: Sequence[Version], coverage: Coverage, window: Window) -> tuple[Piece, ...]:
    """Where the buckets that start in a window are read from, by version and time.

    A bucket that is built only in part is read from the source, whole: its states are never merged
    with those of its rest.
    """
    return tuple(piece for version in versions for piece in _pieces(version, coverage, window))


def _pieces(version: Version, coverage: Coverage, window: Window) -> Iterator[Piece]:
    wanted = _own_buckets(version, window)
    if wanted is None:
        return
    rows = [row for row in coverage.of(version.number) if row.window.overlaps(wanted)]
    if len(rows) == 1 and rows[0].window.holds(wanted):
        # As most windows lie: whole buckets, all of them in one segment.
        yield Piece(version, wanted, rows[0])
        return
    stored = tuple(_stored(version, coverage, wanted))
    yield from stored
    for part in WindowSet.of(wanted) - WindowSet(piece.window for piece in stored):
        yield Piece(version, part, None)


def _stored(version: Version, coverage: Coverage, wanted: Window) -> Iterator[Piece]:
    """The whole buckets of a version that are built, in a window."""
    width, zone = version.rollup.width, version.rollup.zone
    inside = WindowSet.of(wanted).snap_in(width, zone)
    rows = [row for row in coverage.of(version.number) if row.window.overlaps(wanted)]
    whole = WindowSet(row.window for row in rows).snap_in(width, zone) & inside
    for row in rows:
        for part in whole & WindowSet.of(row.window):
            yield Piece(version, part, row)


def exact_pieces(
    versions: Sequence[Version], coverage: Coverage, window: Window, source: Version
) -> tuple[Piece, ...]:
    """Where the events of a window are read from: built buckets that lie in it whole, the rest at the source.

    Parameters
    ----------
    versions, coverage
        The versions of a rollup that can answer, and what is built of them; none for the source alone.
    window
        What is asked; its edges may cut buckets.
    source
        The form in which the rest is read.
    """
    stored = tuple(
        piece
        for version in versions
        if (wanted := window & version.validity)
        for piece in _stored(version, coverage, wanted)
    )
    rest = WindowSet.of(window) - WindowSet(piece.window for piece in stored)
    return (*stored, *(Piece(source, part, None) for part in rest))


def _own_buckets(version: Version, window: Window) -> Window | None:
    """The buckets of a version that start in a window and in its validity."""
    width, zone = version.rollup.width, version.rollup.zone
    start = width.ceil(max(window.start, version.validity.start), zone)
    end = width.ceil(min(window.end, version.validity.end), zone)
    return Window(start, end) if start < end else None


def missing(version: Version, built: WindowSet, wanted: Window, stale: WindowSet) -> WindowSet:
    """The windows that a build has to make: wanted - built, and what of the built may have changed.

    Parameters
    ----------
    version
        The rollup's version; its validity bounds what is wanted.
    built
        What is covered.
    wanted
        What is to be covered.
    stale
        What is to be made again where it is built, wanted or not.

    Returns
    -------
    WindowSet
        Whole buckets, but for the end of what is wanted or built.
    """
    lacking = (WindowSet.of(wanted) & WindowSet.of(version.validity)) - built
    # A bucket that is touched is replaced whole, as far as it is built: were only its part up to
    # the end of what is wanted replaced, the rest would pass for built as well.
    touched = (lacking | (stale & built)).snap_out(version.rollup.width, version.rollup.zone)
    return touched & (lacking | built)


@dataclass(frozen=True)
class Need:
    """What a rollup must have to answer a question.

    Attributes
    ----------
    source, where
        Which events.
    keys
        The states, whatever groupings they are kept at.
    question
        The question.
    plain
        The groupings whose values are held as the source has them, so that conditions can be tested
        on them.
    cuts
        Whether the edges of its windows cut buckets: what they cut is read from the source.
    """

    source: str
    where: str
    keys: tuple[StateKey, ...]
    question: Question
    plain: frozenset[str] = frozenset()
    cuts: bool = False


@dataclass(frozen=True)
class Candidate:
    """A rollup of the source, and whether it can answer.

    Attributes
    ----------
    name
        Its name, for people: ``filter delays``.
    miss
        Why it cannot, naming the field; empty where it can.
    rows
        Rows that it stores in the question's windows.
    """

    name: str
    miss: str
    rows: int


def miss(rollup: Rollup, need: Need) -> str:
    """Why a rollup cannot answer, naming what misses; empty where it can."""
    if rollup.source != need.source:
        return f"source: it is made of {rollup.source!r}"
    residual = residual_of(need.where, rollup, need.plain)
    if residual is None:
        return _where_miss(rollup, need)
    paths = frozenset([*need.question.paths, *residual])
    lacking = sorted(paths - set(rollup.groupings))
    if lacking:
        return f"groupings: it has no {', '.join(lacking)}"
    version = Version("", 0, rollup, None, Window(BEGINNING, -BEGINNING))
    for key in need.keys:
        if version.find(key, paths) is None:
            return f"aggregations: it keeps no {key.text}" + (
                f" by {', '.join(sorted(paths))}" if paths else ""
            )
    return _interval_miss(rollup, need)


def _where_miss(rollup: Rollup, need: Need) -> str:
    if not implies(read_predicate(need.where), read_predicate(rollup.where)):
        return f"where: it keeps only {rollup.where}"
    return f"where: its groupings do not tell {need.where}"


def _interval_miss(rollup: Rollup, need: Need) -> str:
    question = need.question
    if question.series is not None and not rollup.width.divides(question.series, rollup.zone, question.zone):
        # Days of one zone are no union of days of another: it is said whose they are, where they are not the same.
        ours, theirs = (
            ("", "")
            if rollup.zone == question.zone
            else (f" in {rollup.zone.name}" if rollup.width.is_calendar else "", f" in {question.zone.name}")
        )
        return f"interval: {rollup.interval}{ours} does not divide {question.series}{theirs}"
    if need.cuts:
        return ""
    for window in question.windows:
        for edge in (window.start, window.end):
            if rollup.width.floor(edge, rollup.zone) != edge:
                return f"interval: a bucket of {rollup.interval} crosses an edge of the window {window}"
    return ""


def stored_rows(coverage: Coverage, windows: Iterable[Window]) -> int:
    """Rows of the live segments that windows touch: what an answer would read."""
    asked = WindowSet(windows)
    return sum(row.rows for row in coverage.rows if asked & WindowSet.of(row.window))
