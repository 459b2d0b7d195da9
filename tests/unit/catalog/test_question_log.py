from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from aggflow.catalog import Catalog, LoggedQuestion, Workspace
from aggflow.errors import NotFoundError

BY_CARRIER = LoggedQuestion("h1", {"groupings": ["carrier"]}, "flights", ((0, 60),), 1, 10, 100, 1000, 5)
BY_ORIGIN = LoggedQuestion("h2", {"groupings": ["origin"]}, "trains", ((-5, 9), (0, 9)), 2, 20, 200, 2000, 6)


def test_what_is_logged_is_added_up(catalog: Catalog, workspace: Workspace) -> None:
    catalog.log_questions(workspace.id, 7, [BY_CARRIER, BY_ORIGIN])
    catalog.log_questions(workspace.id, 7, [replace(BY_CARRIER, last_us=3)])
    catalog.log_questions(workspace.id, 8, [replace(BY_CARRIER, last_us=9, asked=5)])
    found = catalog.questions(workspace.id, 7)
    assert found == (
        LoggedQuestion("h1", {"groupings": ["carrier"]}, "flights", ((0, 60),), 7, 30, 300, 3000, 9),
        BY_ORIGIN,
    )


def test_an_earlier_last_time_does_not_win(catalog: Catalog, workspace: Workspace) -> None:
    for last_us in (9, 3, 12, 4):
        entry = replace(BY_CARRIER, last_us=last_us, windows=((0, last_us),))
        catalog.log_questions(workspace.id, 7 + last_us % 2, [entry])
    (found,) = catalog.questions(workspace.id, 7)
    assert (found.last_us, found.windows) == (12, ((0, 12),))


def test_only_those_since_a_day_of_a_source_of_a_workspace(catalog: Catalog, workspace: Workspace) -> None:
    catalog.log_questions(workspace.id, 7, [BY_CARRIER])
    catalog.log_questions(workspace.id, 8, [BY_CARRIER, BY_ORIGIN])
    catalog.log_questions(catalog.workspace("other").id, 8, [BY_CARRIER])
    assert catalog.questions(workspace.id, 8, "flights") == (BY_CARRIER,)
    assert catalog.questions(workspace.id, 9) == ()


def test_old_ones_are_forgotten(catalog: Catalog, workspace: Workspace) -> None:
    catalog.log_questions(workspace.id, 7, [BY_CARRIER, BY_ORIGIN])
    catalog.log_questions(workspace.id, 8, [BY_CARRIER])
    assert catalog.forget_questions(8) == 2
    assert catalog.questions(workspace.id, 0) == (BY_CARRIER,)


def test_threads_log_at_once(catalog: Catalog, workspace: Workspace) -> None:
    def log(number: int) -> None:
        entries = [BY_CARRIER, BY_ORIGIN]
        catalog.log_questions(workspace.id, 7, entries if number % 2 else reversed(entries))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(log, range(12)))
    assert [entry.asked for entry in catalog.questions(workspace.id, 7)] == [24, 12]


def test_an_unknown_workspace_is_an_error(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError):
        catalog.log_questions("ws_none", 7, [BY_CARRIER])
