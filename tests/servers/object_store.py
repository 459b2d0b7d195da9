"""An object store of the tests' own: a process that answers as Amazon's S3 does, on a free port of loopback."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from daemon import Daemon, free_port, server_folder


@dataclass
class ObjectStore:
    """A running object store; what it holds is gone when it is stopped.

    Attributes
    ----------
    port
        Where it listens, on 127.0.0.1.
    folder
        Where its log is.
    secret
        Its key, which nobody may show.
    """

    port: int
    folder: Path
    secret: str = field(default="s3cret/k+y", repr=False)
    _daemon: Daemon | None = None

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[ObjectStore]:
        """A store for the time of a ``with``."""
        store = cls(free_port(), server_folder("aggflow-objects-", None))
        try:
            store._daemon = Daemon.started(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(store.port)],
                user=None,
                log=store.folder / "log",
                is_ready=store._answers,
            )
            yield store
        finally:
            if store._daemon is not None:
                store._daemon.stop()
            shutil.rmtree(store.folder, ignore_errors=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """By which its users find it, and may use it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "aggflow",
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def create(self, bucket: str) -> str:
        """Make a new, empty bucket; its URL."""
        client: Any = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="aggflow",
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=bucket)
        return f"s3://{bucket}"

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
