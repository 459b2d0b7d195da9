"""Store: the folder or object store that holds the segments; files come and go, none is ever changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from aggflow.errors import AggflowError, SegmentMissingError, StoreError, StoreUnavailableError
from aggflow.scratch import scratch
from aggflow.store.draft import Draft
from aggflow.store.errors import done, mapped, said
from aggflow.store.segment import Buckets, SegmentFile, decode, span
from aggflow.store.whole_file import into_place, temporary_of, write_whole
from aggflow.timeline.instant import Micros, format_instant, from_datetime
from aggflow.timeline.window import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is in the store, whether the catalog names it or not.

    Attributes
    ----------
    file
        Its name in the store.
    bytes
        Its length.
    modified_us
        When it was written, in microseconds, by the store's clock.
    """

    file: str
    bytes: int
    modified_us: Micros


class SegmentStore:
    """The segments of a home.

    Parameters
    ----------
    url_or_path
        A folder, or any URL that fsspec knows: ``s3://bucket/prefix``, ``memory://name`` ...

    Raises
    ------
    StoreError
        There is no driver for the URL, or it cannot be read.

    Examples
    --------
    >>> store = SegmentStore("memory://example")
    >>> written = store.write(
    ...     pa.table({"bucket": [0, 60], "n": [1, 2]}), rollup_id="r", version=1, window=Window(0, 120_000_000)
    ... )
    >>> store.read(written.file, written.checksum, buckets=(60, 120)).to_pylist()
    [{'bucket': 60, 'n': 2}]
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self._url = str(url_or_path)
        try:
            fs, root = fsspec.url_to_fs(self._url)
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"the store cannot be opened: {error}", hint="give a folder or an fsspec URL"
            ) from error
        self._fs: Any = fs
        self._root: str = root.rstrip("/")
        self._is_local = isinstance(fs, LocalFileSystem)

    def __repr__(self) -> str:
        return f"SegmentStore({self._root!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._url,))

    def write(self, table: pa.Table, *, rollup_id: str, version: int, window: Window) -> SegmentFile:
        """Write a segment under a name that was never used before.

        Parameters
        ----------
        table
            First column ``bucket`` (int64 seconds, sorted, within the window), then any others.
        rollup_id, version, window
            Whose states they are; part of the name, for people.

        Returns
        -------
        SegmentFile
            What the catalog keeps.  The file is on disk, whole, when this returns.

        Raises
        ------
        StoreFullError
            There is no space left; nothing half-written stays.
        StoreReadOnlyError
            The folder cannot be written.
        StoreError
            The table is no segment of the window, or the store failed.
        """
        with self.draft(rollup_id=rollup_id, version=version, window=window) as draft:
            draft.add(table)
            return self.keep(draft)

    def draft(self, *, rollup_id: str, version: int, window: Window) -> Draft:
        """Begin a segment, under a name that was never used before; use it in a ``with``, or drop it.

        Parameters
        ----------
        rollup_id, version, window
            As for :meth:`write`.

        Raises
        ------
        StoreReadOnlyError
            The folder cannot be written.
        StoreError
            The store failed.
        """
        file = f"{rollup_id}/{version}/{_compact(window.start)}-{_compact(window.end)}-{uuid4().hex}.parquet"
        if self._is_local:
            with mapped(f"the segment {file}", writing=True):
                path = temporary_of(Path(self._path(file)))
        else:
            # An object comes to be with all of its bytes: they are gathered here.
            path = scratch(Path(file).name)
        return Draft(file, path, window)

    def keep(self, draft: Draft) -> SegmentFile:
        """Make a file of the store of a draft, whole and on disk; may be asked again where the store was away.

        Returns
        -------
        SegmentFile
            What the catalog keeps.

        Raises
        ------
        StoreFullError, StoreReadOnlyError
            It cannot be written; nothing half-written stays.
        StoreError
            The draft has no columns, somebody deleted it, or the store failed.
        """
        checksum = draft.end()

        def write() -> int:
            size = draft.size
            if self._is_local:
                into_place(draft.path, Path(self._path(draft.file)))
            else:
                self._fs.put_file(str(draft.path), self._path(draft.file))
            return size

        size = self._ask(f"the segment {draft.file}", write, writing=True)
        return SegmentFile(draft.file, draft.rows, size, checksum)

    def read(self, file: str, checksum: str | None = None, buckets: Buckets | None = None) -> pa.Table:
        """The states of a segment, verified.

        Parameters
        ----------
        file, checksum
            As the catalog has them; without a checksum the footer goes unverified.
        buckets
            Only rows whose bucket is at least the first and below the second, in seconds;
            row groups without any are not read.

        Raises
        ------
        SegmentMissingError
            The file is not there.
        SegmentDamagedError
            Its bytes are not those that were written.
        StoreError
            The store failed.
        """
        if not self._is_local:
            return self._read_object(file, checksum, buckets)
        with mapped(f"the segment {file}", writing=False), Path(self._path(file)).open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)

            def read(start: int, end: int) -> bytes:
                opened.seek(start)
                return opened.read(end - start)

            return decode(file, size, read, checksum=checksum, buckets=buckets)

    def _read_object(self, file: str, checksum: str | None, buckets: Buckets | None) -> pa.Table:
        """Each request of an object store takes milliseconds: one for a whole segment, three for a part of one."""
        path, what = self._path(file), f"the segment {file}"
        if buckets is None:
            data: bytes = self._ask(what, lambda: self._fs.cat_file(path))
            return decode(file, len(data), lambda start, end: data[start:end], checksum=checksum)
        size: int = self._ask(what, lambda: self._fs.size(path))

        def read(start: int, end: int) -> bytes:
            return self._ask(what, lambda: self._fs.cat_file(path, start=start, end=end))

        return decode(file, size, read, checksum=checksum, buckets=buckets)

    def raw(self, file: str) -> bytes:
        """The bytes of a file as they are.

        Raises
        ------
        SegmentMissingError
            The file is not there.
        StoreError
            The store failed.
        """
        return self._ask(f"the segment {file}", lambda: self._fs.cat_file(self._path(file)))

    def put(self, file: str, data: bytes) -> None:
        """Write a file under the name that it has in another store.

        Raises
        ------
        StoreFullError, StoreReadOnlyError
            It cannot be written; nothing half-written stays.
        StoreError
            The store failed.
        """

        def write() -> None:
            if self._is_local:
                write_whole(Path(self._path(file)), data)
            else:
                self._fs.pipe_file(self._path(file), data)

        self._ask(f"the segment {file}", write, writing=True)

    def span(self, file: str) -> Buckets:
        """The first and the last bucket of a segment, in seconds, from its footer alone.

        Raises
        ------
        SegmentMissingError
            The file is not there.
        SegmentDamagedError
            Its footer cannot be read.
        StoreError
            The store failed.
        """
        if self._is_local:
            with mapped(f"the segment {file}", writing=False), Path(self._path(file)).open("rb") as opened:
                return span(file, opened)
        what = f"the segment {file}"
        with self._ask(what, lambda: self._fs.open(self._path(file), "rb")) as opened:
            return self._ask(what, lambda: span(file, opened))

    def delete(self, files: Iterable[str]) -> int:
        """Delete files; those that are gone already are no error.

        Returns
        -------
        int
            How many there were.

        Raises
        ------
        StoreReadOnlyError
            The folder cannot be written.
        StoreError
            The store failed.
        """
        deleted = 0
        for file in files:
            remove = partial(self._fs.rm_file, self._path(file))
            with suppress(SegmentMissingError):
                self._ask(f"the segment {file}", remove, writing=True)
                deleted += 1
        return deleted

    def files(self) -> tuple[StoredFile, ...]:
        """All files of the store, by name; temporary ones of writers too.

        Raises
        ------
        StoreError
            The store failed.
        """

        def list_all() -> tuple[StoredFile, ...]:
            self._fs.invalidate_cache()
            found: dict[str, dict[str, Any]] = self._fs.find(self._root, detail=True)
            return tuple(self._stored(path, info) for path, info in sorted(found.items()))

        return self._ask("the store", list_all)

    def check(self, *, is_new: bool = True) -> None:
        """Make sure that the store answers.

        Parameters
        ----------
        is_new
            Whether nothing may have been written yet: then it need not be there.

        Raises
        ------
        StoreError
            It does not, is not there, or is no folder.
        """

        def look() -> str:
            self._fs.invalidate_cache()
            return self._fs.info(self._root)["type"]

        try:
            kind = self._ask("the store", look)
        except SegmentMissingError as error:
            if is_new:
                return
            raise StoreError(
                f"the store {self._root} is not there, though segments were written to it",
                hint="is its disk mounted, and its address right?",
            ) from error
        # In an object store a key and the keys below it are apart.
        if self._is_local and kind != "directory":
            raise StoreError(f"the store {self._root} is a {kind}, and has to be a folder")

    def _stored(self, path: str, info: dict[str, Any]) -> StoredFile:
        name = path.removeprefix(self._root).lstrip("/")
        # A listing of an object store says it; to ask once a file would be thousands of requests.
        told = info.get("LastModified") or info.get("last_modified") or info.get("updated")
        if isinstance(told, datetime):
            return StoredFile(name, info["size"] or 0, from_datetime(told))
        try:
            modified_us = from_datetime(self._fs.modified(path))
        except FileNotFoundError:  # renamed or deleted just now: as young as can be
            modified_us = 2**62
        return StoredFile(name, info["size"] or 0, modified_us)

    def _path(self, file: str) -> str:
        return f"{self._root}/{file}"

    def _ask(self, what: str, call: Callable[[], T], *, writing: bool = False) -> T:
        """Ask the file system for something; what it raises is an error of the tree."""
        with mapped(what, writing=writing, elsewhere=not self._is_local):
            try:
                return call()
            except (OSError, AggflowError):
                raise
            except Exception as error:
                # Each object store has a library with a tree of errors of its own.
                if self._is_local:
                    raise
                raise StoreUnavailableError(
                    f"{what} cannot be {done(writing=writing)}: {said(error)}",
                    hint="does the object store answer, and are its address and its keys right?",
                ) from error


def _compact(us: Micros) -> str:
    """An instant for a file's name."""
    return format_instant(us).replace("-", "").replace(":", "").replace("+", "")
