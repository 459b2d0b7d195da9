"""A hidden password: how a source is shown whose URL has one, and how what was shown is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aggflow.api.failure import invalid
from aggflow.errors import without_password

_FIELDS: Final = ("url", "sql")
_HIDDEN: Final = "***"


def hide(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source's definition without its passwords.

    Examples
    --------
    >>> hide({"name": "shop", "url": "postgresql://me:secret@db/shop"})
    {'name': 'shop', 'url': 'postgresql://me:***@db/shop'}
    """
    return {key: without_password(value) if key in _FIELDS else value for key, value in source.items()}


def reveal(given: Mapping[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """A source's definition as a client gave it, with the password where it gave what it was shown.

    A password is put only where it was: a URL that names another host does not get it.

    Parameters
    ----------
    given
        The definition; what it was shown of a URL may stand in it.
    stored
        What is stored; None where it is new.

    Raises
    ------
    Refused
        400: a password is hidden, and it is not the one that is stored.
    """
    found = dict(given)
    for field in _FIELDS:
        value = found.get(field)
        if not isinstance(value, str) or _HIDDEN not in value:
            continue
        if stored is not None and value == without_password(stored[field]):
            found[field] = stored[field]
        elif without_password(value.replace(_HIDDEN, "x")) == value:
            raise invalid([(field, "its password is hidden: give all of it, or all as it was shown")])
    return found
