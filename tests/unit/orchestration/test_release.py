"""Which Prefect fits: one clear sentence each for one that is missing, old, or another on the server."""

from __future__ import annotations

from importlib import metadata

import pytest

from aggflow.errors import PrefectVersionError
from aggflow.orchestration import release


def test_the_one_that_is_installed_fits() -> None:
    assert release.fits(release.require_installed())


@pytest.mark.parametrize("version", ["2.20.1", "3.8.7", "4.0.0"])
def test_another_one_is_named(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: version)
    with pytest.raises(PrefectVersionError, match=f"Prefect {version} is installed, and aggflow needs 3.8.8"):
        release.require_installed()


def test_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(PrefectVersionError, match=r"not installed \(pip install 'aggflow\[prefect,api\]'\)"):
        release.require_installed()


def test_a_server_of_another_version_is_named() -> None:
    assert release.require_of_server("3.9.1", "http://there/api") == "3.9.1"
    with pytest.raises(PrefectVersionError, match=r"server at http://there/api is of version 2\.20\.1"):
        release.require_of_server("2.20.1", "http://there/api")
