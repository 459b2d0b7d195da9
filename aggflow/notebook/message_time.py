"""A message time: when a browser sent the change that a kernel handles just now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from IPython.core.getipython import get_ipython


def message_time() -> datetime | None:
    """When the change was sent that this thread handles; None where it handles none that a browser sent."""
    kernel: Any = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    header = kernel.get_parent().get("header", {})
    sent = header.get("date")
    return sent if header.get("msg_type") == "comm_msg" and isinstance(sent, datetime) else None
