"""What is copied as curl, run in a shell against a service."""

from __future__ import annotations

import json
import os
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from running import running

import aggflow as af
from aggflow.notebook.endpoint_form import EndpointForm
from aggflow.notebook.filter_form import FilterForm

pytestmark = pytest.mark.slow


def ran(command: str, url: str, token: str) -> Any:
    """What a command answers."""
    environment = {**os.environ, "AGGFLOW_URL": url, "AGGFLOW_TOKEN": token}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_copied_commands_declare_change_and_ask(tmp_path: Path, orders: Path) -> None:
    """Drafts of one workspace are declared in another by what was copied, and answer there."""
    with af.open(tmp_path / "drafts") as ws, af.open(tmp_path / "served") as served:
        for one in (ws, served):
            one.add_source("orders", str(orders), time="at", json="payload")
        token = served.create_token("test", owner="a@b.example", permissions=["admin"])
        filter_ = FilterForm(ws)
        filter_.set("name", "sales 'of' \"$HOME\" \\ `id`")
        filter_.set("where", r"@.region != 'no\'rth'")
        filter_.add("groupings", path="region")
        with running(tmp_path / "served", tmp_path) as service:
            told = ran(filter_.as_curl(), service.url, token)
            assert served.filters[filter_.get("name")].spec == filter_.spec()
            filter_.save()
            filter_.set("description", "changed")
            assert ran(filter_.as_curl(), service.url, token)["id"] == told["id"]
            assert served.filters[filter_.get("name")].description == "changed"
            filter_.save()
            endpoint = EndpointForm(ws)
            endpoint.set("name", "mine")
            endpoint.set("timing.kind", "lookback")
            endpoint.set("timing.duration", "100y")
            endpoint.set("groupings[0].choice", "query_time")
            ran(endpoint.as_curl(), service.url, token)
            stored = endpoint.save()
            command = unescape(endpoint.saved().partition('<pre tabindex="0">')[2].partition("</pre>")[0])
            command = command.replace(stored.id, served.endpoints["mine"].id).replace("…", "south")
            rows = ran(command, service.url, token)
            expected = served.query("mine", grouping_filters={"region": ["south"]}).rows
            assert rows == expected
            assert rows[0]["fields"]["events_count"] > 0
