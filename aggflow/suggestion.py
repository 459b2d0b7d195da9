"""A suggestion: what was meant by a name that is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to a mistyped one, or None where none is near.

    Examples
    --------
    >>> nearest("carier", ["carrier", "origin"])
    'carrier'
    >>> nearest("zzz", ["carrier", "origin"]) is None
    True
    """
    names = {str(k).lower(): str(k) for k in known}
    close = difflib.get_close_matches(str(name).lower(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str], *, most: int = 12) -> str:
    """A hint for a mistyped name: the nearest known one, else the known ones.

    Examples
    --------
    >>> did_you_mean("carier", ["carrier", "origin"])
    "did you mean 'carrier'?"
    >>> did_you_mean("zzz", ["origin", "carrier"])
    'known: carrier, origin'
    """
    names = sorted({str(k) for k in known})
    close = nearest(name, names)
    if close is not None:
        return f"did you mean {close!r}?"
    if not names:
        return "there is none yet"
    shown = ", ".join(names[:most])
    return f"known: {shown}" + (f" and {len(names) - most} more" if len(names) > most else "")
