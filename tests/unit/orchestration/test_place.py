"""Where a flow finds its workspace: names and folders travel, passwords never do."""

from __future__ import annotations

from pathlib import Path

import pytest

import aggflow as af
from aggflow.errors import OrchestrationError
from aggflow.orchestration.place import opened, state_folder, told


def test_a_relative_home_is_told_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told("shop") == str(tmp_path / "shop")


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@db/shop", "mysql://db/shop?password=secret", "postgresql://:x@db/shop"]
)
def test_a_password_is_never_told(url: str) -> None:
    assert told(url) is None


def test_a_run_opens_the_home_of_its_machine_where_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with af.open(tmp_path / "home", "acme") as ws:
        home_id = ws.home_id
    monkeypatch.setenv("AGGFLOW_HOME", str(tmp_path / "home"))
    with opened(None, "acme") as ws:
        assert (ws.name, ws.home_id) == ("acme", home_id)


def test_a_run_makes_no_home(tmp_path: Path) -> None:
    with (
        pytest.raises(OrchestrationError, match="there is no home in"),
        opened(str(tmp_path / "gone"), "self"),
    ):
        pass
    assert not (tmp_path / "gone").exists()


def test_what_is_prefects_own_lies_in_the_home(tmp_path: Path) -> None:
    assert state_folder(str(tmp_path), "id") == tmp_path / "orchestration"
    assert state_folder("postgresql://db/shop", "id") == Path.home() / ".aggflow" / "id"
