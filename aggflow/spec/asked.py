"""Asked: filters, tasks and cubes, each as endpoints ask it."""

from __future__ import annotations

from aggflow.spec.asked_cube import AskedCube
from aggflow.spec.asked_task import AskedTask
from aggflow.spec.cube import Cube
from aggflow.spec.filter import Filter
from aggflow.spec.fit import AskedOf
from aggflow.spec.task import Task


def asked_of(spec: Filter | Task | Cube) -> AskedOf:
    """A definition as endpoints ask it: a filter as it is."""
    if isinstance(spec, Task):
        return AskedTask.of(spec)
    return AskedCube.of(spec) if isinstance(spec, Cube) else spec
