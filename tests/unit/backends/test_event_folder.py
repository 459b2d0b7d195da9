from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggflow.backends.event_folder import ARRIVED, EVENT, TIME, Event, EventFolder

DAY = 86_400_000_000


def event(number: int, event_id: str | None = None) -> Event:
    return Event(number * 1_000_000, json.dumps({"n": number}), event_id)


def numbers(folder: EventFolder) -> list[int]:
    """The events that a reader sees, in order."""
    found = folder.snapshot()
    tables = [*(pq.read_table(file) for file in found.files), found.newest]
    texts = [text for table in tables for text in table[EVENT].to_pylist()]
    return sorted(json.loads(text)["n"] for text in texts)


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e")
    assert folder.is_empty
    assert folder.snapshot().newest.num_rows == 0
    assert not folder.path.exists()
    told = folder.append([event(1), event(2)], 5 * DAY)
    assert (told.accepted, told.duplicates, told.arrived_us) == (2, 0, 5 * DAY)
    (row, _) = folder.snapshot().newest.to_pylist()
    assert row[TIME].second == 1
    assert row[ARRIVED].day == 6
    assert not folder.is_empty


def test_an_event_without_a_time_happens_when_it_arrives(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e")
    folder.append([Event(None, "{}")], DAY)
    (row,) = folder.snapshot().newest.to_pylist()
    assert row[TIME] == row[ARRIVED]


def test_many_events_become_files_and_none_is_seen_twice(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=10)
    for start in range(0, 95, 4):
        folder.append([event(n) for n in range(start, start + 4)], DAY)
        assert numbers(folder) == list(range(start + 4))
    found = folder.snapshot()
    assert len(found.files) == 8
    assert found.newest.num_rows == 0
    for file in found.files:
        times: pa.ChunkedArray = pq.read_table(file)[TIME]
        assert times.to_pylist() == sorted(times.to_pylist())


def test_an_event_that_comes_again_is_left_out(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=3)
    assert folder.append([event(1, "a"), event(2, "b"), event(3, "a")], DAY).duplicates == 1
    told = folder.append([event(1, "a"), event(4, "c"), event(5), event(5)], DAY)
    assert (told.accepted, told.duplicates) == (3, 1)
    assert numbers(folder) == [1, 2, 4, 5, 5]
    assert folder.append([event(1, "a")], DAY).accepted == 0
    assert numbers(folder) == [1, 2, 4, 5, 5]


def test_a_later_request_arrives_later_whatever_the_clock_says(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=2)
    arrivals = [folder.append([event(n)], now).arrived_us for n, now in enumerate((DAY, DAY, 5, DAY + 9))]
    assert arrivals == [DAY, DAY + 1, DAY + 2, DAY + 9]


def test_all_events_of_a_request_or_none(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e")
    folder.append([event(1, "a")], DAY)
    wrong: Any = Event(1, None, "b")  # type: ignore[arg-type] - wrong on purpose
    with pytest.raises((TypeError, sqlite3.Error)):
        folder.append([event(2, "c"), wrong], DAY)
    assert numbers(folder) == [1]
    # Nothing is known of what was not kept.
    assert folder.append([event(2, "c"), event(3, "b")], DAY).accepted == 2


def test_files_of_requests_that_were_cut_off_are_forgotten(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=1)
    folder.append([event(1)], DAY)
    old, new = folder.path / "old.parquet", folder.path / "new.parquet"
    for file in (old, new):
        file.write_bytes(b"half")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    assert numbers(folder) == [1]
    folder.append([event(2)], DAY)
    assert (old.exists(), new.exists()) == (False, True)
    assert numbers(folder) == [1, 2]


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=1)
    folder.remove()
    folder.append([event(1, "a")], DAY)
    folder.remove()
    assert list(tmp_path.iterdir()) == []
    assert folder.append([event(1, "a")], DAY).accepted == 1


APPENDING = """
import sys
from pathlib import Path
from aggflow.backends.event_folder import Event, EventFolder
folder, first = EventFolder(Path(sys.argv[1]), most_rows=25), int(sys.argv[2])
for n in range(first, first + 100, 2):
    folder.append([Event(n, '{"n": %d}' % n, f"e{n}"), Event(n, '{"n": %d}' % (n + 1), f"e{n + 1}")], n)
"""


@pytest.mark.slow
def test_many_processes_append_while_one_reads(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e")
    # The first two send the same events.
    writers = [
        subprocess.Popen([sys.executable, "-c", APPENDING, str(folder.path), str(first)])
        for first in (0, 0, 100, 200)
    ]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        found = numbers(folder)
        assert len(found) == len(set(found)) >= seen
        # A request has two events.
        assert len(found) % 2 == 0
        seen = len(found)
    assert [writer.returncode for writer in writers] == [0] * 4
    assert numbers(folder) == list(range(300))


def test_threads_append_as_well(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=7)

    def work(first: int) -> None:
        for n in range(first, first + 10):
            folder.append([event(n)], DAY)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(folder) == list(range(30))


KILLED = """
import os, sys
from pathlib import Path
import pyarrow.parquet as pq
from aggflow.backends import event_folder
from aggflow.backends.event_folder import Event, EventFolder
write = event_folder.pq.write_table
def die(*args, **kwargs):
    write(*args, **kwargs)
    os._exit(9)
event_folder.pq.write_table = die
EventFolder(Path(sys.argv[1]), most_rows=2).append([Event(3, '{"n": 3}', "c"), Event(4, '{"n": 4}', "d")], 5)
"""


def test_killed_while_a_file_is_written_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    folder = EventFolder(tmp_path / "e", most_rows=100)
    folder.append([event(1, "a")], DAY)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder.path)], check=False)
    assert done.returncode == 9
    assert numbers(folder) == [1]
    again = EventFolder(folder.path, most_rows=2)
    assert again.append([event(3, "c"), event(4, "d")], DAY).accepted == 2
    assert numbers(again) == [1, 3, 4]
