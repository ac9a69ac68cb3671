"""The HTTP face of a service: a FastAPI app that answers errors in FHIR, and a server that leaves signals alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kernel.errors import LineError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.outcome import MEDIA_TYPE, Answer, answer_for, answer_for_status, operation_outcome, unexpected
from chassis.service import Runtime
from chassis.storage_errors import line_error_of


def _response(answer: Answer) -> JSONResponse:
    return JSONResponse(answer.body, answer.status, dict(answer.headers), media_type=MEDIA_TYPE)


async def _answer_line_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LineError)
    return _response(answer_for(error))


async def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _response(answer_for_status(error.status_code, error.headers))


async def _answer_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    """Which parameter is wrong and how, and never what it was."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    path = ".".join(str(step) for step in first["loc"][:2])
    outcome = operation_outcome("invalid", str(first["type"]), "a parameter is missing or wrong", path)
    return _response(Answer(422, outcome))


async def _answer_unexpected(_request: Request, error: Exception) -> JSONResponse:
    ours = line_error_of(error)
    if ours is not None:
        structlog.get_logger().warning("request not answered", error=type(error).__name__, code=ours.code)
        return _response(answer_for(ours))
    structlog.get_logger().error("request failed", exc_info=error)
    return _response(unexpected())


class BodyTooLarge(Exception):
    """More bytes came than are read."""


class BodyLimit:
    """Answers 413 instead of reading more than so many bytes, whether or not the length was announced."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            self._check(self._announced(scope))
            await self._app(scope, self._counted(receive), watch)
        except BodyTooLarge:
            if not started:
                await _response(answer_for_status(413))(scope, receive, send)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise BodyTooLarge

    @staticmethod
    def _announced(scope: Scope) -> int:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        return int(length) if length.isdigit() else 0

    def _counted(self, receive: Receive) -> Receive:
        size = 0

        async def counting() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            self._check(size)
            return message

        return counting


class AnswerUnexpected:
    """Answers what no handler answered. Starlette's own would raise it again, and its text would reach a log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except BodyTooLarge:
            raise
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            response = await _answer_unexpected(Request(scope), error)
            await response(scope, receive, send)


def http_app(runtime: Runtime, title: str) -> FastAPI:
    """A FastAPI app that answers errors with an OperationOutcome, limits bodies, and has GET /healthz."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None)
    app.add_middleware(AnswerUnexpected)
    app.add_middleware(BodyLimit, max_bytes=runtime.settings.max_body_bytes)
    app.add_exception_handler(LineError, _answer_line_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        """Alive; whether the database is there does not matter here."""
        return {"status": "serving"}

    return app


UVICORN_OPTIONS: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}


class _SignalFreeServer(uvicorn.Server):
    """The process has one place that handles signals, and it is not this one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Runs an app until stopped. `start` gives the port."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._server: _SignalFreeServer | None = None
        self._task: asyncio.Task[Any] | None = None

    async def start(self, host: str, port: int, grace_s: float = 10.0) -> int:
        """Listen (port 0 takes a free one) and return the port. OSError when the port is taken."""
        listener = socket.create_server((host, port), backlog=2048)
        config = uvicorn.Config(self._app, timeout_graceful_shutdown=int(grace_s) or 1, **UVICORN_OPTIONS)
        self._server = _SignalFreeServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            await self._task
            raise RuntimeError("the HTTP server did not start")
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Let requests in progress finish, then close."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
