from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import alembic.autogenerate
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from aggflow.catalog import Catalog, sqlite
from aggflow.catalog.errors import catalog_error
from aggflow.catalog.schema import FOLDER
from aggflow.catalog.tables import REVISION_TABLE, REVISIONS, metadata
from aggflow.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogReadOnlyError,
    CatalogVersionError,
)

REPOSITORY = Path(__file__).parents[3]


def run(code: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload] - options of Popen
    )


def output_of(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def test_is_made_with_its_folder_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "catalog.db"
    with Catalog.open(path) as catalog:
        catalog.workspace("shop")
    with Catalog.open(f"sqlite:///{path}", create=False) as catalog:
        assert [w.name for w in catalog.workspaces()] == ["shop"]


def test_a_relative_path_keeps_its_meaning_when_the_process_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Catalog.open("catalog.db") as catalog:
        monkeypatch.chdir(tmp_path / "elsewhere")
        catalog.workspace("shop")
    assert [p.name for p in tmp_path.glob("**/*.db")] == ["catalog.db"]


def test_is_not_made_unless_wanted(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no catalog"):
        Catalog.open(tmp_path / "none.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_is_no_catalog_unless_one_may_be_made(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with pytest.raises(CatalogError, match="no catalog"):
        Catalog.open(tmp_path / "empty.db", create=False)
    Catalog.open(tmp_path / "empty.db").close()


def test_the_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        engine = sa.create_engine(catalog.url)
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"version_table": REVISION_TABLE, "compare_type": True}
            )
            assert alembic.autogenerate.compare_metadata(context, metadata) == []
            text = connection.execute(
                sa.text("SELECT sql FROM sqlite_master WHERE name = 'coverage'")
            ).scalar()
        engine.dispose()
    assert "AUTOINCREMENT" in str(text)


def test_the_revisions_are_those_of_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_six_processes_may_make_one_at_once(tmp_path: Path) -> None:
    code = """if True:
        import sys
        from aggflow.catalog import Catalog
        print("ready", flush=True)
        sys.stdin.readline()
        with Catalog.open(sys.argv[1]) as catalog:
            print(catalog.workspace("shop").id, len(catalog.workspaces()))
    """
    processes = [run(code, tmp_path / "home" / "catalog.db", stdin=subprocess.PIPE) for _ in range(6)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert [output_of(process) for process in processes] == ["ws_shop 1"] * 6


def test_one_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    Catalog.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
    connection.close()
    with pytest.raises(CatalogVersionError, match="9999"):
        Catalog.open(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    content = b"these are my notes, not a database\n" * 100
    path.write_bytes(content)
    with pytest.raises(CatalogDamagedError):
        Catalog.open(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(CatalogDamagedError, match="no catalog"):
        Catalog.open(path)
    assert path.read_bytes() == content


def test_a_damaged_file_is_an_error_and_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with Catalog.open(path) as catalog:
        workspace = catalog.workspace("shop")
        for i in range(200):
            catalog.put_definition(workspace.id, "filter", f"f{i}", {"text": "x" * 500}, "h", "d", i)
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(CatalogDamagedError), Catalog.open(path) as catalog:
        catalog.list_definitions(workspace.id)


def test_a_read_only_one_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with Catalog.open(path) as catalog:
        workspace = catalog.workspace("shop")
        catalog.put_definition(workspace.id, "filter", "delays", {}, "h", "d", 1)
    with Catalog.open(f"sqlite:///file:{path}?mode=ro&uri=true") as catalog:
        assert catalog.get_definition(workspace.id, "filter", "delays") is not None
        with pytest.raises(CatalogReadOnlyError):
            catalog.put_definition(workspace.id, "filter", "delays", {}, "h2", "d", 1)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="must become another user")
@pytest.mark.parametrize("is_open_elsewhere", [False, True])
def test_a_user_who_may_only_read_reads(is_open_elsewhere: bool) -> None:
    code = """if True:
        import sys
        from aggflow.catalog import Catalog
        from aggflow.errors import CatalogReadOnlyError
        import os
        os.setgid(65534), os.setuid(65534)
        with Catalog.open(sys.argv[1]) as catalog:
            print(len(catalog.workspaces()), flush=True)
            sys.stdin.readline()
            print(len(catalog.workspaces()), flush=True)
            try:
                catalog.workspace("other")
            except CatalogReadOnlyError:
                print("read-only")
    """
    folder = Path(tempfile.mkdtemp())  # not below a folder that only this user may enter
    try:
        folder.chmod(0o755)
        catalog = Catalog.open(folder / "catalog.db")
        catalog.workspace("shop")
        if not is_open_elsewhere:
            catalog.close()
        process = run(code, folder / "catalog.db", stdin=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == "1\n", process.communicate()[1]
        catalog.workspace("second")  # a reader that saw nobody write sees it all the same
        assert process.communicate("\n", timeout=60)[0].split() == ["2", "read-only"]
        catalog.close()
    finally:
        shutil.rmtree(folder)


def test_a_lock_that_is_not_released_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        other = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogBusyError) as caught:
            catalog.workspace("shop")
        assert catalog.workspaces() == ()  # reading needs no lock
        other.execute("ROLLBACK")
        other.close()
        assert caught.value.retryable
        catalog.workspace("shop")


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "small.db")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE a (x)")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("CREATE TABLE b (x)")
    connection.close()
    error = catalog_error("sqlite:///small.db", caught.value)
    assert type(error) is CatalogError
    assert "full" in str(error)


def test_a_password_is_never_shown() -> None:
    for url in (
        "postgresql://me:hunter2@localhost:1/none",
        "postgresql://localhost:1/none?user=me&password=hunter2",
        "nosuchdatabase://me:hunter2@localhost/none",
        "postgresql://me:hunter2@localhost:notaport/none",
    ):
        with pytest.raises(CatalogError) as caught:
            Catalog.open(url)
        assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_one_in_memory_is_refused() -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(CatalogError, match="memory"):
            Catalog.open(url)


def test_pickles_as_its_url(catalog: Catalog) -> None:
    catalog.workspace("shop")
    with pickle.loads(pickle.dumps(catalog)) as other:  # noqa: S301 - pickled here
        assert other.workspaces() == catalog.workspaces()


def test_threads_share_it(catalog: Catalog, rollup: object) -> None:
    workspace = catalog.workspace("shop")

    def work(number: int) -> None:
        for i in range(20):
            catalog.put_definition(workspace.id, "task", f"{number}-{i}", {}, "h", "d", i)
            assert catalog.get_definition(workspace.id, "task", f"{number}-{i}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(catalog.list_definitions(workspace.id, "task")) == 160
    catalog.workspaces()


def test_threads_that_ended_leave_no_connection_open(catalog: Catalog) -> None:
    for _ in range(20):
        thread = threading.Thread(target=catalog.workspaces)
        thread.start()
        thread.join()
    assert len(catalog._engines().opened) <= 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_both_sides_of_a_fork_use_it(tmp_path: Path) -> None:
    code = """if True:
        import os, sys
        from aggflow.catalog import Catalog
        catalog = Catalog.open(sys.argv[1])
        workspace = catalog.workspace("shop")
        children = []
        for number in range(4):
            if (child := os.fork()) == 0:
                for i in range(20):
                    catalog.put_definition(workspace.id, "task", f"{number}-{i}", {}, "h", "d", i)
                    assert catalog.get_definition(workspace.id, "task", f"{number}-{i}")
                catalog.close()
                os._exit(0)
            children.append(child)
        for i in range(20):
            catalog.put_definition(workspace.id, "task", f"parent-{i}", {}, "h", "d", i)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        print(len(catalog.list_definitions(workspace.id)))
    """
    assert output_of(run(code, tmp_path / "catalog.db")) == "100"
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_reads_after_it_was_closed_open_anew(catalog: Catalog) -> None:
    catalog.workspace("shop")
    catalog.close()
    assert [w.name for w in catalog.workspaces()] == ["shop"]


CLOSED_WHILE_READING = """
import sys, threading
from aggflow.catalog import Catalog
from aggflow.errors import CatalogError

catalog = Catalog.open(sys.argv[1])
workspace = catalog.workspace("a").id
ended = threading.Event()
read = 0

def look():
    global read
    while not ended.is_set():
        try:
            catalog.definitions_generation(workspace)
            catalog.workspaces()
            read += 1
        except CatalogError:
            pass

threads = [threading.Thread(target=look) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(300):
    catalog.close()
ended.set()
for thread in threads:
    thread.join()
print("read", read > 0)
"""


def test_a_catalog_is_closed_while_other_threads_read(tmp_path: Path) -> None:
    """SQLite would end the process if a connection were closed below a read of another thread."""
    words = [sys.executable, "-X", "faulthandler", "-c", CLOSED_WHILE_READING, str(tmp_path / "c.db")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "read True\n"), done.stderr
