"""What is shown of definitions: lists and single ones, the same for every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggflow.collection import Collection
    from aggflow.engine.stored import Stored


def show_all(found: Collection[Any], kind: str, example: str) -> None:
    """A table of everything of one kind; where there is none, how to add one."""
    from aggflow.terminal import console, table

    headings, rows = found.table()
    if rows:
        console().print(table(headings, rows))
    else:
        console().print(f"There is no {kind} yet. Add one: {example}", markup=False, soft_wrap=True)


def show_one(stored: Stored[Any], hidden: dict[str, str] | None = None) -> None:
    """All that a definition says, in the YAML that `aggflow apply` takes.

    Parameters
    ----------
    stored
        The definition.
    hidden
        By key, the text that stands for a value which may hold a password.
    """
    import yaml

    from aggflow.spec.declaration import plain
    from aggflow.terminal import console

    data = {"id": stored.id} | plain(stored.spec, defaults=False) | (hidden or {})
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100).rstrip()
    console().print(text, markup=False, soft_wrap=True)


def show_added(stored: Stored[Any], kind: str, *, was_there: bool, dry_run: bool = False) -> None:
    """What adding a definition did, and what it does to others."""
    from aggflow.terminal import console

    out = console()
    if dry_run:
        out.print(
            f"Nothing was changed: {kind} {stored.name!r} would be {'changed' if was_there else 'added'}",
            markup=False,
            soft_wrap=True,
        )
    else:
        out.print(
            f"{kind.capitalize()} {stored.name!r} is {'changed' if was_there else 'added'}",
            markup=False,
            soft_wrap=True,
        )
    for effect in stored.effects:
        out.print(f"  {effect}", style="yellow", markup=False, soft_wrap=True)
    if dry_run and not stored.effects:
        out.print("  no endpoint would notice", markup=False)
