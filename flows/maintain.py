"""Maintenance: small segments are merged, and files that nothing names any more are deleted."""

from __future__ import annotations

from prefect import flow, get_run_logger

from aggflow.figure import counted, size
from aggflow.orchestration.place import opened
from aggflow.orchestration.report import show_table

HOUR = 3600


@flow(name="maintain", flow_run_name="{workspace} · maintain", timeout_seconds=6 * HOUR)
def maintain(home: str | None = None, workspace: str = "self") -> str:
    """Merge the small segments of all rollups, and delete files that were replaced.

    Parameters
    ----------
    home, workspace
        Whose; ``AGGFLOW_HOME`` where no home is given.
    """
    with opened(home, workspace) as ws:
        compacted, garbage = ws.maintain()
    read = sum(report.segments_read for report in compacted)
    written = sum(report.segments_written for report in compacted)
    deleted = garbage.superseded + garbage.strays
    show_table(
        "maintenance",
        workspace,
        [
            {"what": "segments that were merged", "how much": str(read)},
            {"what": "segments that they became", "how much": str(written)},
            {"what": "files deleted", "how much": str(deleted)},
            {"what": "space freed", "how much": size(garbage.bytes)},
        ],
    )
    sentence = (
        f"{counted(read, 'segment')} became {written}; "
        f"{counted(deleted, 'file')} of {size(garbage.bytes)} were deleted"
    )
    get_run_logger().info(sentence)
    return sentence
