from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggflow.catalog import Catalog, LoggedQuestion
from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.explanation import Explanation
from aggflow.engine.plan import Need
from aggflow.engine.question import Asked, Question
from aggflow.engine.question_log import DAY_US, KEPT_DAYS, QuestionLog
from aggflow.errors import CatalogBusyError, CatalogReadOnlyError
from aggflow.measures.registry import StateKey
from aggflow.spec.calculation import Calculation
from aggflow.timeline import UTC, Interval, Window, WindowSet, Zone

COUNT = StateKey("count", "", "", ())
DELAY = StateKey("total", "delay", "@.origin == 'JFK'", ("carrier",))
NOW = 20_000 * DAY_US + 5


MINUTE = Window(0, 60)


def need(window: Window = MINUTE, **options: object) -> Need:
    asked = Asked("n", COUNT, Calculation.COUNT, None, window)
    question = Question(fields=(asked,), groupings={"c": "carrier"}, filters={"origin": ("JFK",)})
    whole = Need("flights", "@.origin != 'LGA' && @.dest == 'SFO'", (DELAY, COUNT), question, cuts=True)
    return replace(whole, **options)


def took(cells: int = 10, rows: int = 100, milliseconds: float = 1.5) -> Explanation:
    return Explanation("r", lambda: (), WindowSet(), WindowSet(), 1, cells, rows, (), None, milliseconds, 0.0)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    opened = Catalog.open(tmp_path / "catalog.db")
    opened.workspace("shop")
    return opened


def log_of(catalog: Catalog, clock: Callable[[], int] = lambda: NOW, seconds: float = 3600) -> QuestionLog:
    return QuestionLog(catalog, "ws_shop", clock, seconds)


def written(catalog: Catalog, since_day: int = 0) -> tuple[LoggedQuestion, ...]:
    return catalog.questions("ws_shop", since_day)


def test_answers_of_one_shape_are_added_up(catalog: Catalog) -> None:
    log = log_of(catalog)
    log.note("flights", need(), took())
    log.note("flights", need(Window(60, 120)), took(20, 200, 2.5))
    assert written(catalog) == (), "an answer writes nothing"
    log.flush()
    (entry,) = written(catalog)
    assert (entry.source, entry.asked, entry.rows_read, entry.source_rows) == ("flights", 2, 30, 300)
    assert (entry.microseconds, entry.last_us, entry.windows) == (4000, NOW, ((60, 120),))
    assert written(catalog, 20_000) == (entry,)
    assert written(catalog, 20_001) == ()


def test_shapes_are_told_apart_by_all_but_time_and_values(catalog: Catalog) -> None:
    log = log_of(catalog)
    question = need().question
    same = [
        need(Window(5, 6)),
        need(question=replace(question, filters={"origin": ("EWR", "LGA")}, limit=3)),
        need(question=replace(question, groupings={"other name": "carrier"})),
        need(keys=(COUNT, DELAY._replace(groupings=()))),
    ]
    others = [
        need(source="trains"),
        need(where=""),
        need(cuts=False),
        need(keys=(COUNT,)),
        need(question=replace(question, groupings={})),
        need(question=replace(question, filters={})),
        need(question=replace(question, series=Interval.of("1d"))),
        need(question=replace(question, series=Interval.of("1d"), zone=Zone.of("Asia/Tokyo"))),
    ]
    for one in [need(), *same, *others]:
        log.note("flights", one, took())
    log.note("trains", need(), took())
    log.flush()
    assert [entry.asked for entry in written(catalog)] == [5, *[1] * 9]


def test_a_shape_is_the_same_from_json() -> None:
    shape = AskedShape.of("flights", need(plain=frozenset({"dest", "tail"})))
    again = AskedShape.from_plain(shape.to_plain())
    assert again.digest == shape.digest
    assert again.to_plain() == shape.to_plain()
    assert again.plain == {"dest"}, "only what the predicate is about matters"
    assert (again.series, again.zone, again.where) == (None, UTC, shape.where)
    assert again.paths == {"carrier", "origin"}
    assert again.where_paths == ("dest", "origin")
    assert again.need().question.paths == {"carrier", "origin"}
    assert again.need().cuts


