"""Tokens that may read the events of some brands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("brands", sa.JSON(none_as_null=True), nullable=True))
