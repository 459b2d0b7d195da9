"""A version: one form of a rollup, as the engine needs it, with what its states look like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from aggflow.catalog.rollup_version import RollupVersion
from aggflow.measures.cells import Layout
from aggflow.measures.registry import StateKey, state_keys
from aggflow.spec.rollup import Rollup
from aggflow.timeline import Window

_MOST_KEPT = 1024


@dataclass(frozen=True)
class Version:
    """One form of a rollup.

    Attributes
    ----------
    rollup_id, number
        Which version of which rollup.
    rollup
        What it keeps.
    layout
        Where its states stand; None until its source was looked at for the first time.
    validity
        The bucket starts that it is valid for.
    data_hash
        Names the data: the rollup and its source, as they were when it was declared.
    """

    rollup_id: str
    number: int
    rollup: Rollup
    layout: Layout | None
    validity: Window
    data_hash: str = ""

    @classmethod
    def of(cls, stored: RollupVersion) -> Version:
        """The version that the catalog holds."""
        rollup = Rollup.from_plain(dict(stored.spec))
        layout = None if stored.layout is None else Layout.from_text(rollup, stored.layout)
        return cls(stored.rollup_id, stored.number, rollup, layout, stored.validity, stored.data_hash)

    def with_layout(self, layout: Layout) -> Version:
        """The same version, its source having been looked at."""
        return replace(self, layout=layout)

    def find(self, key: StateKey, paths: frozenset[str]) -> StateKey | None:
        """The state that serves a key of any version: same measure, field and sub-filter.

        Parameters
        ----------
        key
            What is asked for; its groupings do not matter.
        paths
            The groupings that are returned or filtered: those that this version has must be kept.

        Returns
        -------
        StateKey or None
            The one with the fewest groupings that will do.
        """
        asked = (key, frozenset(paths))
        try:
            return self._found[asked]
        except KeyError:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            found = self._found[asked] = self._find(*asked)
            return found

    @cached_property
    def _found(self) -> dict[tuple[StateKey, frozenset[str]], StateKey | None]:
        # Every answer asks for the same few.
        return {}

    @cached_property
    def _states(self) -> tuple[StateKey, ...]:
        return state_keys(self.rollup)

    def _find(self, key: StateKey, paths: frozenset[str]) -> StateKey | None:
        needed = paths & set(self.rollup.groupings)
        fitting = [
            own
            for own in self._states
            if (own.measure, own.field, own.where) == (key.measure, key.field, key.where)
            and needed <= set(own.groupings)
        ]
        return min(fitting, key=lambda own: len(own.groupings), default=None)
