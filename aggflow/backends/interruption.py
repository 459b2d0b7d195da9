"""An interruption: what runs on a backend is stopped from another thread, where its driver can do that."""

from __future__ import annotations

from aggflow.backends.source_rows import SourceRows


def interrupt(rows: SourceRows) -> None:
    """Stop the statement that runs on an open source; the one who waits for it gets an error.

    Parameters
    ----------
    rows
        The source; where its backend cannot be stopped, nothing happens.
    """
    if rows.can.interrupt:
        getattr(rows.con.con, rows.can.interrupt)()
