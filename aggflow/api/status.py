"""The status page: what is built, what is under way, what failed, and what the endpoints answer.

Made by the service: it needs no script but to refresh itself and to copy, and fetches nothing from elsewhere.
"""

from __future__ import annotations

from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from aggflow import __version__
from aggflow.api.failure import Refused
from aggflow.api.overview import Overview
from aggflow.api.pool import run
from aggflow.api.token_command import TokenCommand
from aggflow.api.viewer import Viewer, admitted, forget, is_of_this_machine, remember, viewer_of
from aggflow.charts import thumbnail
from aggflow.engine.answer import Answer
from aggflow.workspace import Home

router: Final = APIRouter(include_in_schema=False)
_FOLDER: Final = Path(__file__).parent / "status_page"
_ASSETS: Final = {"page.css": "text/css", "page.js": "text/javascript", "mark.svg": "image/svg+xml"}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FOR_A_YEAR: Final = "private, max-age=31536000, immutable"
_MOST_PICTURES: Final = 256
_MOST_BYTES: Final = 4096
_ABOVE: Final = "./"


@router.get("/")
async def index(request: Request) -> Response:
    """The page; a token may come as ``?token=``, and is not kept in the address."""
    if token := request.query_params.get("token"):
        return await _entered(request, token)
    try:
        viewer = await viewer_of(request)
    except Refused as refused:
        return _sign_in(request, refused)
    if viewer is None:
        return _sign_in(request)
    return HTMLResponse(await run(_page, viewer, str(request.base_url)), headers=_HEADERS)


def _page(viewer: Viewer, base: str) -> str:
    return _template("status.html").render(page=Overview.of(viewer, base), assets=_versions())


def _sign_in(request: Request, refused: Refused | None = None) -> Response:
    """The form that asks for a token, and how one is made; only on this machine it says where."""
    home: Home = request.app.state.home
    command = (
        TokenCommand.of(home.place, home.settings.workspace)
        if is_of_this_machine(request)
        else TokenCommand.from_elsewhere()
    )
    said = "" if refused is None else refused.detail.partition(";")[0]
    html = _template("sign_in.html").render(
        said=said, command=command, version=__version__, assets=_versions()
    )
    status, headers = (200, {}) if refused is None else (refused.status_code, dict(refused.headers or {}))
    return HTMLResponse(html, status, {**headers, **_HEADERS})


@router.post("/sign-in")
async def enter(request: Request) -> Response:
    """What the form sends."""
    body = await request.body()
    found = parse_qs(body[:_MOST_BYTES].decode("utf-8", "replace"))
    return await _entered(request, found.get("token", [""])[0].strip())


async def _entered(request: Request, secret: str) -> Response:
    try:
        await admitted(request, secret)
    except Refused as refused:
        return _sign_in(request, refused)
    response = RedirectResponse(_ABOVE, 303, headers=_HEADERS)
    remember(response, request, secret)
    return response


@router.post("/sign-out")
async def leave() -> Response:
    """Forgets the token."""
    response = RedirectResponse(_ABOVE, 303, headers=_HEADERS)
    forget(response)
    return response


@router.get("/status/endpoints/{endpoint_id}.svg")
async def picture(request: Request, endpoint_id: str, theme: Literal["light", "dark"] = "light") -> Response:
    """A picture of what an endpoint answers; its address has a version, so that it can be kept."""
    viewer = await viewer_of(request)
    if viewer is None:
        raise Refused(401, "a token is required")
    svg = await run(_picture, viewer, endpoint_id, theme)
    headers = {
        "Cache-Control": _FOR_A_YEAR,
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(svg, media_type="image/svg+xml", headers=headers)


def _picture(viewer: Viewer, endpoint_id: str, theme: Literal["light", "dark"]) -> str:
    preview = viewer.workspace.preview(endpoint_id)
    return _drawn(_Drawing(preview.answer, preview.fingerprint), theme)


class _Drawing:
    """An answer that is to be drawn; equal where its fingerprint is."""

    def __init__(self, answer: Answer, fingerprint: str) -> None:
        self.answer = answer
        self._fingerprint = fingerprint

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawing) and other._fingerprint == self._fingerprint

    def __hash__(self) -> int:
        return hash(self._fingerprint)


@lru_cache(maxsize=_MOST_PICTURES)
def _drawn(drawing: _Drawing, theme: Literal["light", "dark"]) -> str:
    return thumbnail(drawing.answer, theme)


@router.get("/status/{name}")
async def asset(name: str) -> Response:
    """The style and the script of the page."""
    if name not in _ASSETS:
        raise Refused(404, f"there is nothing at /status/{name}")
    headers = {"Cache-Control": _FOR_A_YEAR, "X-Content-Type-Options": "nosniff"}
    return Response(_content(name), media_type=_ASSETS[name], headers=headers)


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@cache
def _versions() -> dict[str, str]:
    """By asset, a version that changes with its content."""
    return {name: sha256(_content(name)).hexdigest()[:12] for name in _ASSETS}


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    made: Any = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    )
    return made
