"""A service alone: what is asked for over HTTP is built, though no Prefect stands beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from patience import awaited
from running import Running, running
from served import Served
from tenants import settle

import aggflow as af

pytestmark = pytest.mark.slow


def ended(service: Running, token: str, path: str) -> Any:
    """The newest of a list whose status is settled."""

    def found() -> Any:
        body = service.ask("GET", path, token).json()
        listed = body["response"]["data"] if isinstance(body, dict) else body
        return listed[0] if listed and listed[0]["status"].lower() in ("done", "error", "running") else None

    return awaited(f"the end of {path}", found)


def test_what_is_asked_for_is_built(tmp_path: Path) -> None:
    home = tmp_path / "home"
    served = Served(home)
    names, token = settle(served, tmp_path, "shop")
    # Asked of a process that ended before anything was built.
    ws = served.home.workspace("shop")
    before = ws.request_build(names.cube, full=True)
    queued = ws.queue_build(names.filter, full=True)
    served.home.close()
    cube = f"/org/shop/project/{names.project_id}/cube/{names.cube_id}/aggregates-creation"
    with running(home, tmp_path) as service:
        awaited(
            "the batch that was asked for earlier",
            lambda: service.ask("GET", f"/api/v1/builds/{before.id}", token).json()["status"] == "done",
        )
        awaited(
            "the build that was asked for earlier",
            lambda: service.ask("GET", f"/api/v1/builds/{queued.build.id}", token).json()["status"] == "done",
        )
        assert service.ask("POST", f"{cube}/execute", token).json()["response"] == {"success": True}
        history = f"/org/shop/aggregates-creation/builds/history?cubeId={names.cube_id}&limit=1"
        batch = ended(service, token, history)
        assert (batch["status"], batch["batchType"]) == ("done", "materialize-pending-instances")
        assert batch["id"] != before.id

        linq = f"from {names.source} group every 1h select count() as n"
        body = {"name": "mine", "query": {"linq": linq}, "fromDate": 0}
        task = service.ask("POST", "/v2/aggrtasks/shop", token, json=body).json()
        assert task["status"] == "PENDING_CREATE"
        assert ended(service, token, f"/v2/aggrtasks/shop?id={task['id']}")["status"] == "RUNNING"
        ready = service.ask("GET", "/readyz", token).json()["checks"]["prefect"]
        assert "schedules do not fire" in ready
        remote = af.connect(service.url, token)
        assert sum(row["fields"]["n"] for row in remote.ask_task("mine", end="2025-03-03").rows) == 48
        remote.close()
    assert "builds that are asked for are carried out here" in service.daemon.log.read_text()
