"""A window: a half-open range of time, ``[start, end)``; and the algebra of sets of windows.

What is wanted, covered and missing are sets of windows, and
``missing = wanted - covered`` is meant literally.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, overload

from aggflow.errors import QueryError
from aggflow.timeline.instant import BEGINNING, FOREVER, Micros, format_instant

if TYPE_CHECKING:
    from aggflow.timeline.interval import Interval
    from aggflow.timeline.zone import Zone


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The instants from ``start`` up to, without, ``end``.

    Attributes
    ----------
    start, end
        Microseconds since the epoch, UTC; ``start < end``.

    Raises
    ------
    QueryError
        It would hold no instant.

    Examples
    --------
    >>> window = Window(0, 3_600_000_000)
    >>> 0 in window, 3_600_000_000 in window, str(window)
    (True, False, '[1970-01-01T00:00:00Z, 1970-01-01T01:00:00Z)')
    """

    start: Micros
    end: Micros

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise QueryError(
                f"the window from {format_instant(self.start)} to {format_instant(self.end)} holds no time",
                hint="its start must lie before its end, which is left out",
            )

    @staticmethod
    def between(start: Micros, end: Micros, what: str = "the question") -> Window:
        """The window from one instant to another, as somebody asked for it.

        Raises
        ------
        QueryError
            It is empty, or ends before it begins: said of ``what``, with the instants.

        Examples
        --------
        >>> Window.between(0, 0)
        Traceback (most recent call last):
        aggflow.errors.QueryError: the question's range is empty: it begins and ends at 1970-01-01T00:00:00Z (the end
        itself is left out: choose a later one)
        """
        if start < end:
            return Window(start, end)
        begins = format_instant(start)
        if start == end:
            raise QueryError(
                f"{what}'s range is empty: it begins and ends at {begins}",
                hint="the end itself is left out: choose a later one",
            )
        raise QueryError(
            f"{what} ends before it begins: from {begins} to {format_instant(end)}", hint="exchange the two"
        )

    @property
    def microseconds(self) -> int:
        """Its length."""
        return self.end - self.start

    @property
    def is_bounded(self) -> bool:
        """Whether it has both a beginning and an end."""
        return self.start > BEGINNING and self.end < FOREVER

    def __contains__(self, us: Micros) -> bool:
        return self.start <= us < self.end

    def overlaps(self, other: Window) -> bool:
        """Whether an instant lies in both."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Window) -> bool:
        """Whether all of another window lies in it.

        Examples
        --------
        >>> Window(0, 10).holds(Window(2, 10)), Window(0, 10).overlaps(Window(9, 12))
        (True, True)
        """
        return self.start <= other.start and other.end <= self.end

    def __and__(self, other: Window) -> Window | None:
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def __str__(self) -> str:
        return f"[{format_instant(self.start)}, {format_instant(self.end)})"


ALWAYS: Final = Window(BEGINNING, FOREVER)
"""The window of all time."""


@dataclass(frozen=True, slots=True, init=False)
class WindowSet:
    """A set of instants, as sorted windows that neither overlap nor touch.

    Parameters
    ----------
    windows
        Any windows, in any order; those that overlap or touch become one.

    Examples
    --------
    >>> covered = WindowSet([Window(0, 10), Window(10, 20), Window(40, 50)])
    >>> [(w.start, w.end) for w in covered]
    [(0, 20), (40, 50)]
    >>> [(w.start, w.end) for w in WindowSet.of(Window(5, 45)) - covered]
    [(20, 40)]
    """

    windows: tuple[Window, ...]

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        object.__setattr__(self, "windows", tuple(_joined(sorted(windows))))

    @staticmethod
    def of(*windows: Window) -> WindowSet:
        """The set of some windows."""
        return WindowSet(windows)

    def __iter__(self) -> Iterator[Window]:
        return iter(self.windows)

    def __len__(self) -> int:
        return len(self.windows)

    @overload
    def __contains__(self, item: Micros) -> bool: ...
    @overload
    def __contains__(self, item: Window) -> bool: ...
    def __contains__(self, item: Micros | Window) -> bool:
        """Whether an instant, or the whole of a window, is in the set."""
        if isinstance(item, Window):
            return any(window.holds(item) for window in self.windows)
        return any(item in window for window in self.windows)

    def __or__(self, other: WindowSet) -> WindowSet:
        return WindowSet((*self.windows, *other.windows))

    def __and__(self, other: WindowSet) -> WindowSet:
        return WindowSet(_common(self.windows, other.windows))

    def __sub__(self, other: WindowSet) -> WindowSet:
        return self & WindowSet(_gaps(other.windows))

    def __le__(self, other: WindowSet) -> bool:
        return all(window in other for window in self.windows)

    @property
    def span(self) -> Window | None:
        """The smallest window that holds the set; None where it is empty."""
        return Window(self.windows[0].start, self.windows[-1].end) if self.windows else None

    @property
    def microseconds(self) -> int:
        """The length of all windows together."""
        return sum(window.microseconds for window in self.windows)

    def snap_out(self, interval: Interval, zone: Zone) -> WindowSet:
        """All buckets that the set touches, whole."""
        return WindowSet(
            Window(interval.floor(window.start, zone), interval.ceil(window.end, zone))
            for window in self.windows
        )

    def snap_in(self, interval: Interval, zone: Zone) -> WindowSet:
        """The buckets that lie wholly in the set."""
        ends = (
            (interval.ceil(window.start, zone), interval.floor(window.end, zone)) for window in self.windows
        )
        return WindowSet(Window(start, end) for start, end in ends if start < end)

    def cut(self, interval: Interval, zone: Zone, at_most_us: int) -> tuple[Window, ...]:
        """All buckets that the set touches, cut into batches.

        Parameters
        ----------
        interval, zone
            What a bucket is.
        at_most_us
            How long a batch may be, in microseconds; a single bucket may be longer.

        Returns
        -------
        tuple of Window
            Whole buckets that follow one another, oldest first; disjoint, and together
            `snap_out`.

        Raises
        ------
        QueryError
            The set reaches to the beginning or the end of time, which no batch does.

        Examples
        --------
        >>> from aggflow.timeline import UTC, Interval
        >>> minutes = WindowSet.of(Window(0, 300_000_000))
        >>> [w.end // 60_000_000 for w in minutes.cut(Interval.of("1m"), UTC, 120_000_000)]
        [2, 4, 5]
        """
        return tuple(
            batch
            for window in self.snap_out(interval, zone)
            for batch in _batches(window, interval, zone, at_most_us)
        )

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.windows)) + "}"


def _joined(windows: Iterable[Window]) -> Iterator[Window]:
    """Sorted windows, those that overlap or touch made one."""
    last: Window | None = None
    for window in windows:
        if last is None or window.start > last.end:
            if last is not None:
                yield last
            last = window
        elif window.end > last.end:
            last = Window(last.start, window.end)
    if last is not None:
        yield last


def _common(left: tuple[Window, ...], right: tuple[Window, ...]) -> Iterator[Window]:
    """What two sorted runs of windows have in common."""
    i = j = 0
    while i < len(left) and j < len(right):
        both = left[i] & right[j]
        if both is not None:
            yield both
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1


def _gaps(windows: tuple[Window, ...]) -> Iterator[Window]:
    """What sorted windows leave of all time."""
    start = BEGINNING
    for window in windows:
        if window.start > start:
            yield Window(start, window.start)
        start = window.end
    if start < FOREVER:
        yield Window(start, FOREVER)


def _batches(window: Window, interval: Interval, zone: Zone, at_most_us: int) -> Iterator[Window]:
    if not window.is_bounded:
        raise QueryError(
            f"the window {window} cannot be cut into batches", hint="give it a beginning and an end"
        )
    start = window.start
    while start < window.end:
        furthest = max(interval.floor(start + at_most_us, zone), interval.next(start, zone))
        batch = Window(start, min(furthest, window.end))
        yield batch
        start = batch.end
