"""Errors of file systems, mapped in one place to the tree of aggflow."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aggflow.errors import (
    SegmentMissingError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
    without_password,
)

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


def done(*, writing: bool) -> str:
    """What was to be done with a file, as a participle."""
    return "written" if writing else "read"


def said(error: BaseException) -> str:
    """What an error says, without a password."""
    return without_password(str(error)) or type(error).__name__


@contextmanager
def mapped(what: str, *, writing: bool, elsewhere: bool = False) -> Iterator[None]:
    """Raise aggflow's errors in place of the operating system's.

    Parameters
    ----------
    what, writing
        What is done with what.
    elsewhere
        Whether an object store says it, which may answer the next time.
    """
    try:
        yield
    except FileNotFoundError as error:
        if writing and elsewhere and "bucket" in str(error).lower():
            raise StoreError(
                f"{what} cannot be written: {said(error)}", hint="make the bucket first"
            ) from error
        raise SegmentMissingError(
            f"{what} is not there",
            hint="`aggflow doctor --fix` makes its window missing, and a build makes it again",
        ) from error
    except OSError as error:
        why = error.strerror or said(error)
        if writing and error.errno in _FULL:
            raise StoreFullError(
                f"no space is left to write {what}", hint="free some space, then build again"
            ) from error
        if writing and (error.errno in _READ_ONLY or isinstance(error, PermissionError)):
            raise StoreReadOnlyError(
                f"{what} cannot be written: {why}", hint="check who may write there"
            ) from error
        if elsewhere and not isinstance(error, PermissionError):
            raise StoreUnavailableError(f"{what} cannot be {done(writing=writing)}: {why}") from error
        raise StoreError(f"{what} cannot be {done(writing=writing)}: {why}") from error
