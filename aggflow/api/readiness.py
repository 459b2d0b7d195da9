"""Readiness: whether the service can answer just now: its catalog, its store, its Prefect."""

from __future__ import annotations

import logging
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from aggflow.api.errors import meaning_of
from aggflow.errors import AggflowError, StoreError, without_password
from aggflow.workspace import Workspace

_LOG = logging.getLogger("aggflow.service")
OK: Final = "ok"
_SECONDS: Final = 2.0
_NO_ADDRESS: Final = "it cannot be reached: PREFECT_API_URL is no address such as http://127.0.0.1:4200/api"


@dataclass(frozen=True)
class Readiness:
    """What was found.

    Attributes
    ----------
    checks
        By what was looked at, ``ok`` or what is wrong with it.
    """

    checks: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether questions are answered; for that nobody needs Prefect, which only keeps states fresh."""
        return all(self.checks[name] == OK for name in ("catalog", "store"))

    def to_plain(self) -> dict[str, object]:
        """As JSON."""
        return {"status": "ready" if self.is_ready else "not ready", "checks": dict(self.checks)}


def readiness(ws: Workspace) -> Readiness:
    """Look at everything that the service stands on."""
    checks = {"catalog": OK, "store": OK, "prefect": _prefect()}
    try:
        ws.check()
    except StoreError as error:
        checks["store"] = _told("store", error)
    except AggflowError as error:
        checks["catalog"] = _told("catalog", error)
    return Readiness(checks)


def _told(name: str, error: AggflowError) -> str:
    """What anybody may know of an error: its own sentence, which names hosts and folders, is for the log."""
    _LOG.warning("the %s is not ready: %s: %s", name, type(error).__name__, without_password(str(error)))
    return meaning_of(error).message


def _prefect() -> str:
    url = os.environ.get("PREFECT_API_URL", "")
    if not url:
        # What is asked for is built all the same, by the carrier.
        return "none: PREFECT_API_URL is not set; schedules do not fire, tasks run when they are changed"
    if not url.startswith(("http://", "https://")):
        return _NO_ADDRESS
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=_SECONDS) as answer:  # noqa: S310 - checked above
            return OK if answer.status == 200 else f"it answers {answer.status}"
    except OSError as error:
        return f"it cannot be reached: {getattr(error, 'reason', error)}"
    except (HTTPException, ValueError):
        # What was wrong with it is not told to anybody: it may be a part of a password.
        return _NO_ADDRESS
