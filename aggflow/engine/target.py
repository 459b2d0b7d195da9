"""A target: a rollup with all that building it and answering from it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from aggflow.engine.reader import OpenRows
from aggflow.spec.rollup import Rollup
from aggflow.spec.source import Source
from aggflow.timeline import BEGINNING, Duration, Micros


@dataclass(frozen=True)
class Target:
    """What is to be built, and of what.

    Attributes
    ----------
    workspace_id, rollup_id, name
        Which rollup; its name is its reference, which people read as well: ``filter delays``,
        ``task by client``, ``cube flights/hourly``.
    source
        Where its rows are.
    open_rows
        Opens the source.
    rollup
        What it keeps, as it is declared now.
    owner_id, own_name
        Id of the definition that it belongs to, and what it is called there.
    from_us
        Where what is wanted begins; the beginning of time for filters and cubes.
    delay
        Nothing younger than now - delay is built.
    """

    workspace_id: str
    rollup_id: str
    name: str
    source: Source
    open_rows: OpenRows
    rollup: Rollup
    owner_id: str
    own_name: str
    from_us: Micros = BEGINNING
    delay: Duration = field(default_factory=lambda: Duration.of("0s"))

    @cached_property
    def data_hash(self) -> str:
        """What the newest version has to be of: the rollup and the source as they are declared."""
        return self.rollup.data_hash(self.source)
