"""A release of Prefect: which one is installed, which one answers, and whether aggflow works with it."""

from __future__ import annotations

import re
from importlib import metadata
from typing import Final

from aggflow.errors import PrefectVersionError

LEAST: Final = "3.8.8"
BELOW: Final = "4"
_INSTALL: Final = f"pip install 'prefect>={LEAST},<{BELOW}'"


def require_installed() -> str:
    """The version of Prefect that is installed.

    Raises
    ------
    PrefectVersionError
        There is none, or it does not fit.
    """
    try:
        found = metadata.version("prefect")
    except metadata.PackageNotFoundError:
        raise PrefectVersionError(
            "Prefect is not installed", hint="pip install 'aggflow[prefect,api]'"
        ) from None
    if not fits(found):
        raise PrefectVersionError(
            f"Prefect {found} is installed, and aggflow needs {LEAST} or later, below {BELOW}", hint=_INSTALL
        )
    return found


def require_of_server(found: str, url: str) -> str:
    """The version of a Prefect server, which fits.

    Raises
    ------
    PrefectVersionError
        It does not.
    """
    if not fits(found):
        raise PrefectVersionError(
            f"the Prefect server at {url} is of version {found}, and aggflow needs {LEAST} or later, below {BELOW}",
            hint="install that on the server, or name another one in PREFECT_API_URL",
        )
    return found


def fits(version: str) -> bool:
    """Whether aggflow works with a version.

    Examples
    --------
    >>> [fits(version) for version in ("3.8.7", "3.8.8", "3.10.0rc1", "3.9.1+dirty", "4.0.0", "2.20.1")]
    [False, True, True, True, False, False]
    """
    return _numbers(LEAST) <= _numbers(version) < _numbers(BELOW)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
