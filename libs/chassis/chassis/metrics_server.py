"""A door of its own for scrapes and probes: GET /metrics and GET /healthz, on a port that nobody outside needs."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.metrics_page import Page


def metrics_app(page: Page) -> Starlette:
    """The app behind the metrics port. Reading and writing the page happens beside the event loop."""

    async def metrics(request: Request) -> Response:
        """All metrics as text."""
        content, content_type = await asyncio.to_thread(page.text, request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type, "cache-control": "no-store"})

    async def healthz(_request: Request) -> Response:
        """Alive."""
        return JSONResponse({"status": "serving"})

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz)])
