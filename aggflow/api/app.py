"""An app: the HTTP service of one home, as ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from aggflow import __version__
from aggflow.api.page import page
from aggflow.api.readiness import readiness
from aggflow.workspace import open_workspace


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
    ws = open_workspace(home_or_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        ws.close()

    app = FastAPI(title="aggflow", version=__version__, lifespan=lifespan)

    @app.get("/healthz", tags=["service"], summary="Whether the service runs")
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction] - a route
        return {"status": "ok", "version": __version__}

    @app.get(
        "/readyz", tags=["service"], summary="Whether it can answer: its catalog, its store, its Prefect"
    )
    def readyz() -> JSONResponse:  # pyright: ignore[reportUnusedFunction] - a route
        found = readiness(ws)
        return JSONResponse(found.to_plain(), 200 if found.is_ready else 503)

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction] - a route
        return HTMLResponse(page())

    return app
