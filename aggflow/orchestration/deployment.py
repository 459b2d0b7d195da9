"""A deployment: a flow of aggflow with the workspace that it works in, as Prefect knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aggflow import __version__
from aggflow.orchestration.apart import apart

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.deployments.runner import RunnerDeployment

SERVED: Final = ("build_cube", "run_tasks", "backfill", "verify", "maintain")
"""The flows that `aggflow up` serves; it reconciles by itself."""
POOLED: Final = (*SERVED, "reconcile")
"""The flows of a work pool, where nobody else reconciles."""
# More than one run of these at a time does nothing that one would not do.
_ALONE: Final = ("run_tasks", "maintain", "reconcile")
_SHORT: Final = 6

Apply = Callable[["RunnerDeployment"], UUID]


def flow_named(name: str) -> Flow[..., Any]:
    """The flow of a module in ``aggflow.flows``."""
    return getattr(import_module(f"aggflow.flows.{name}"), name)


@dataclass(frozen=True)
class Deployments:
    """The deployments of one workspace.

    Attributes
    ----------
    workspace, home_id
        Whose: together they name the deployments, so that many homes share one Prefect.
    home
        What flows are told of the home; None for the ``AGGFLOW_HOME`` of who runs them.
    flows
        Which flows.
    pool
        The work pool whose workers run them; None where `aggflow up` does.
    """

    workspace: str
    home_id: str
    home: str | None
    flows: tuple[str, ...] = SERVED
    pool: str | None = None

    @property
    def name(self) -> str:
        """What each of them is called, after its flow.

        Examples
        --------
        >>> Deployments("self", "3f9a2c71-8d0e-4b7a-9f55-2f1c1f6f7c11", None).name
        'self-3f9a2c'
        """
        return f"{self.workspace}-{self.home_id[:_SHORT]}"

    def full_name(self, flow: str) -> str:
        """What one of them is called, with its flow.

        Examples
        --------
        >>> Deployments("self", "3f9a2c71-8d0e-4b7a-9f55-2f1c1f6f7c11", None).full_name("build_cube")
        'build-cube/self-3f9a2c'
        """
        return f"{flow.replace('_', '-')}/{self.name}"

    def made(self, flow: str) -> RunnerDeployment:
        """One of them, as it is given to Prefect; its schedules are not part of it."""
        from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
        from prefect.types.entrypoint import EntrypointType

        alone = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        make = partial(
            flow_named(flow).to_deployment,
            self.name,
            parameters={"home": self.home, "workspace": self.workspace},
            tags=["aggflow", self.workspace],
            version=__version__,
            concurrency_limit=alone if flow in _ALONE else None,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        made: Any = apart(make)
        # Said even where it is none: a deployment that was of a pool before is not left there.
        made.work_pool_name = self.pool
        made.work_queue_name = None
        return made

    def ensure(self, client: SyncPrefectClient, apply: Apply) -> dict[str, DeploymentResponse]:
        """The deployments by flow, as Prefect has them; those that are missing are registered.

        Parameters
        ----------
        client
            Of Prefect.
        apply
            Registers one.
        """
        found = self.known(client)
        for flow in self.flows:
            if flow not in found:
                found[flow] = client.read_deployment(apply(self.made(flow)))
        return found

    def known(self, client: SyncPrefectClient) -> dict[str, DeploymentResponse]:
        """The deployments that Prefect has, by flow."""
        from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

        ours = DeploymentFilter(name=DeploymentFilterName(any_=[self.name]))
        by_entrypoint: Mapping[str | None, DeploymentResponse] = {
            deployment.entrypoint: deployment
            for deployment in client.read_deployments(deployment_filter=ours)
        }
        entrypoints = {flow: f"aggflow.flows.{flow}.{flow}" for flow in self.flows}
        return {
            flow: by_entrypoint[entrypoint]
            for flow, entrypoint in entrypoints.items()
            if entrypoint in by_entrypoint
        }
