"""An agreement: statements about the same rows that count equally many of them."""

from __future__ import annotations

from aggflow.errors import SourceChangedError


def agree(expected: int, counted: int, what: str) -> None:
    """Make sure that what was read of a window is all of one moment of its source.

    Raises
    ------
    SourceChangedError
        The counts differ.
    """
    if expected != counted:
        raise SourceChangedError(
            f"the source changed while a batch was read: {what} hold {counted:,} rows of {expected:,}",
            hint="the batch is read again",
        )
