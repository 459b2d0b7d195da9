"""Metrics: how many requests there were of each route, how they ended and how long they took, for Prometheus."""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from aggflow import __version__
from aggflow.api.exchange import Exchange
from aggflow.api.family import Families

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS: Final = frozenset(("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"))


class Metrics:
    """What the requests to an app were, as far as they have ended.

    Where ``PROMETHEUS_MULTIPROC_DIR`` names a folder, several processes of a service count together.

    Parameters
    ----------
    families
        By which requests are told apart, together with the route as it is declared.
    """

    def __init__(self, families: Families) -> None:
        self._families = families
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "aggflow_requests",
            "Requests that were answered",
            ("family", "route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "aggflow_request_seconds",
            "Seconds from a request to the end of its answer",
            ("family", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        if SHARED not in os.environ:
            info = Gauge("aggflow_info", "The version that runs", ("version",), registry=self._registry)
            info.labels(__version__).set(1)
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
        # Looking up a child by its labels takes longer than counting.
        self._children: dict[tuple[str, str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that has ended."""
        scope = exchange.scope
        route = exchange.route
        # What has no route is not told apart: who asks for random paths fills no memory.
        family = self._families.owner(scope["path"]).name
        method = scope["method"] if scope["method"] in _METHODS else "other"
        key = (family, route, method, exchange.status)
        found = self._children.get(key)
        if found is None:
            found = (
                self._requests.labels(family, route, method, str(exchange.status)),
                self._seconds.labels(family, route),
            )
            self._children[key] = found
        requests, seconds = found
        requests.inc()
        seconds.observe(exchange.ended - exchange.began)

    def exposed(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)
