from __future__ import annotations

import os

import pytest
import sqlalchemy as sa
from partner import Partner

from aggflow.catalog import Catalog, Lease, Rollup
from aggflow.catalog.tables import leases
from aggflow.errors import LeaseLostError, NotFoundError
from aggflow.timeline import ALWAYS, Window

SECOND = 1_000_000
HOUR = Window(0, 3600 * SECOND)
TAKE = """if True:
    import os, sys
    from aggflow.catalog import Catalog
    from aggflow.timeline import Window
    catalog = Catalog.open(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    lease = catalog.acquire_lease(sys.argv[2], Window(0, 3600_000_000), "another process", 0, 30)
    print(lease is not None, flush=True)
    sys.stdin.readline()
    os._exit(1)  # as if killed: nothing is given back
"""


def taker(catalog: Catalog, rollup: Rollup) -> Partner:
    partner = Partner(TAKE, catalog.url.render_as_string(hide_password=False), rollup.id)
    assert partner.line() == "ready"
    return partner


def take(catalog: Catalog, rollup: Rollup, window: Window = HOUR, now_us: int = 0) -> Lease | None:
    return catalog.acquire_lease(rollup.id, window, "me", now_us, 30)


def alter(catalog: Catalog, lease: Lease, **values: object) -> None:
    engine = sa.create_engine(catalog.url)
    with engine.begin() as connection:
        connection.execute(leases.update().where(leases.c.id == lease.id).values(values))
    engine.dispose()


def test_a_lease_says_who_holds_what(catalog: Catalog, rollup: Rollup) -> None:
    lease = take(catalog, rollup, now_us=5)
    assert lease
    assert (lease.rollup_id, lease.window, lease.holder, lease.pid) == (rollup.id, HOUR, "me", os.getpid())
    assert (lease.heartbeat_us, lease.expires_us) == (5, 5 + 30 * SECOND)
    assert catalog.leases(rollup.id) == (lease,)


@pytest.mark.parametrize(
    "window", [HOUR, Window(-5, 1), Window(3600 * SECOND - 1, 2**60), ALWAYS, Window(5, 6)]
)
def test_an_overlapping_one_is_refused_while_the_first_lives(
    catalog: Catalog, rollup: Rollup, window: Window
) -> None:
    first = take(catalog, rollup)
    assert take(catalog, rollup, window, now_us=30 * SECOND - 1) is None
    assert catalog.leases(rollup.id) == (first,)


def test_disjoint_ones_run_side_by_side(catalog: Catalog, rollup: Rollup) -> None:
    held = [take(catalog, rollup, Window(i, i + 10)) for i in range(0, 50, 10)]
    assert list(catalog.leases(rollup.id)) == held
    tokens = [lease.token for lease in held if lease]
    assert tokens == sorted(set(tokens))


def test_rollups_are_leased_apart(catalog: Catalog, rollup: Rollup) -> None:
    other = catalog.create_rollup(rollup.workspace_id, "filter", rollup.owner_id, "b", "flights", {}, "h")
    assert take(catalog, rollup)
    assert take(catalog, other)


def test_an_expired_one_is_taken_over(catalog: Catalog, rollup: Rollup) -> None:
    first = take(catalog, rollup)
    second = take(catalog, rollup, Window(5, 6), now_us=30 * SECOND)
    assert first
    assert second
    assert second.token > first.token
    assert catalog.leases(rollup.id) == (second,)
    with pytest.raises(LeaseLostError):
        catalog.renew_lease(first, 31 * SECOND, 30)


def test_renewing_keeps_it_alive(catalog: Catalog, rollup: Rollup) -> None:
    lease = take(catalog, rollup)
    assert lease
    renewed = catalog.renew_lease(lease, 20 * SECOND, 30)
    assert (renewed.heartbeat_us, renewed.expires_us) == (20 * SECOND, 50 * SECOND)
    assert catalog.leases(rollup.id) == (renewed,)
    assert take(catalog, rollup, now_us=49 * SECOND) is None
    assert take(catalog, rollup, now_us=50 * SECOND)


def test_renewing_after_it_expired_is_fine_while_nobody_took_it(catalog: Catalog, rollup: Rollup) -> None:
    lease = take(catalog, rollup)
    assert lease
    catalog.renew_lease(lease, 99 * SECOND, 30)
    assert take(catalog, rollup, now_us=100 * SECOND) is None


def test_a_released_one_is_free(catalog: Catalog, rollup: Rollup) -> None:
    lease = take(catalog, rollup)
    assert lease
    catalog.release_lease(lease)
    catalog.release_lease(lease)
    assert take(catalog, rollup)


def test_a_late_release_takes_nothing_from_the_next(catalog: Catalog, rollup: Rollup) -> None:
    first = take(catalog, rollup)
    second = take(catalog, rollup, now_us=40 * SECOND)
    assert first
    catalog.release_lease(first)
    assert catalog.leases(rollup.id) == (second,)


def test_that_of_another_process_is_respected_until_it_dies(catalog: Catalog, rollup: Rollup) -> None:
    partner = taker(catalog, rollup)
    partner.go_on()
    assert partner.line() == "True"
    assert take(catalog, rollup) is None
    partner.kill()
    assert take(catalog, rollup), "its process is dead: no need to wait until it expires"
    partner.end()


def test_a_dead_process_that_nobody_waited_for_counts_as_dead(catalog: Catalog, rollup: Rollup) -> None:
    partner = taker(catalog, rollup)
    partner.go_on()
    assert partner.line() == "True"
    partner.go_on()
    assert partner.line() == ""  # it has ended, and is a zombie until it is waited for
    assert take(catalog, rollup)
    partner.end()


def test_only_one_of_several_processes_gets_it(catalog: Catalog, rollup: Rollup) -> None:
    partners = [taker(catalog, rollup) for _ in range(4)]
    for partner in partners:
        partner.go_on()
    got = [partner.line() for partner in partners]
    for partner in partners:
        partner.end()
    assert sorted(got) == ["False", "False", "False", "True"]


def test_a_pid_that_came_again_is_another_process(catalog: Catalog, rollup: Rollup) -> None:
    lease = take(catalog, rollup)
    assert lease
    alter(catalog, lease, pid_started=lease.pid_started - 60)
    assert take(catalog, rollup)


def test_a_process_of_another_host_cannot_be_seen(catalog: Catalog, rollup: Rollup) -> None:
    lease = take(catalog, rollup)
    assert lease
    alter(catalog, lease, host="elsewhere", pid=2**22 + 1)
    assert take(catalog, rollup, now_us=30 * SECOND - 1) is None
    assert take(catalog, rollup, now_us=30 * SECOND)


def test_an_unknown_rollup_is_an_error(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError):
        catalog.acquire_lease("none", HOUR, "me", 0, 30)
