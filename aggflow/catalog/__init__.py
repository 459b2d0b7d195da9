"""What is declared and what is built: definitions, rollups, coverage, leases, builds, tokens."""

from aggflow.catalog.builds import Build, BuildStatus
from aggflow.catalog.catalog import Catalog
from aggflow.catalog.coverage import Coverage, CoverageRow, NewSegment
from aggflow.catalog.definitions import Definition, Workspace
from aggflow.catalog.leases import Lease
from aggflow.catalog.rollups import Rollup, RollupVersion
from aggflow.catalog.tokens import Token

__all__ = [
    "Build",
    "BuildStatus",
    "Catalog",
    "Coverage",
    "CoverageRow",
    "Definition",
    "Lease",
    "NewSegment",
    "Rollup",
    "RollupVersion",
    "Token",
    "Workspace",
]
