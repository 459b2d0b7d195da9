"""What is declared, built and asked: definitions, rollups, coverage, leases, builds, tasks, questions, tokens."""

from aggflow.catalog.build import Build, BuildStatus
from aggflow.catalog.catalog import Catalog
from aggflow.catalog.coverage import Coverage
from aggflow.catalog.coverage_row import CoverageRow
from aggflow.catalog.database import Mark
from aggflow.catalog.definition import Definition
from aggflow.catalog.dispatches import Dispatch, DispatchKind
from aggflow.catalog.frontiers import Frontier
from aggflow.catalog.leases import Lease
from aggflow.catalog.new_segment import NewSegment
from aggflow.catalog.question_log import LoggedQuestion
from aggflow.catalog.rollup import Rollup
from aggflow.catalog.rollup_version import RollupVersion
from aggflow.catalog.schedule_states import ScheduleState
from aggflow.catalog.task_records import TaskRecord
from aggflow.catalog.tokens import Token
from aggflow.catalog.workspace import Workspace
from aggflow.process import Process

__all__ = [
    "Build",
    "BuildStatus",
    "Catalog",
    "Coverage",
    "CoverageRow",
    "Definition",
    "Dispatch",
    "DispatchKind",
    "Frontier",
    "Lease",
    "LoggedQuestion",
    "Mark",
    "NewSegment",
    "Process",
    "Rollup",
    "RollupVersion",
    "ScheduleState",
    "TaskRecord",
    "Token",
    "Workspace",
]
