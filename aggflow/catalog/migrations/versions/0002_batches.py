"""Batches of builds, dispatches, states of schedules, tasks, the log of questions, the id of the home."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "home",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_home")),
    )
    op.create_table(
        "dispatches",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_us", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_dispatches_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_dispatches")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_dispatches_workspace_id_finished_us_number"),
        "dispatches",
        ["workspace_id", "finished_us", "number"],
        unique=False,
    )
    op.create_table(
        "questions",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shape_hash", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("source_rows", sa.BigInteger(), nullable=False),
        sa.Column("microseconds", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_questions_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "day", "shape_hash", name=op.f("pk_questions")),
    )
    op.create_table(
        "schedule_states",
        sa.Column("definition_id", sa.String(length=36), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("prefect_id", sa.String(length=255), nullable=True),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.Column("fired_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_id"],
            ["definitions.id"],
            name=op.f("fk_schedule_states_definition_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("definition_id", name=op.f("pk_schedule_states")),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("definition_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("status_data", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("settled_status", sa.String(length=40), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("deleted_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["definitions.id"], name=op.f("fk_tasks_definition_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_tasks_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_definition_id"), "tasks", ["definition_id"], unique=False)
    op.create_index(op.f("ix_tasks_workspace_id_status"), "tasks", ["workspace_id", "status"], unique=False)
    op.add_column("builds", sa.Column("owner_id", sa.String(length=36), nullable=True))
    op.add_column("builds", sa.Column("batch_id", sa.String(length=36), nullable=True))
    op.add_column("builds", sa.Column("job_id", sa.String(length=36), nullable=True))
    op.add_column("builds", sa.Column("host", sa.String(length=255), nullable=True))
    op.add_column("builds", sa.Column("pid", sa.BigInteger(), nullable=True))
    op.add_column("builds", sa.Column("pid_started", sa.Double(), nullable=True))
    op.add_column("builds", sa.Column("heartbeat_us", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_builds_batch_id"), "builds", ["batch_id"], unique=False)
    op.create_index(op.f("ix_builds_job_id"), "builds", ["job_id"], unique=False)
    op.create_index(op.f("ix_builds_owner_id_number"), "builds", ["owner_id", "number"], unique=False)
