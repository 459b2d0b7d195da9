"""A runner: where the steps of a flow are done side by side: threads of its own process, or a Dask cluster."""

from __future__ import annotations

from typing import Any, Final

from aggflow.errors import OrchestrationError

# More than backends have slots: whoever waits for one costs nothing.
_THREADS: Final = 8


def runner_of(cluster: str) -> Any:
    """A Prefect task runner: where steps are done.

    Parameters
    ----------
    cluster
        Address of a Dask scheduler (``tcp://host:8786``), whose workers have aggflow installed and reach the
        home; threads of this process where empty.

    Raises
    ------
    OrchestrationError
        A cluster is named, and prefect-dask is not installed.
    """
    from prefect.task_runners import ThreadPoolTaskRunner

    if not cluster:
        return ThreadPoolTaskRunner(max_workers=_THREADS)
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise OrchestrationError(
            "a Dask cluster is named, and prefect-dask is not installed", hint="pip install 'aggflow[dask]'"
        ) from error
    return DaskTaskRunner(address=cluster)
