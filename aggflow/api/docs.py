"""The docs: every route to read and to try in a browser, nothing of which is fetched from elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_PACKAGE: Final = "fastapi_offline"

router = APIRouter(include_in_schema=False)


def _folder() -> Path:
    """Where the files of Swagger UI are; the package is not imported, only its files are taken."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the files of /docs are missing: pip install 'aggflow[api]'", name=_PACKAGE)
    return Path(spec.origin).parent / "static"


router.routes.append(Mount("/docs/static", StaticFiles(directory=_folder())))


@router.get("/docs")
async def docs() -> Response:
    """The page; its addresses are relative, so that it also works behind a proxy."""
    static = "docs/static"
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="aggflow: API",
        swagger_js_url=f"{static}/swagger-ui-bundle.js",
        swagger_css_url=f"{static}/swagger-ui.css",
        swagger_favicon_url=f"{static}/favicon.png",
        swagger_ui_parameters={"tryItOutEnabled": True, "persistAuthorization": True},
    )
