"""Previews: put off, replaced, stopped, and told as sentences; time and threads are the test's."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from aggflow.engine.wish import Wish
from aggflow.errors import CancelledError, SourceError
from aggflow.notebook.previewer import DEBOUNCE, Previewer, Shown

PATIENCE = 300.0  # seconds; machines that are shared take their time


def work(pace: Any, name: str, seconds: float = 0.0) -> Any:
    def made(_: Wish) -> Shown:
        pace.seconds += seconds
        return Shown(chart=name)

    return made


def charts(pace: Any) -> list[Any]:
    return [shown.chart for shown in pace.shown if shown.state == "done"]


def test_a_preview_waits_for_a_further_key(pace: Any) -> None:
    previewer = pace.previewer(lambda _: None)
    for name in ("a", "ab", "abc"):
        previewer.ask(work(pace, name))
        pace.wait(DEBOUNCE * 0.9)
    assert pace.work == []
    pace.wait(DEBOUNCE)
    pace.do()
    assert charts(pace) == ["abc"], "what went before it was never made"


def test_it_says_how_long_it_took_from_the_change_on(pace: Any) -> None:
    previewer = pace.previewer(lambda _: None)
    previewer.ask(work(pace, "a", seconds=0.2))
    pace.wait(DEBOUNCE)
    pace.do()
    assert pace.shown[-1].seconds == pytest.approx(DEBOUNCE + 0.2)


def test_what_is_superseded_is_stopped_and_not_shown(pace: Any) -> None:
    previewer = pace.previewer(lambda _: None)
    stopped: list[str] = []

    def slow(wish: Wish) -> Shown:
        with wish.stopping(lambda: stopped.append("slow")):
            # While it runs, somebody types on.
            previewer.ask(work(pace, "next"))
        return Shown(chart="slow")

    previewer.ask(slow)
    pace.wait(DEBOUNCE)
    pace.do()
    assert stopped == ["slow"]
    assert charts(pace) == []
    pace.wait(DEBOUNCE)
    pace.do()
    assert charts(pace) == ["next"]


def test_what_was_handed_to_a_thread_and_is_superseded_is_not_begun(pace: Any) -> None:
    previewer = pace.previewer(lambda _: None)
    begun: list[str] = []
    for name in ("first", "second"):
        previewer.ask(lambda _, name=name: begun.append(name) or Shown(chart=name))
        pace.wait(DEBOUNCE)
    pace.do()
    assert begun == ["second"]


def test_errors_are_sentences(pace: Any) -> None:
    previewer = pace.previewer(lambda _: None)

    def fails(_: Wish) -> Shown:
        raise SourceError("source 'orders': it is gone", hint="look for it")

    previewer.ask(fails)
    pace.wait(DEBOUNCE)
    pace.do()
    assert (pace.shown[-1].state, pace.shown[-1].text) == (
        "failed",
        "source 'orders': it is gone (look for it)",
    )

    def breaks(_: Wish) -> Shown:
        raise ZeroDivisionError("by zero")

    previewer.ask(breaks)
    pace.wait(DEBOUNCE)
    pace.do()
    assert "ZeroDivisionError: by zero" in pace.shown[-1].text


def test_an_exact_preview_begins_at_once_and_says_so(pace: Any) -> None:
    previewer = pace.previewer(lambda _: None)
    wishes: list[Wish] = []
    previewer.ask(lambda wish: wishes.append(wish) or Shown(exact=True), exact=True, delay=0)
    pace.wait(0)
    assert pace.shown[-1].state == "waiting"
    assert "every event" in pace.shown[-1].text
    pace.do()
    assert wishes[0].exact
    assert pace.shown[-1].exact


def test_a_stop_is_never_called_after_its_block() -> None:
    wish, stopped = Wish(), list[str]()
    with wish.stopping(lambda: stopped.append("late")):
        pass
    wish.withdraw()
    assert stopped == []
    with pytest.raises(CancelledError), wish.stopping(lambda: stopped.append("never")):
        pass


def test_threads_of_its_own_leave_the_asking_one_free() -> None:
    shown, may_end, begun = threading.Event(), threading.Event(), threading.Event()
    threads: list[int] = []

    def slow(_: Wish) -> Shown:
        begun.set()
        may_end.wait(PATIENCE)
        threads.append(threading.get_ident())
        return Shown(chart="made")

    previewer = Previewer(lambda one: shown.set() if one.chart else None)
    previewer.ask(slow)
    assert begun.wait(PATIENCE)
    assert not shown.is_set(), "the asking thread goes on while it is made"
    may_end.set()
    assert shown.wait(PATIENCE)
    assert threads != [threading.get_ident()]
    previewer.close()


def test_what_is_shown_last_is_what_was_asked_for_last(pace: Any) -> None:
    """A preview that is handed over just when the form becomes wrong does not stay there."""
    may_show, shows = threading.Event(), threading.Event()
    seen: list[Any] = []

    def show(shown: Shown) -> None:
        if shown.chart:
            shows.set()
            may_show.wait(PATIENCE)
        seen.append(shown.chart or shown.text)

    previewer = Previewer(show, executor=pace, later=pace.later)
    previewer.ask(work(pace, "old"))
    pace.wait(DEBOUNCE)
    maker = threading.Thread(target=pace.do)
    maker.start()
    assert shows.wait(PATIENCE)
    speaker = threading.Thread(target=lambda: previewer.say(Shown(text="wrong")))
    speaker.start()
    may_show.set()
    maker.join(PATIENCE)
    speaker.join(PATIENCE)
    assert seen[-1] == "wrong"
