from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aggflow.catalog import Catalog, Definition, ScheduleState, Workspace
from aggflow.errors import NotFoundError


@pytest.fixture
def schedule(catalog: Catalog, workspace: Workspace) -> Definition:
    return catalog.put_definition(workspace.id, "schedule", "nightly", {}, "h", "d", 1)


def test_there_is_none_until_it_is_noted(
    catalog: Catalog, workspace: Workspace, schedule: Definition
) -> None:
    assert catalog.schedule_state(schedule.id) is None
    assert catalog.schedule_states(workspace.id) == ()


def test_what_is_noted_is_found_and_none_leaves_it(catalog: Catalog, schedule: Definition) -> None:
    first = catalog.put_schedule_state(schedule.id, 5, prefect_id="p")
    assert first == ScheduleState(schedule.id, False, "p", 5, None)
    catalog.put_schedule_state(schedule.id, 6, paused=True, fired_us=100)
    last = catalog.put_schedule_state(schedule.id, 7)
    assert last == ScheduleState(schedule.id, True, "p", 7, 100) == catalog.schedule_state(schedule.id)
    assert not catalog.put_schedule_state(schedule.id, 8, paused=False).paused


def test_the_latest_time_stays(catalog: Catalog, schedule: Definition) -> None:
    for fired_us in (100, 50):
        state = catalog.put_schedule_state(schedule.id, 5, fired_us=fired_us)
        assert state.fired_us == 100


def test_they_are_listed_by_name_each_in_its_workspace(
    catalog: Catalog, workspace: Workspace, schedule: Definition
) -> None:
    early = catalog.put_definition(workspace.id, "schedule", "early", {}, "h", "d", 1)
    other = catalog.put_definition(catalog.workspace("other").id, "schedule", "x", {}, "h", "d", 1)
    for definition in (schedule, other, early):
        catalog.put_schedule_state(definition.id, 5)
    found = catalog.schedule_states(workspace.id)
    assert [state.definition_id for state in found] == [early.id, schedule.id]


def test_goes_with_its_definition(catalog: Catalog, workspace: Workspace, schedule: Definition) -> None:
    catalog.put_schedule_state(schedule.id, 5)
    catalog.remove_definition(workspace.id, "schedule", "nightly", 6)
    assert catalog.schedule_state(schedule.id) is None
    with pytest.raises(NotFoundError):
        catalog.put_schedule_state(schedule.id, 7)


def test_threads_note_at_once(catalog: Catalog, schedule: Definition) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: catalog.put_schedule_state(schedule.id, i, fired_us=i), range(12)))
    state = catalog.schedule_state(schedule.id)
    assert state
    assert state.fired_us == 11
