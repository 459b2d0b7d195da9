"""At hand: what an answer finds in memory, so that it neither waits for a disk or a database nor takes long."""

from __future__ import annotations

from typing import Final

MOST_CELLS: Final = 20_000
"""How many cells may be merged for an answer that is to take a few milliseconds at most."""


class NotAtHandError(Exception):
    """What was asked is not at hand, and the answer must not wait; asked again, it may."""
