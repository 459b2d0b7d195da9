"""An app: the HTTP service of one home, as ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Scope

from aggflow import __version__
from aggflow.api import docs, pool, service
from aggflow.api.access_log import log_access
from aggflow.api.attempts import Attempts
from aggflow.api.auth import Door
from aggflow.api.bodies import Bodies
from aggflow.api.body_limit import BodyLimit
from aggflow.api.build_thread import BuildThread
from aggflow.api.carrier import Carrier
from aggflow.api.compression import Compression
from aggflow.api.directory import Directory
from aggflow.api.echoes import Echoes
from aggflow.api.endpoints import DATA
from aggflow.api.errors import answer, failure_of, handle_errors, log
from aggflow.api.exchange import Exchanges
from aggflow.api.family import Families
from aggflow.api.metrics import Metrics
from aggflow.api.openapi import describe
from aggflow.workspace import Home

FAMILIES: Final[tuple[str, ...]] = ("tasks", "schedules", "endpoints", "management", "widgets")
"""The modules of the families; each has ``FAMILY`` and ``router``."""


def create_app(home_or_url: str | Path | None = None) -> FastAPI:
    """The service of a home.

    Parameters
    ----------
    home_or_url
        A folder, or a catalog's URL; by default ``$AGGFLOW_HOME``, else ``.aggflow``.

    Raises
    ------
    SettingsError, CatalogError, StoreError
        The home cannot be opened.
    """
    return app_of(Home.open(home_or_url), [import_module(f"aggflow.api.{name}") for name in FAMILIES])


def app_of(home: Home, modules: Iterable[ModuleType | Any]) -> FastAPI:
    """The service of an open home, with the families of some modules.

    Parameters
    ----------
    home
        Closed when the service ends.
    modules
        Each has ``FAMILY`` and ``router``.
    """
    modules = tuple(modules)
    families = Families(module.FAMILY for module in modules)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        pool.limit(home.settings.service_threads)
        carrier = Carrier(home)
        if carrier.is_needed():
            carrier.start()
        yield
        # A build ends with the window that it is at, while the catalog is still there.
        await pool.run(carrier.close)
        await pool.run(BuildThread.of(app).close)
        home.close()

    app = FastAPI(
        title="aggflow",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        servers=[{"url": "."}],  # beside the document, so that /docs can try routes behind a proxy, too
        docs_url=None,  # FastAPI's own pages come from a CDN
        redoc_url=None,
    )
    app.state.home = home
    app.state.bodies = Bodies(home.settings.answer_bytes)
    app.state.metrics = metrics = Metrics(families)
    app.state.door = Door(home, families, Attempts(home.settings.failed_attempts))
    handle_errors(app, families)
    _route(app, modules)
    describe(app, families)

    def rescue(error: Exception, scope: Scope) -> ASGIApp:
        request, failure = Request(scope), failure_of(error)
        log(error, failure, request)
        return answer(failure, request, families)

    # The last that is added is the outermost.
    app.add_middleware(BodyLimit, families=families)
    app.add_middleware(Compression)
    app.add_middleware(Echoes, home=home, prefix=f"{DATA}/", budget=home.settings.answer_bytes)
    app.add_middleware(Exchanges, watches=(metrics.count, log_access), rescue=rescue)
    return app


def _route(app: FastAPI, modules: Sequence[ModuleType | Any]) -> None:
    """Give an app the routes of its families, and its own."""
    # Not by include_router(), which would try each route of each router twice.
    for module in modules:
        for route in module.router.routes:
            if isinstance(route, APIRoute) and not route.tags:
                route.tags = [module.FAMILY.name]
            app.router.routes.append(route)
    app.router.routes += [*service.router.routes, *docs.router.routes]
    app.router.routes.insert(0, Directory(app.router.routes))
