"""aggflow: define an aggregate once, build it incrementally, answer from it in milliseconds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggflow.engine.answer import Answer
    from aggflow.engine.build_report import BuildReport
    from aggflow.engine.explanation import Explanation
    from aggflow.errors import AggflowError
    from aggflow.notebook.build_monitor import BuildMonitor
    from aggflow.notebook.cube_builder import CubeBuilder
    from aggflow.notebook.endpoint_builder import EndpointBuilder
    from aggflow.notebook.filter_builder import FilterBuilder
    from aggflow.notebook.schedule_builder import ScheduleBuilder
    from aggflow.notebook.task_builder import TaskBuilder
    from aggflow.remote import connect
    from aggflow.spec.aggregation import Aggregation
    from aggflow.spec.calculation import Calculation
    from aggflow.spec.choice import Aggregate, All, Fixed, QueryTime
    from aggflow.spec.cube import Cube
    from aggflow.spec.cube_aggregate import CubeAggregate
    from aggflow.spec.dimension import Dimension
    from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
    from aggflow.spec.event_source import EventSource
    from aggflow.spec.field import Field
    from aggflow.spec.filter import Filter
    from aggflow.spec.grouping import Grouping
    from aggflow.spec.level import TIME_LEVELS, Level
    from aggflow.spec.ratio import Ratio
    from aggflow.spec.schedule import Schedule
    from aggflow.spec.source import Source
    from aggflow.spec.task import Task
    from aggflow.spec.timing import Lookback, TimeSeries
    from aggflow.spec.widget import WidgetQuery
    from aggflow.workspace import Workspace
    from aggflow.workspace import open_workspace as open  # noqa: A004 - read as aggflow.open

_WHERE = {
    "AggflowError": "aggflow.errors",
    "Aggregate": "aggflow.spec.choice",
    "Aggregation": "aggflow.spec.aggregation",
    "All": "aggflow.spec.choice",
    "Answer": "aggflow.engine.answer",
    "BuildMonitor": "aggflow.notebook.build_monitor",
    "BuildReport": "aggflow.engine.build_report",
    "Calculation": "aggflow.spec.calculation",
    "Cube": "aggflow.spec.cube",
    "CubeAggregate": "aggflow.spec.cube_aggregate",
    "CubeBuilder": "aggflow.notebook.cube_builder",
    "Dimension": "aggflow.spec.dimension",
    "Endpoint": "aggflow.spec.endpoint",
    "EndpointBuilder": "aggflow.notebook.endpoint_builder",
    "EventSource": "aggflow.spec.event_source",
    "Explanation": "aggflow.engine.explanation",
    "Field": "aggflow.spec.field",
    "Filter": "aggflow.spec.filter",
    "FilterBuilder": "aggflow.notebook.filter_builder",
    "Fixed": "aggflow.spec.choice",
    "Grouping": "aggflow.spec.grouping",
    "GroupingLimit": "aggflow.spec.endpoint",
    "Level": "aggflow.spec.level",
    "Lookback": "aggflow.spec.timing",
    "QueryTime": "aggflow.spec.choice",
    "Ratio": "aggflow.spec.ratio",
    "Schedule": "aggflow.spec.schedule",
    "ScheduleBuilder": "aggflow.notebook.schedule_builder",
    "Sort": "aggflow.spec.endpoint",
    "Source": "aggflow.spec.source",
    "TIME_LEVELS": "aggflow.spec.level",
    "Task": "aggflow.spec.task",
    "TaskBuilder": "aggflow.notebook.task_builder",
    "TimeSeries": "aggflow.spec.timing",
    "WidgetQuery": "aggflow.spec.widget",
    "Workspace": "aggflow.workspace",
    "connect": "aggflow.remote",
    "open": "aggflow.workspace",
}

__all__ = [
    "TIME_LEVELS",
    "AggflowError",
    "Aggregate",
    "Aggregation",
    "All",
    "Answer",
    "BuildMonitor",
    "BuildReport",
    "Calculation",
    "Cube",
    "CubeAggregate",
    "CubeBuilder",
    "Dimension",
    "Endpoint",
    "EndpointBuilder",
    "EventSource",
    "Explanation",
    "Field",
    "Filter",
    "FilterBuilder",
    "Fixed",
    "Grouping",
    "GroupingLimit",
    "Level",
    "Lookback",
    "QueryTime",
    "Ratio",
    "Schedule",
    "ScheduleBuilder",
    "Sort",
    "Source",
    "Task",
    "TaskBuilder",
    "TimeSeries",
    "WidgetQuery",
    "Workspace",
    "connect",
    "open",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import aggflow`` stays light."""
    if name not in _WHERE:
        raise AttributeError(f"module 'aggflow' has no attribute {name!r}")
    try:
        module = import_module(_WHERE[name])
    except ModuleNotFoundError as error:
        if not _WHERE[name].startswith("aggflow.notebook"):
            raise
        from aggflow.errors import AggflowError

        raise AggflowError(
            f"af.{name} needs {error.name}, which is not installed", hint="pip install 'aggflow[jupyter]'"
        ) from None
    found = getattr(module, "open_workspace" if name == "open" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def load_ipython_extension(shell: Any) -> None:
    """Bring ``%%linq``, ``%aggflow`` and completion: what ``%load_ext aggflow`` calls."""
    from aggflow.notebook.extension import load

    load(shell)
