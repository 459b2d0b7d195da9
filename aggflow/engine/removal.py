"""A removal: definitions taken away with what was built for them, but for those that others need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from aggflow.catalog import Catalog, Definition, DispatchKind
from aggflow.engine.definition_kind import KINDS, KindName
from aggflow.engine.inspection import Inspection
from aggflow.engine.stored import Stored, stored_of
from aggflow.errors import ConflictError, NotFoundError
from aggflow.spec.endpoint import SUBJECTS
from aggflow.spec.rollup import Rollup
from aggflow.spec.rollups import OWNERS, rollups_of

# What a catalog writes beside a definition, in the same transaction, for orchestration: kind and key.
Dispatch: TypeAlias = tuple[DispatchKind, str]


class Removal(Inspection):
    """What removes definitions of a workspace.

    Parameters
    ----------
    catalog, workspace_id
        Where they are kept.
    clock
        Microseconds since the epoch, now.
    events
        The folder of embedded sources; None where the home is none.
    memory
        Bytes that DuckDB may use for an open source; 0 leaves it to DuckDB.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        clock: Callable[[], int],
        events: Path | None = None,
        memory: int = 0,
    ) -> None:
        super().__init__(catalog, workspace_id, events, memory)
        self._clock = clock

    def remove(self, kind: KindName, name: str, dispatch: Dispatch | None = None) -> None:
        """Remove a definition, and what was built for it.

        Parameters
        ----------
        kind, name
            Which.
        dispatch
            What orchestration is told of it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind not in KINDS:
            raise NotFoundError("kind of definition", kind, KINDS)
        there = self.get(kind, name)
        self.check_removal(kind, name)
        self.drop(kind, name, dispatch=dispatch)
        if kind == "source":
            self._tables.pop(name, None)
            if there.spec.is_embedded:
                self.event_folder(there.spec).remove()

    def drop(
        self, kind: KindName, name: str, called: str | None = None, *, dispatch: Dispatch | None = None
    ) -> None:
        """Remove a definition that no endpoint asks: looked at while nobody else adds one.

        Parameters
        ----------
        kind, name
            Which.
        called
            What it is called by those who ask it, where that is another name.
        dispatch
            What orchestration is told of it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            An endpoint asks it.
        """
        subjects = {(kind, name), (kind, called or name)}

        def check(endpoints: tuple[Definition, ...]) -> None:
            asking = [one.name for one in endpoints if stored_of(one).spec.subject in subjects]
            _refuse([f"endpoint {endpoint!r}" for endpoint in asking], kind, called or name)

        looked_at = ("endpoint", check) if kind in SUBJECTS else None
        self._catalog.remove_definition(
            self._workspace_id, kind, name, self._clock(), dispatch=dispatch, check=looked_at
        )

    def check_removal(self, kind: KindName, name: str) -> None:
        """Refuse to remove what others need.

        Raises
        ------
        ConflictError
            Another definition needs it.
        """
        _refuse(self._needing(kind, name), kind, name)

    def _needing(self, kind: KindName, name: str) -> list[str]:
        """The definitions that read this one."""
        if kind in SUBJECTS:
            return [f"endpoint {endpoint.name!r}" for endpoint in self.asking(kind, name)]
        if kind != "source":
            return []
        asked = [events for events in self.all("event_source").values() if events.source == name]
        return [
            *("the event source" for _ in asked),
            *(
                f"{owner_kind} {owner.name!r}"
                for owner_kind, owner, rollups in self._owners()
                if name in {owner.source, *(rollup.source for rollup in rollups.values())}
            ),
        ]

    def _owners(self) -> Iterator[tuple[KindName, Stored[Any], dict[str, Rollup]]]:
        """Every definition that has rollups, with its kind and them."""
        kinds: tuple[KindName, ...] = OWNERS
        for kind in kinds:
            for owner in self.all(kind).values():
                yield kind, owner, rollups_of(owner.spec)


def _refuse(needing: list[str], kind: KindName, name: str) -> None:
    if needing:
        raise ConflictError(f"{', '.join(needing)} needs {kind} {name!r}", hint="remove that first")
