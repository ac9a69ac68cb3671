"""What holds for every answer of the console: headers that tell browsers to be strict, small bodies, pages for errors.

Error pages carry no input: not the path, not a value, not an exception's text.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from chassis import SettingsError
from chassis.storage_errors import line_error_of
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from kernel.errors import LineError, Refused, Unavailable, Unreadable
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journey.console.guard import NotAllowed, SignInFirst, find_person
from journey.console.page import link, render

STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Title and what to do, by status.
PAGES: dict[int, tuple[str, str]] = {
    400: ("That cannot be read", "Go back, check what was entered, and try again."),
    401: ("Sign in first", "You are not signed in, or not any longer. Sign in, then do it again."),
    403: ("Not allowed", "Ask whoever manages access for the role that this needs."),
    404: ("Nothing here", "There is no such page, or nothing with this id that you may see."),
    405: ("Not this way", "This address does not take that kind of request."),
    409: ("That is not possible now", "It may have changed since the page was loaded. Reload it and look again."),
    413: ("Too much at once", "What was sent is larger than what the console reads."),
    429: ("Too many attempts", "Wait a few minutes, then try again."),
    500: ("Something went wrong", "It has been noted. Try again; when it stays, tell whoever runs the system."),
    503: ("Not reachable at the moment", "Something that this page needs does not answer. Try again in a minute."),
}
REFUSALS = {"not_found": 404, "failed_precondition": 409, "already_exists": 409}


def error_page(request: Request, status: int, code: str = "", reason: str = "") -> Response:
    """A page that says what is wrong and what to do next. `reason` is a sentence of ours, never what came in."""
    title, next_step = PAGES.get(status, PAGES[500 if status >= 500 else 400])
    return render(request, "error.html", status, title=title, next_step=next_step, code=code, reason=reason)


async def _sign_in_first(request: Request, _error: Exception) -> Response:
    if request.method != "GET":
        return error_page(request, 401)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(link("/login", next=wanted if wanted != "/" else ""), 303)


async def _not_allowed(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotAllowed)
    return error_page(request, 403, error.code, error.reason)


async def _line_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LineError)
    return _page_of(request, error)


def _page_of(request: Request, error: LineError) -> Response:
    if isinstance(error, Refused):
        return error_page(request, REFUSALS[error.kind], error.code, error.reason)
    if isinstance(error, Unreadable):
        return error_page(request, 400, error.code, error.reason)
    response = error_page(request, 503, error.code, error.reason)
    wait_s = error.retry_after_s if isinstance(error, Unavailable) else None
    response.headers["retry-after"] = str(round(wait_s or 1) or 1)
    return response


async def _http_error(request: Request, error: Exception) -> Response:
    """Where no route answers nobody has looked who asks: who is signed in keeps the navigation."""
    assert isinstance(error, HTTPException)
    if not hasattr(request.state, "person"):
        request.state.person = await find_person(request)
    return error_page(request, error.status_code)


async def _invalid_request(request: Request, _error: Exception) -> Response:
    return error_page(request, 400, "field-wrong", "A field is missing or wrong.")


async def _not_set(request: Request, error: Exception) -> Response:
    """An address of another service is missing: the text names the setting."""
    return error_page(request, 503, "not-configured", str(error))


async def unexpected(request: Request, error: Exception) -> Response:
    """What nothing else answers: noted by its type and place, shown without either."""
    ours = line_error_of(error)
    if ours is not None:
        return _page_of(request, ours)
    structlog.get_logger().error("page failed", exc_info=error)
    return error_page(request, 500)


class Harden:
    """Adds the headers, refuses large bodies, and answers what no handler answered.

    `forms_to` gives the addresses besides our own to which a form may lead: that of the issuer, when signing out.
    """

    def __init__(self, app: ASGIApp, owner: FastAPI, https: bool, max_bytes: int, forms_to: Callable[[], str]) -> None:
        self._app = app
        self._owner = owner
        self._https = https
        self._max_bytes = max_bytes
        self._forms_to = forms_to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def hardened(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(scope["path"], MutableHeaders(scope=message))
            await send(message)

        request = Request({**scope, "app": self._owner})
        try:
            await self._app(scope, self._limited(scope, receive), hardened)
        except _TooLarge:
            await error_page(request, 413)(scope, receive, hardened)
        except Exception as error:
            if started:
                raise
            response = await unexpected(request, error)
            await response(scope, receive, hardened)

    def _add_headers(self, path: str, headers: MutableHeaders) -> None:
        for name, value in STRICT.items():
            headers[name] = value
        headers["content-security-policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
            f"connect-src 'self'; form-action 'self' {self._forms_to()}".rstrip()
            + "; base-uri 'none'; frame-ancestors 'none'"
        )
        if not path.startswith("/static/"):
            headers["cache-control"] = "no-store"
        if self._https:
            headers["strict-transport-security"] = "max-age=31536000"

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = announced.isdigit() and int(announced) > self._max_bytes
        size = 0

        async def counting() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if too_large or size > self._max_bytes:
                raise _TooLarge
            return message

        return counting


class _TooLarge(Exception):
    """More came than is read."""


def answer_errors(app: FastAPI) -> None:
    """Every error of the console becomes a page."""
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(LineError, _line_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(SettingsError, _not_set)
