"""The wiring of the console: one app, its guard, its pages and those of the desks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from bus import Database
from chassis import Runtime
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from journey.console import desks
from journey.console.attempts import Attempts
from journey.console.guard import guard
from journey.console.harden import Harden, answer_errors
from journey.console.login import Doors
from journey.console.oidc import Issuer
from journey.console.page import Console, templates
from journey.console.pages import ROUTERS
from journey.console.seal import Seal
from journey.console.sessions import Sessions
from journey.console.settings import ConsoleSettings, check_console

STATIC = Path(__file__).parent / "static"
LARGEST_FORM_BYTES = 1_000_000
THIS_MACHINE = ["127.0.0.1", "localhost", "::1"]


def console_app(
    runtime: Runtime,
    database: Database | None = None,
    *,
    issuer_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The console as an app. SettingsError when it must not run as it is set.

    `database` is the runtime's unless another is given; `issuer_transport` stands in for the network in tests.
    """
    settings: ConsoleSettings = runtime.settings
    check_console(settings)
    console = _console(runtime, database or runtime.database, settings)
    issuer = Issuer(settings, runtime.clock, issuer_transport) if settings.console_login == "oidc" else None
    app = FastAPI(title="Throughline", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(guard)])
    app.state.console = console
    answer_errors(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_hosts(settings), www_redirect=False)
    app.add_middleware(
        Harden,
        owner=app,
        https=console.secure,
        max_bytes=min(LARGEST_FORM_BYTES, settings.max_body_bytes),
        forms_to=issuer.farewell_origin if issuer is not None else str,
    )
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/healthz", healthz, methods=["GET"])
    app.include_router(Doors(issuer, Attempts(settings.console_attempts)).router())
    for router in (*ROUTERS, *_desks()):
        app.include_router(router())
    return app


def _console(runtime: Runtime, database: Database, settings: ConsoleSettings) -> Console:
    seal = Seal(settings.console_secret, runtime.clock)
    idle, longest = timedelta(seconds=settings.console_idle_s), timedelta(seconds=settings.console_session_s)
    return Console(runtime, database, settings, seal, Sessions(database, seal, idle, longest), templates())


def _desks() -> tuple[Callable[[], APIRouter], ...]:
    return tuple(getattr(desks, "ROUTERS", ()))


def _hosts(settings: ConsoleSettings) -> list[str]:
    """The names under which browsers may ask: another name that leads here is not ours (DNS rebinding)."""
    public = urlsplit(settings.console_url).hostname
    return sorted({*THIS_MACHINE, *([public] if public else [])})


async def healthz(request: Request) -> dict[str, str]:
    """Alive; whether the database is there does not matter here."""
    return {"status": "serving"}
