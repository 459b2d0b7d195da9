"""Alembic's way in: runs the revisions on the connection that the catalog has opened and locked."""

from __future__ import annotations

from alembic import context

# Alembic sets it while it runs this file; whoever else imports it wants nothing done.
if hasattr(context, "config"):
    options = context.config.attributes
    context.configure(connection=options["connection"], version_table=options["version_table"])
    context.run_migrations()
