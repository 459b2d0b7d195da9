"""A lock on a home: only one `aggflow up` serves it at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aggflow.errors import HomeInUseError


@contextmanager
def locked(folder: Path, home: str) -> Iterator[None]:
    """Hold a home; the lock ends with its process, however that ends.

    Parameters
    ----------
    folder
        Where the lock is kept.
    home
        What it is of, for people.

    Raises
    ------
    HomeInUseError
        Another process holds it.
    """
    import os

    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "up.pid"
    lock = FileLock(folder / "up.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        with suppress(OSError):
            number = holder.read_text(encoding="utf-8").strip()
            raise HomeInUseError(
                f"another `aggflow up` (process {number}) serves {home}", hint="end that one first"
            ) from None
        raise HomeInUseError(f"another `aggflow up` serves {home}", hint="end that one first") from None
    try:
        holder.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
