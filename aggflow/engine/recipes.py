"""Recipes: by what is asked and where its states are, how answers were made that the next is made alike."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from aggflow.engine.columns import Columns
from aggflow.engine.plan import Piece
from aggflow.engine.posed import Posed
from aggflow.engine.reader import Trace
from aggflow.engine.recipe import Recipe
from aggflow.engine.reductions import Merged, Reductions

_MOST: Final = 1024


class Recipes:
    """The recipes of a process.

    Parameters
    ----------
    sums
        The bucket sums that they are made of.
    """

    def __init__(self, sums: Reductions[Merged]) -> None:
        self._sums = sums
        self._known: dict[Hashable, Recipe] = {}

    def made(self, posed: Posed) -> tuple[Columns, Trace] | None:
        """The values of a question and where they are from; None where no recipe says how they are made."""
        window, *others = posed.distinct_windows
        if posed.filters or others:
            return None
        pieces = posed.pieces(window)
        recipe = self._known.get(_key(posed, pieces))
        if recipe is None:
            return None
        (piece,) = pieces
        found = recipe.columns(self._sums, piece.buckets)
        if found is None or piece.row is None or piece.row.file is None:
            return None
        columns, read = found
        cells = {(piece.version.number, piece.window, 0): read}
        return columns, Trace(stored=[piece.window], files={piece.row.file}, cells=cells)

    def keep(self, posed: Posed, recipe: Recipe | None) -> None:
        """Keep how a question was answered, if there is a recipe of it."""
        key = None if recipe is None else _key(posed, posed.pieces(posed.windows[0]))
        if recipe is None or key is None:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = recipe


def _key(posed: Posed, pieces: Sequence[Piece]) -> Hashable | None:
    """Names all questions that one recipe makes; None where there can be none."""
    if posed.made_of is None or len(pieces) != 1 or pieces[0].row is None or pieces[0].row.file is None:
        return None
    return posed.made_of, pieces[0].version.number, pieces[0].row.file
