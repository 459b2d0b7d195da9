"""A site: where the parts of a home are: its catalog, its segments, the events of its embedded sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aggflow.errors import Problem, SpecError, without_password


@dataclass(frozen=True)
class Site:
    """Where the parts of a home are.

    Attributes
    ----------
    shown
        The home, for people: without a password.
    catalog
        URL of the catalog, or the path of its file.
    store
        Folder or fsspec URL of the segments.
    events
        Folder with the events of embedded sources; None where there can be none.
    """

    shown: str
    catalog: str = field(repr=False)
    store: str
    events: Path | None

    @classmethod
    def of(cls, home: str | Path, store: str = "", events: str = "") -> Self:
        """The site of a home.

        Parameters
        ----------
        home
            A folder, or the URL of a catalog.
        store, events
            Where its segments and events are; in the folder where empty.

        Raises
        ------
        SpecError
            The home is a catalog's URL, and no store is named.

        Examples
        --------
        >>> Site.of("postgresql://me:secret@db/shop", "s3://bucket/shop")
        Site(shown='postgresql://me:***@db/shop', store='s3://bucket/shop', events=None)
        """
        place = str(home)
        if "://" in place:
            if not store:
                raise SpecError("home", [Problem("", "a catalog's URL needs a store", "set AGGFLOW_STORE")])
            return cls(without_password(place), place, store, events_of(place, events))
        folder = Path(place).absolute()
        return cls(
            str(folder),
            str(folder / "catalog.db"),
            store or str(folder / "segments"),
            events_of(place, events),
        )


def events_of(home: str, events: str) -> Path | None:
    """The folder with the events of a home's embedded sources; None where it has none.

    Parameters
    ----------
    home
        A folder, or the URL of a catalog.
    events
        Where it is, if that is chosen.
    """
    if events:
        return Path(events).absolute()
    return None if "://" in home else Path(home).absolute() / "events"
