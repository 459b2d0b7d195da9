"""A kind of definition: what it is called, and the declaration that a user writes."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from aggflow.spec.cube import Cube
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.event_source import EventSource
from aggflow.spec.filter import Filter
from aggflow.spec.project import Project
from aggflow.spec.schedule import Schedule
from aggflow.spec.source import Source
from aggflow.spec.task import Task

KindName: TypeAlias = Literal[
    "source", "filter", "endpoint", "task", "cube", "schedule", "project", "event_source"
]
KINDS: Final[dict[str, type[Any]]] = {
    "source": Source,
    "filter": Filter,
    "endpoint": Endpoint,
    "task": Task,
    "project": Project,
    "cube": Cube,
    "schedule": Schedule,
    "event_source": EventSource,
}
