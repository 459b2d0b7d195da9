"""A collection: what a workspace holds of one kind, by name; reads like a mapping, shows as a table."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, Final, TypeVar

from aggflow.errors import NotFoundError
from aggflow.figure import counted
from aggflow.markup import nothing, table

V = TypeVar("V")
_NAMED: Final = 10


class Collection(Mapping[str, V]):
    """Everything of one kind, by name, as it is at the moment of reading.

    Parameters
    ----------
    kind
        What it holds, for people.
    load
        Gives everything, by name.
    columns
        What its table shows of each: a heading and how to get it.
    numeric
        The headings of columns that hold numbers.
    """

    def __init__(
        self,
        kind: str,
        load: Callable[[], Mapping[str, V]],
        columns: Mapping[str, Callable[[V], object]],
        numeric: Iterable[str] = (),
    ) -> None:
        self._kind = kind
        self._load = load
        self._columns = columns
        self._numeric = tuple(numeric)

    def __getitem__(self, name: str) -> V:
        found = self._load()
        if name not in found:
            raise NotFoundError(self._kind, name, found)
        return found[name]

    def get(self, name: str, default: Any = None) -> Any:
        """What is there under a name; the default where nothing is."""
        return self._load().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    # Of a mapping these ask for each name by itself, which loads everything again each time, and fails
    # at what was removed meanwhile.

    def values(self) -> ValuesView[V]:
        """Everything, loaded once: as it is now, whatever is removed while it is gone through."""
        return self._load().values()

    def items(self) -> ItemsView[str, V]:
        """Every name with what it names, loaded once: as it is now, whatever is removed meanwhile."""
        return self._load().items()

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows of texts."""
        rows = [[_text(get(value)) for get in self._columns.values()] for value in self.values()]
        return list(self._columns), rows

    def __repr__(self) -> str:
        names = list(self._load())
        what = counted(len(names), self._kind)
        rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"{what}: {', '.join(names[:_NAMED])}{rest}" if names else what

    def _repr_html_(self) -> str:
        headings, rows = self.table()
        return table(headings, rows, numeric=self._numeric) if rows else nothing(f"no {self._kind} yet")


def _text(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, tuple | list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    name = getattr(value, "name", None)
    return str(name) if isinstance(name, str) else str(value)
