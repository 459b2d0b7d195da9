"""What is asked of one tenant reads none of the others' rows, nor what is open all that was; tasks are found by name."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_rollups_workspace_id", "rollups", ["workspace_id"])
    op.create_index("ix_tasks_workspace_id_name", "tasks", ["workspace_id", "name"])
    op.drop_index("ix_builds_rollup_id", "builds")
    op.create_index("ix_builds_rollup_id_number", "builds", ["rollup_id", "number"])
    op.create_index("ix_builds_workspace_id_status", "builds", ["workspace_id", "status"])
    op.create_index("ix_builds_rollup_id_status", "builds", ["rollup_id", "status"])
