"""A sheet: what is asked, and what is filled in so far, told to whoever listens."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from aggflow.errors import NotFoundError
from aggflow.notebook.draft import entry_at, started
from aggflow.notebook.entry import Entry, Section
from aggflow.notebook.path import put_at, value_at

_TYPED = ("text", "code", "combo")
Listener = Callable[[str], None]
_Of = TypeVar("_Of", bound="Sheet")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def alone(do: Callable[Concatenate[_Of, _P], _T]) -> Callable[Concatenate[_Of, _P], _T]:
    """A method of a sheet during which no other thread changes it."""

    @wraps(do)
    def done(self: _Of, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        with self.lock:
            return do(self, *args, **kwargs)

    return done


class Sheet(ABC):
    """What is asked, and what is filled in so far.

    Kernels hand what a browser sends to several threads, and a cell may change a sheet as well: one change
    ends, with all that follows it, before the next begins.

    Attributes
    ----------
    lock
        Held while it is changed, or looked at as a whole.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._touched: set[str] = set()
        self._values = self.empty()

    @abstractmethod
    def sections(self) -> tuple[Section, ...]:
        """What is asked, in its order; the same each time."""

    def empty(self) -> dict[str, Any]:
        """The values of a new draft."""
        return started(self._entries())

    def followed(self, path: str) -> None:  # noqa: B027 - most follow nothing
        """Let other values follow one that was changed."""

    def get(self, path: str) -> Any:
        """The value at a path, such as ``aggregations[0].field``."""
        return value_at(self._values, path)

    @alone
    def set(self, path: str, value: Any) -> None:
        """Put a value at a path, as one types or chooses it.

        Raises
        ------
        NotFoundError
            Nothing of that name is asked.
        """
        found = self._find(path)
        if found is None:
            raise NotFoundError("entry", path, [entry.name for entry in self._entries()])
        self._touched.add(path)
        # Code may give numbers where people type them.
        if found.kind in _TYPED and isinstance(value, int | float):
            value = str(value)
        if self.get(path) == value:
            return
        put_at(self._values, path, value)
        self.followed(path)
        self._notify(path)

    @alone
    def add(self, path: str, /, **values: Any) -> None:
        """Add a row to the list at a path, with some of its values."""
        rows = self.get(path)
        row = started(self.entry(path).of)
        for name, value in values.items():
            put_at(row, name, value)
        rows.append(row)
        self._touched.add(path)
        self.followed(path)
        self._notify(path)

    @alone
    def drop(self, path: str, index: int) -> None:
        """Take a row from the list at a path."""
        del self.get(path)[index]
        # What was typed in the rows behind it is told by another place now.
        self._touched = {one for one in self._touched if not one.startswith(f"{path}[")} | {path}
        self.followed(path)
        self._notify(path)

    @alone
    def move(self, path: str, index: int, by: int) -> None:
        """Move a row of the list at a path up (-1) or down (1)."""
        rows = self.get(path)
        place = index + by
        if 0 <= place < len(rows):
            rows.insert(place, rows.pop(index))
            self._notify(path)

    @property
    def values(self) -> dict[str, Any]:
        """A copy of everything that is filled in."""
        return deepcopy(self._values)

    def _entries(self) -> tuple[Entry, ...]:
        return tuple(entry for section in self.sections() for entry in section.entries)

    def entry(self, path: str) -> Entry:
        """The entry of a path.

        Raises
        ------
        KeyError
            There is none.
        """
        found = self._find(path)
        if found is None:
            raise KeyError(path)
        return found

    def _find(self, path: str) -> Entry | None:
        return entry_at(self._entries(), path)

    # -- listeners

    def observe(self, listener: Listener) -> None:
        """Call somebody after each change, with the path of what changed; empty for everything."""
        self._listeners.append(listener)

    @alone
    def touch(self) -> None:
        """Look at everything again: something outside the form changed."""
        self._notify("")

    def _notify(self, path: str) -> None:
        for listener in tuple(self._listeners):
            listener(path)
