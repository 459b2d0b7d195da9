"""A rollup version: one form that a rollup has, or had, and the range of time that it is valid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aggflow.timeline.window import Window


@dataclass(frozen=True, slots=True)
class RollupVersion:
    """One form that a rollup has, or had.

    Attributes
    ----------
    number
        From 1, never used twice.
    spec
        Ready for JSON.
    layout
        What its states look like, as text: kinds of fields, the hash of distinct states; None until the
        source was looked at for the first time.
    validity
        The bucket starts that it is valid for; ``BEGINNING`` and ``FOREVER`` where it is open.
    """

    rollup_id: str
    number: int
    spec: Mapping[str, Any]
    data_hash: str
    layout: str | None
    validity: Window
