"""A workspace at hand: the one that a cell means which names none, or names a variable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from aggflow.errors import AggflowError, NotFoundError

USUAL = "ws"


@runtime_checkable
class Asked(Protocol):
    """What can be asked in LINQ: a workspace of this machine, or one behind a service."""

    @property
    def sources(self) -> Mapping[str, Any]:
        """What can be read, by name."""
        ...

    def linq(self, text: str) -> Any:
        """The answer to a question."""
        ...


def workspace_at_hand(names: Mapping[str, Any], wanted: str | None = None) -> Any:
    """The workspace that a cell means.

    Parameters
    ----------
    names
        The variables of the notebook.
    wanted
        The variable that holds it; by default ``ws``, or the only one that holds one.

    Raises
    ------
    NotFoundError
        No variable of that name holds a workspace.
    AggflowError
        There is none, or several of which none is called ``ws``.

    Examples
    --------
    >>> workspace_at_hand({})
    Traceback (most recent call last):
    aggflow.errors.AggflowError: no workspace is open here (open one first: ws = aggflow.open("shop"))
    """
    found = {name: value for name, value in names.items() if _is_one(name, value)}
    if wanted is not None:
        if wanted not in found:
            raise NotFoundError("workspace", wanted, found)
        return found[wanted]
    if USUAL in found:
        return found[USUAL]
    # Two names of one workspace are no choice.
    if len({id(value) for value in found.values()}) == 1:
        return next(iter(found.values()))
    if found:
        raise AggflowError(
            f"several workspaces are open here: {', '.join(sorted(found))}",
            hint=f"name the one that is meant: --workspace {min(found)}",
        )
    raise AggflowError("no workspace is open here", hint='open one first: ws = aggflow.open("shop")')


def _is_one(name: str, value: object) -> bool:
    # What IPython keeps of outputs begins with an underscore; a class is no workspace.
    return not name.startswith("_") and not isinstance(value, type) and isinstance(value, Asked)
