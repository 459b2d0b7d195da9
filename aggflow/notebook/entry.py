"""An entry: one thing that is asked in a form: its label, its kind, and what can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

EntryKind = Literal["text", "code", "combo", "choice", "choices", "flag", "rows"]


@dataclass(frozen=True)
class Option:
    """Something that can be chosen.

    Attributes
    ----------
    value
        What is declared.
    label
        What people read; by default the value.
    help
        A sentence more about it, or empty.
    """

    value: Any
    label: str = ""
    help: str = ""

    @property
    def shown(self) -> str:
        """What people read."""
        return self.label or str(self.value)


# Both are asked anew after each change, with the path of the entry: what is offered may depend on it.
Offer = Callable[[str], Sequence[Option]]
IsShown = Callable[[str], bool]


@dataclass(frozen=True)
class Entry:
    """One thing that is asked.

    Attributes
    ----------
    name
        Where its value stands, from the form's root or its row: ``interval``, ``timing.duration``.
    label
        What people read beside it.
    kind
        ``text`` and ``code`` are typed (numbers, too: as one types, 0. has to be allowed), ``combo`` is
        typed with suggestions, ``choice`` is one of its options, ``choices`` a list of them, ``flag`` is
        true or false, ``rows`` a list of groups of entries.
    default
        What stands there at first.
    help
        A sentence for people, or empty.
    placeholder
        What is shown where nothing is typed yet.
    offer
        What can be chosen.
    is_shown
        Whether it is asked; what is not is not declared.
    of
        The entries of a row.
    row
        What one row is called.
    titled_by
        The value of a row that stands over it; such rows are there by themselves, none can be added.
    is_declared
        Whether the declaration has it; else it only says how to save.
    is_wide
        Whether it takes the whole width.
    """

    name: str
    label: str
    kind: EntryKind = "text"
    default: Any = ""
    help: str = ""
    placeholder: str = ""
    offer: Offer | None = None
    is_shown: IsShown | None = None
    of: tuple[Entry, ...] = ()
    row: str = "row"
    titled_by: str = ""
    is_declared: bool = True
    is_wide: bool = False

    @property
    def start(self) -> Any:
        """A value of its own for a new draft."""
        return list(self.default) if isinstance(self.default, list | tuple) else self.default

    def options(self, path: str) -> Sequence[Option]:
        """What can be chosen at a path, just now."""
        return () if self.offer is None else self.offer(path)

    def shows(self, path: str) -> bool:
        """Whether it is asked at a path, just now."""
        return self.is_shown is None or self.is_shown(path)


@dataclass(frozen=True)
class Section:
    """Entries that belong together.

    Attributes
    ----------
    title
        Over them.
    entries
        In their order.
    help
        A sentence for people, or empty.
    is_open
        Whether it is unfolded at first.
    """

    title: str
    entries: tuple[Entry, ...]
    help: str = ""
    is_open: bool = True