def test_a_shape_reads_as_a_sentence() -> None:
    question = replace(need().question, series=Interval.of("1d"))
    shape = AskedShape.of("flights", need(where="@.dest == 'SFO'", question=question))
    assert str(shape) == "flights by carrier every 1d of chosen origin where @.dest == 'SFO'"
    assert str(AskedShape.of("flights", need(where="", question=Question(())))) == "flights"


def test_it_is_written_by_itself_a_while_after_the_first(catalog: Catalog) -> None:
    log = log_of(catalog, seconds=0.05)
    for _ in range(2):
        log.note("flights", need(), took())
        threads = [t for t in threading.enumerate() if t.name == "aggflow-questions"]
        assert all(thread.daemon for thread in threads)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and log._taken:
            time.sleep(0.01)
        for thread in threads:
            thread.join()
    assert written(catalog)[0].asked == 2


def test_closing_writes_and_ends_it(catalog: Catalog) -> None:
    log = log_of(catalog)
    log.note("flights", need(), took())
    log.close()
    log.note("flights", need(), took())
    log.flush()
    assert written(catalog)[0].asked == 1


def test_days_are_kept_apart_and_forgotten_after_a_while(catalog: Catalog) -> None:
    now = [0]
    log = log_of(catalog, lambda: now[0])
    log.note("flights", need(), took())
    log.flush()
    now[0] = KEPT_DAYS * DAY_US
    log.note("flights", need(), took())
    now[0] += DAY_US
    log.note("flights", need(), took())
    log.flush()
    assert [entry.asked for entry in written(catalog)] == [2], "the first day is over a year old"
    assert [entry.asked for entry in written(catalog, KEPT_DAYS + 1)] == [1]


def test_threads_note_at_once(catalog: Catalog) -> None:
    log = log_of(catalog, seconds=0.001)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: log.note("flights", need(), took()), range(400)))
    log.close()
    assert written(catalog)[0].asked == 400


def test_who_closes_it_waits_for_what_another_thread_writes(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, writes, may_write, write = (
        log_of(catalog),
        threading.Event(),
        threading.Event(),
        catalog.log_questions,
    )

    def slow(*given: Any) -> None:
        writes.set()
        may_write.wait()
        write(*given)

    monkeypatch.setattr(catalog, "log_questions", slow)
    log.note("flights", need(), took())
    threads = [threading.Thread(target=log.flush), threading.Thread(target=log.close)]
    threads[0].start()
    writes.wait()
    threads[1].start()
    threads[1].join(0.3)
    assert threads[1].is_alive()
    may_write.set()
    for thread in threads:
        thread.join()
    assert written(catalog)[0].asked == 1


def test_a_busy_catalog_is_tried_again(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(catalog)
    log.note("flights", need(), took())

    def busy(*_: object) -> None:
        raise CatalogBusyError("locked")

    with monkeypatch.context() as patch:
        patch.setattr(catalog, "log_questions", busy)
        log.flush()
    log.note("flights", need(), took())
    log.flush()
    assert written(catalog)[0].asked == 2


def test_one_that_cannot_be_written_is_given_up(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(catalog)
    log.note("flights", need(), took())
    calls: list[object] = []

    def refuse(*arguments: object) -> None:
        calls.append(arguments)
        raise CatalogReadOnlyError("read-only")

    monkeypatch.setattr(catalog, "log_questions", refuse)
    for _ in range(3):
        log.flush()
        log.note("flights", need(), took())
    assert len(calls) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_writes_its_own_and_only_that(catalog: Catalog) -> None:
    log = log_of(catalog)
    log.note("flights", need(), took())
    log._lock.acquire()  # as if another thread were noting just now
    if (child := os.fork()) == 0:
        log.note("flights", need(), took())
        log.flush()
        os._exit(0)
    log._lock.release()
    assert os.waitpid(child, 0)[1] == 0
    assert written(catalog)[0].asked == 1
    log.flush()
    assert written(catalog)[0].asked == 2
