from __future__ import annotations

import sys

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from aggflow.errors import OrchestrationError
from aggflow.orchestration.runner import runner_of


def test_a_cluster_without_its_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with pytest.raises(
        OrchestrationError, match=r"prefect-dask is not installed \(pip install 'aggflow\[dask\]'\)"
    ):
        runner_of("tcp://127.0.0.1:8786")


def test_without_a_cluster_threads_do_it() -> None:
    assert type(runner_of("")) is ThreadPoolTaskRunner
