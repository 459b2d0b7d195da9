"""A whole file: one that is there with all of its bytes, and on disk, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_TEMPORARY: Final = ".tmp"


def temporary_of(path: Path) -> Path:
    """Where a file is written before it is there; in the same folder, which is made."""
    _make_folder(path.parent)
    return path.with_name(f".{path.name}{_TEMPORARY}")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file."""
    temporary = temporary_of(path)
    try:
        with temporary.open("xb") as opened:
            opened.write(data)
        into_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def into_place(temporary: Path, path: Path) -> None:
    """Let a file be there that was written under its temporary name."""
    with temporary.open("rb+") as opened:
        os.fsync(opened.fileno())
    temporary.rename(path)
    _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # where a folder cannot be opened, and a rename is durable
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
