"""The way in and the way out: at the issuer, or without a password on the machine that one develops on."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from kernel.errors import Unreadable

from journey.console.access import record_access
from journey.console.attempts import Attempts
from journey.console.guard import Viewer
from journey.console.harden import error_page
from journey.console.oidc import Identity, Issuer, SignInRefused
from journey.console.page import ENTRY_FOR_S, Console, console_of, go, own_path, render
from journey.console.settings import ROLES

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# How long a person may take at the issuer.
AWAY_FOR_S = 600
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Doors:
    """The routes of signing in and out. `issuer` is None where the local login is on."""

    issuer: Issuer | None
    attempts: Attempts

    def router(self) -> APIRouter:
        """/login, and what belongs to the way of signing in that is switched on."""
        router = APIRouter()
        router.add_api_route("/login", self.show, methods=["GET"])
        router.add_api_route("/signed-out", self.signed_out, methods=["GET"])
        router.add_api_route("/logout", self.sign_out, methods=["POST"])
        if self.issuer is None:
            router.add_api_route("/login", self.sign_in_locally, methods=["POST"])
        else:
            router.add_api_route("/login/start", self.leave_for_issuer, methods=["GET"])
            router.add_api_route("/login/callback", self.come_back, methods=["GET"])
        return router

    async def show(self, request: Request, next: str = "/") -> Response:
        """The page for signing in; who is signed in already goes on."""
        if request.state.person is not None:
            return RedirectResponse(own_path(next), 303)
        return _entry_page(request, next)

    async def sign_in_locally(
        self,
        request: Request,
        name: Annotated[str, Form()] = "",
        role: Annotated[str, Form()] = "viewer",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        """Anybody on this machine is let in, with the role that they choose."""
        if not self._allowed(request):
            return error_page(request, 429)
        if role not in ROLES:
            raise Unreadable("role-unknown", "role", "choose one of the roles")
        self._forgive(request)
        called = " ".join(name.split())[:LONGEST_NAME] or "developer"
        tenant = console_of(request).settings.tenant
        return await _let_in(request, Identity(f"local:{called}", called, role, tenant, ""), next)

    async def leave_for_issuer(self, request: Request, next: str = "/") -> Response:
        """Off to the issuer. What must fit when the person is back travels in a sealed cookie."""
        assert self.issuer is not None
        if not self._allowed(request):
            return error_page(request, 429)
        console = console_of(request)
        try:
            address, kept = await self.issuer.start()
        except SignInRefused as refused:
            return _refused(request, refused)
        response = RedirectResponse(address, 303)
        console.set_cookie(response, "leave", console.seal.close({**kept, "next": own_path(next)}), AWAY_FOR_S)
        return response

    async def come_back(
        self, request: Request, code: str = "", state: str = "", iss: str = "", error: str = ""
    ) -> Response:
        """Back from the issuer, with a code for the token or with an error."""
        assert self.issuer is not None
        if not self._allowed(request):
            return error_page(request, 429)
        console = console_of(request)
        kept = console.seal.open(request.cookies.get(console.cookie("leave"), ""), AWAY_FOR_S) or {}
        try:
            _check_return(kept, state, iss, error, console.settings.console_issuer)
            identity = await self.issuer.finish(code, kept)
            if not TENANT.fullmatch(identity.tenant):
                raise SignInRefused("tenant-unknown", "The identity provider names no tenant of this system.")
        except SignInRefused as refused:
            response = _refused(request, refused)
        else:
            self._forgive(request)
            response = await _let_in(request, identity, str(kept["next"]))
        console.drop_cookie(response, "leave")
        return response

    async def sign_out(self, request: Request, person: Viewer) -> Response:
        """Ends the session here, then at the issuer where it offers that."""
        console = console_of(request)
        await record_access(console.database, person, "sign-out", "session")
        await console.sessions.end(person)
        farewell = await self.issuer.farewell(person.id_token) if self.issuer is not None else ""
        response = RedirectResponse(farewell or "/signed-out", 303)
        console.drop_cookie(response, "session")
        return response

    async def signed_out(self, request: Request) -> Response:
        """What is shown afterwards."""
        return render(request, "signed_out.html")

    def _allowed(self, request: Request) -> bool:
        return self.attempts.allow(_address(request), console_of(request).database.clock.now())

    def _forgive(self, request: Request) -> None:
        """Many people may come through one proxy: who gets in gives the others their attempts back."""
        self.attempts.forgive(_address(request))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _check_return(kept: dict[str, object], state: str, iss: str, error: str, issuer: str) -> None:
    """SignInRefused unless this is the answer to a question that this browser asked."""
    if "state" not in kept:
        raise SignInRefused("sign-in-unknown", "The sign-in took too long or was begun elsewhere. Begin again.")
    if not hmac.compare_digest(str(kept["state"]).encode(), state.encode()):
        raise SignInRefused("state-mismatch", "The answer does not belong to this sign-in. Begin again.")
    if iss and iss != issuer:
        raise SignInRefused("issuer-mismatch", "The answer comes from another identity provider.")
    if error:
        raise SignInRefused("issuer-refused", "The identity provider did not let you in.")


async def _let_in(request: Request, identity: Identity, wanted: str) -> Response:
    """A new session, whatever cookie there was before: a planted one is worth nothing."""
    console = console_of(request)
    if request.state.person is not None:
        await console.sessions.end(request.state.person)
    cookie = await console.sessions.start(
        identity.tenant, identity.subject, identity.name, identity.role, identity.id_token
    )
    person = await console.sessions.find(cookie)
    assert person is not None
    await record_access(console.database, person, "sign-in", "session")
    response = go(request, wanted)
    console.set_cookie(response, "session", cookie, console.settings.console_session_s)
    console.drop_cookie(response, "entry")
    return response


def _entry_page(request: Request, wanted: str) -> Response:
    """The form of the local login needs a token before there is a session: it goes with a cookie of its own."""
    console = console_of(request)
    if console.settings.console_login == "oidc":
        return render(request, "login.html", wanted=own_path(wanted), issuer=_host(console), csrf="")
    entry = secrets.token_urlsafe(16)
    response = render(
        request, "login.html", wanted=own_path(wanted), issuer="", csrf=console.seal.token("csrf", entry), roles=ROLES
    )
    console.set_cookie(response, "entry", console.seal.close({"entry": entry}), ENTRY_FOR_S)
    return response


def _host(console: Console) -> str:
    return urlsplit(console.settings.console_issuer).netloc


def _refused(request: Request, refused: SignInRefused) -> Response:
    """Noted with its code alone."""
    structlog.get_logger().warning("sign-in refused", code=refused.code)
    return error_page(request, 403, refused.code, refused.reason)
