"""Lease: the right of one process to build a window of a rollup, for as long as it gives signs of life."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import leases, rollups
from aggflow.errors import LeaseLostError, NotFoundError
from aggflow.process import Process
from aggflow.timeline.instant import Micros
from aggflow.timeline.window import Window


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to build a window of a rollup.

    Attributes
    ----------
    holder
        Who builds, in words.
    host, pid, pid_started
        The process that holds it; its start in seconds since the epoch.
    token
        Raised with every lease of the rollup: a later one has the larger token.
    heartbeat_us, expires_us
        The last sign of life, and when it counts as dead without another.
    """

    id: str
    rollup_id: str
    window: Window
    holder: str
    host: str
    pid: int
    pid_started: float
    token: int
    heartbeat_us: Micros
    expires_us: Micros

    def is_live(self, now_us: Micros) -> bool:
        """Whether it has not expired, and its process, if it can be seen from here, is alive."""
        return now_us < self.expires_us and not Process(self.host, self.pid, self.pid_started).is_dead()


def _lease(row: sa.Row[Any]) -> Lease:
    return Lease(
        row.id,
        row.rollup_id,
        Window(row.start_us, row.end_us),
        row.holder,
        row.host,
        row.pid,
        row.pid_started,
        row.token,
        row.heartbeat_us,
        row.expires_us,
    )


_LEASES = sa.select(leases).where(leases.c.rollup_id == sa.bindparam("rollup_id")).order_by(leases.c.start_us)


def _is_held(lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(leases.c.id == lease.id, leases.c.token == lease.token)


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(
        f"the lease of {lease.holder} on {lease.window} is lost: another build took it over, or the "
        "definition changed",
        hint="build again",
    )


def check_lease(connection: sa.Connection, lease: Lease, window: Window) -> None:
    """Make sure, inside a transaction that has locked the rollup, that a lease is still held.

    Raises
    ------
    LeaseLostError
        Another process took it over, the rollup changed, or it does not hold the window.
    """
    # One that expired is good as long as nobody took it: the row is what counts.
    if connection.execute(sa.select(leases.c.id).where(_is_held(lease))).first() is None:
        raise _lost(lease)
    if window.start < lease.window.start or window.end > lease.window.end:
        raise LeaseLostError(f"{lease.holder} has a lease on {lease.window}, not on {window}")


class Leases(Database):
    """The part of a catalog that keeps two builds off one window."""

    def acquire_lease(
        self, rollup_id: str, window: Window, holder: str, now_us: Micros, ttl: float
    ) -> Lease | None:
        """Take the right to build a window, unless a live lease overlaps it.

        Leases that have expired, or whose process on this host is dead, are taken over.

        Parameters
        ----------
        rollup_id, window
            What is to be built.
        holder
            Who builds, in words.
        now_us
            The present instant, in microseconds.
        ttl
            Seconds for which it lives without a sign.

        Returns
        -------
        Lease or None
            None while another process builds in that window.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        process = Process.this()
        this = rollups.c.id == rollup_id
        with self._write() as connection:
            # Raising the token locks the rollup's row: two takers come one after the other.
            raised = rollups.update().where(this).values(last_token=rollups.c.last_token + 1)
            if connection.execute(raised).rowcount == 0:
                raise NotFoundError("rollup", rollup_id)
            token = connection.execute(sa.select(rollups.c.last_token).where(this)).scalar_one()
            overlapping = _LEASES.where(leases.c.start_us < window.end, leases.c.end_us > window.start)
            found = [_lease(row) for row in connection.execute(overlapping, {"rollup_id": rollup_id})]
            if any(lease.is_live(now_us) for lease in found):
                return None
            dead = [lease.id for lease in found]
            connection.execute(leases.delete().where(leases.c.id.in_(dead)))
            lease = Lease(
                str(uuid4()),
                rollup_id,
                window,
                holder,
                process.host,
                process.pid,
                process.started,
                token,
                now_us,
                now_us + round(ttl * 1_000_000),
            )
            connection.execute(
                leases.insert().values(
                    id=lease.id,
                    rollup_id=rollup_id,
                    start_us=window.start,
                    end_us=window.end,
                    holder=holder,
                    host=lease.host,
                    pid=lease.pid,
                    pid_started=lease.pid_started,
                    token=token,
                    heartbeat_us=lease.heartbeat_us,
                    expires_us=lease.expires_us,
                )
            )
            return lease

    def renew_lease(self, lease: Lease, now_us: Micros, ttl: float) -> Lease:
        """Give a sign of life.

        Parameters
        ----------
        lease
            The lease that is held.
        now_us
            The present instant, in microseconds.
        ttl
            Seconds for which it lives from now on.

        Raises
        ------
        LeaseLostError
            Another process took it over.
        """
        renewed = replace(lease, heartbeat_us=now_us, expires_us=now_us + round(ttl * 1_000_000))
        with self._write() as connection:
            values = {"heartbeat_us": renewed.heartbeat_us, "expires_us": renewed.expires_us}
            if connection.execute(leases.update().where(_is_held(lease)).values(values)).rowcount == 0:
                raise _lost(lease)
        return renewed

    def release_lease(self, lease: Lease) -> None:
        """Give a lease back; one that is lost already is no error."""
        with self._write() as connection:
            connection.execute(leases.delete().where(leases.c.id == lease.id))

    def live_leases(self, now_us: Micros) -> tuple[Lease, ...]:
        """The leases of all rollups whose holders are alive."""
        found = (_lease(row) for row in self._read(sa.select(leases)))
        return tuple(lease for lease in found if lease.is_live(now_us))

    def leases(self, rollup_id: str) -> tuple[Lease, ...]:
        """The leases of a rollup, dead ones too, by window."""
        return tuple(_lease(row) for row in self._read(_LEASES, rollup_id=rollup_id))
