"""A permission: something that a token may do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from aggflow.errors import did_you_mean
from aggflow.quote import quoted


class Permission(StrEnum):
    """Something that a token may do.

    Whoever may manage may view as well; ``admin`` may do all, and manage sources, filters,
    endpoints, cubes and tokens.
    """

    VIEW_TASKS = "tasks:view"
    MANAGE_TASKS = "tasks:manage"
    VIEW_SCHEDULES = "schedules:view"
    MANAGE_SCHEDULES = "schedules:manage"
    READ_DATA = "data:read"
    READ_WIDGETS = "widgets:read"
    ADMIN = "admin"


_INCLUDED: Final = {
    Permission.MANAGE_TASKS: {Permission.VIEW_TASKS},
    Permission.MANAGE_SCHEDULES: {Permission.VIEW_SCHEDULES},
    Permission.ADMIN: set(Permission),
}


def granted(permissions: Iterable[str]) -> frozenset[str]:
    """All that permissions allow, with what they include.

    Examples
    --------
    >>> sorted(granted(["tasks:manage", "data:read"]))
    ['data:read', 'tasks:manage', 'tasks:view']
    """
    found: set[str] = set()
    for name in permissions:
        found |= {str(one) for one in (name, *_INCLUDED.get(Permission(name), ()))}
    return frozenset(found)


def problem_of(permission: str) -> str:
    """What is wrong with a permission's name; empty where nothing is.

    Examples
    --------
    >>> problem_of("data:read"), problem_of("data:raed")
    ('', "there is no permission 'data:raed' (did you mean 'data:read'?)")
    """
    names = [str(one) for one in Permission]
    if permission in names:
        return ""
    return f"there is no permission {quoted(permission)} ({did_you_mean(permission, names)})"
