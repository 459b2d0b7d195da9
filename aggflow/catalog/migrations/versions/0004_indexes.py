"""What is asked of one tenant reads none of the others' rows; a task is found by its name."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_rollups_workspace_id", "rollups", ["workspace_id"])
    op.create_index("ix_tasks_workspace_id_name", "tasks", ["workspace_id", "name"])
