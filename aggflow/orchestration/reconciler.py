"""A reconciler: makes Prefect what the catalog says, and notes in the catalog what users did at Prefect.

A pass can be run any number of times, by any number of processes: it looks at both sides and does what is
still to be done.  What it could not do stays in the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aggflow.errors import AggflowError
from aggflow.figure import counted
from aggflow.orchestration import fire, prefect_schedule
from aggflow.orchestration.batch_run import submit_batches
from aggflow.orchestration.deployment import Apply, Deployments
from aggflow.orchestration.limit import make_limits
from aggflow.orchestration.reach import reached
from aggflow.orchestration.task_runs import submit_tasks
from aggflow.timeline import to_datetime

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import DeploymentSchedule
    from prefect.client.schemas.responses import DeploymentResponse

    from aggflow.catalog import Dispatch
    from aggflow.workspace import Workspace

TASKS_EVERY: Final = 60.0
"""Seconds between two runs of tasks."""
RECONCILE_EVERY: Final = 60.0
"""Seconds between two passes, on a work pool."""
_MAINTAIN_AT: Final = (3, 17)


@dataclass(frozen=True)
class Reconciler:
    """Passes over one workspace.

    Attributes
    ----------
    ws
        The workspace.
    deployments
        How its flows are deployed.
    apply
        Registers a deployment that is missing.
    tasks_every
        Seconds between two runs of tasks.
    """

    ws: Workspace
    deployments: Deployments
    apply: Apply
    tasks_every: float = TASKS_EVERY

    def run(self) -> list[str]:
        """One pass; what was done, in words.

        Raises
        ------
        OrchestrationError
            Prefect is away or refuses; what was to be done stays to be done.
        """
        told = self.ws.dispatches()
        try:
            with reached() as client:
                return self._pass(client, told)
        except AggflowError as error:
            for dispatch in told:
                self.ws.dispatch_failed(dispatch, str(error))
            raise

    def _pass(self, client: SyncPrefectClient, told: Sequence[Dispatch]) -> list[str]:
        there = self.deployments.ensure(client, self.apply)
        done = [f"limit {name} is made" for name in make_limits(client, self.ws.backends())]
        done += self._own_schedules(client, there)
        done += self._cubes(client, there)
        done += [f"batch {batch.id} is closed: its process died" for batch in self.ws.close_dead_batches()]
        done += submit_batches(self.ws, client, there["build_cube"])
        done += submit_tasks(self.ws, client, there["run_tasks"], told)
        for dispatch in told:
            # Those of batches and tasks are settled where what they tell of is begun.
            if dispatch.kind == "schedules":
                self.ws.dispatched(dispatch)
        return done

    def _own_schedules(self, client: SyncPrefectClient, there: Mapping[str, DeploymentResponse]) -> list[str]:
        """The schedules of flows that run by themselves."""
        own = {
            "run_tasks": prefect_schedule.every("run-tasks", self.tasks_every),
            "reconcile": prefect_schedule.every("reconcile", RECONCILE_EVERY),
            "maintain": prefect_schedule.daily("maintain", *_MAINTAIN_AT),
        }
        return [
            what
            for flow, wanted in own.items()
            if flow in there
            for what in prefect_schedule.settle(client, there[flow], [wanted], ())[1]
        ]

    def _cubes(self, client: SyncPrefectClient, there: Mapping[str, DeploymentResponse]) -> list[str]:
        """The schedules of cubes, and their fires."""
        deployment, now = there["build_cube"], to_datetime(self.ws.now_us())
        stored = dict(self.ws.schedules.items())
        wanted = [
            prefect_schedule.of_cube(job_id, one.spec, paused=one.paused) for job_id, one in stored.items()
        ]
        # A job id is a UUID, and nobody else gives a schedule such a slug.
        ours = [one.slug for one in deployment.schedules if one.slug and _is_uuid(one.slug)]
        known, done = prefect_schedule.settle(client, deployment, wanted, ours)
        self._note(stored, known, paused=deployment.paused)
        skipped = fire.skip_late(client, there.values(), now)
        specs = {known[job_id].id: one.spec for job_id, one in stored.items()}
        wrong = fire.skip_wrong(client, deployment, specs, now)
        if skipped:
            done.append(f"{counted(skipped, 'late run')} skipped, the newest of each schedule kept")
        if wrong:
            done.append(f"{counted(wrong, 'run')} skipped: the clock is set at that time")
        return done + fire.catch_up(self.ws, client, deployment, dict(self.ws.schedules.items()))

    def _note(
        self, stored: Mapping[str, Any], known: Mapping[str, DeploymentSchedule], *, paused: bool
    ) -> None:
        """Note what Prefect calls each schedule, and whether it is paused there."""
        for job_id, one in stored.items():
            found = known[job_id]
            is_paused, prefect_id = paused or not found.active, str(found.id)
            if (one.paused, one.prefect_id) != (is_paused, prefect_id):
                self.ws.note_schedule(job_id, paused=is_paused, prefect_id=prefect_id)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
