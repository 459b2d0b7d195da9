"""A call that is made apart: deployments are made in a notebook, too, where an event loop runs."""

from __future__ import annotations

import asyncio

import pytest

from aggflow.orchestration.apart import apart
from aggflow.orchestration.deployment import Deployments


def test_a_deployment_is_made_where_a_loop_runs() -> None:
    async def made() -> str:
        deployment = Deployments("self", "3f9a2c71-8d0e-4b7a-9f55-2f1c1f6f7c11", None).made("backfill")
        return f"{deployment.flow_name}/{deployment.name}"

    assert asyncio.run(made()) == "backfill/self-3f9a2c"


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)
