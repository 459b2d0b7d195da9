"""The service itself: whether it runs, whether it is ready, its status page."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.requests import Request
from starlette.responses import Response

from aggflow import __version__
from aggflow.api import status
from aggflow.api.metrics import CONTENT_TYPE
from aggflow.api.pool import run
from aggflow.api.readiness import readiness
from aggflow.api.reply import reply

router = APIRouter(tags=["service"])


@router.get("/healthz", summary="Whether the service runs")
async def healthz() -> Response:
    """Answers as long as the process does."""
    return reply({"status": "ok", "version": __version__})


@router.get("/readyz", summary="Whether it can answer: its catalog, its store, its Prefect")
def readyz(request: Request) -> Response:
    """503 while questions cannot be answered; Prefect, which keeps states fresh, need not be there."""
    found = readiness(request.app.state.home.default)
    return reply(found.to_plain(), 200 if found.is_ready else 503)


@router.get(
    "/metrics",
    summary="How many requests there were, how they ended, how long they took",
    response_class=PlainTextResponse,
)
async def metrics(request: Request) -> Response:
    """In the text format of Prometheus."""
    exposed = await run(request.app.state.metrics.exposed)
    return Response(exposed, media_type=CONTENT_TYPE)


router.routes.extend(status.router.routes)
