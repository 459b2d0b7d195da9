"""The settings of aggflow: one table with name, default, unit and help.

Every setting is read from the environment as ``AGGFLOW_<NAME>``, once, when a
workspace is opened; an unknown or wrongly typed one is an error at that moment.
"""

from __future__ import annotations

import os

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aggflow.errors import SettingsError, did_you_mean
from aggflow.quote import quoted

PREFIX = "AGGFLOW_"


class Settings(BaseSettings):
    """All settings, frozen.

    Examples
    --------
    >>> Settings().live_ttl
    2.0
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: str = Field(
        default=".aggflow",
        description="Folder of the workspace, or a catalog's URL, where a command names none.",
    )
    workspace: str = Field(
        default="self", pattern="^[a-z0-9]+$", description="Name of the workspace inside a home."
    )
    store: str = Field(
        default="", description="Folder or object store of segments (any fsspec URL); empty: <home>/segments."
    )
    events: str = Field(
        default="",
        description="Folder of the events of embedded sources; empty: <home>/events, and none where the home is a URL.",
    )
    batch_rows: int = Field(
        default=10_000_000, ge=1, description="Source rows that one batch of a build should read at most."
    )
    slice_rows: int = Field(
        default=1_000_000,
        ge=1,
        description="Source rows of a batch whose states are made, sent and written at once, at most; cells, where one statement gives them all. Where the engine takes no snapshot of the rows, a batch is one slice.",
    )
    source_memory: int = Field(
        default=1_000_000_000,
        ge=0,
        description="Bytes of memory that DuckDB may use for one open source; what is more goes to disk, in the folder that TMPDIR names. 0: as much as it likes.",
    )
    live_ttl: float = Field(
        default=2.0, ge=0, description="Seconds for which a live tail is kept; 0 computes it anew each time."
    )
    resident_bytes: int = Field(
        default=1_000_000_000, ge=0, description="Bytes of states that a process keeps in memory."
    )
    reduced_bytes: int = Field(
        default=100_000_000,
        ge=0,
        description="Bytes of merged states that a process keeps for questions asked again.",
    )
    answer_bytes: int = Field(
        default=25_000_000,
        ge=0,
        description="Bytes of answers that a process keeps for questions asked again; 0 computes each anew.",
    )
    widget_ttl: float = Field(
        default=60.0,
        ge=0,
        description="Seconds for which the answer to a widget query is kept; 0 computes it anew each time.",
    )
    lease_ttl: float = Field(
        default=30.0, gt=0, description="Seconds after which a build that gave no sign counts as dead."
    )
    lease_heartbeat: float = Field(
        default=10.0, gt=0, description="Seconds between two signs of life of a build."
    )
    lease_wait: float = Field(
        default=600.0, ge=0, description="Seconds to wait for another build of the same windows."
    )
    source_retries: int = Field(
        default=3, ge=0, description="Times a batch is tried again when a retry can help."
    )
    retry_wait: float = Field(
        default=0.5, ge=0, description="Seconds before the first retry; doubled before each further one."
    )
    garbage_grace: float = Field(
        default=3600.0, ge=0, description="Seconds for which a superseded segment is kept."
    )
    compact_segments: int = Field(
        default=32, ge=2, description="Small segments of one rollup that start a compaction."
    )
    service_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port at which JupyterLab finds the service, and starts it if it is not there; 0: any.",
    )
    cluster: str = Field(
        default="",
        description="Address of a Dask scheduler whose workers build the windows of a backfill; empty: threads of its run.",
    )
    service_threads: int = Field(
        default=8, ge=1, description="Threads of a service process that answer and read at the same time."
    )
    failed_attempts: int = Field(
        default=150,
        ge=1,
        description="Requests with a wrong token that each process of a service takes from one address in a minute.",
    )


def read_settings() -> Settings:
    """The settings of this process's environment.

    Raises
    ------
    SettingsError
        An ``AGGFLOW_*`` variable is unknown, of the wrong type or out of range.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            raise SettingsError(f"there is no setting {name}", hint=did_you_mean(name, known))
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {first['msg'].lower()}, not {quoted(first['input'])}") from None
