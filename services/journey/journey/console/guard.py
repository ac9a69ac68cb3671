"""Who may see and do what: nothing without signing in, nothing changed without a form of ours and the role for it."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from journey.console.page import console_of
from journey.console.sessions import Person

# What is answered without a session. Everything else asks for one, also what is added later.
PUBLIC = frozenset({"/login", "/login/start", "/login/callback", "/signed-out", "/healthz"})
CHANGES_BY_VIEWER = frozenset({"/logout"})
SAFE = frozenset({"GET", "HEAD"})


class SignInFirst(Exception):
    """Nobody is signed in, or not any longer."""


class NotAllowed(Exception):
    """Signed in, but not for this. `code` and `reason` are shown."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


async def guard(request: Request) -> None:
    """Stands before every route of the console."""
    person = await find_person(request)
    request.state.person = person
    if request.method not in SAFE:
        await check_form(request, person)
    path = request.scope["route"].path
    if path in PUBLIC:
        return
    if person is None:
        raise SignInFirst
    if request.method not in SAFE and path not in CHANGES_BY_VIEWER:
        check_role(person, "biller")


async def find_person(request: Request) -> Person | None:
    """The person of the request's cookie, if there is one."""
    console = console_of(request)
    cookie = request.cookies.get(console.cookie("session"), "")
    return await console.sessions.find(cookie) if cookie else None


async def check_form(request: Request, person: Person | None) -> None:
    """NotAllowed unless the request comes from a form that this console made for this session."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed("other-origin", "The form came from another site.")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("other-origin", "The form came from another site.")
    form = await request.form()
    wanted = person.csrf if person is not None else console_of(request).entry_token(request)
    if not wanted or not hmac.compare_digest(str(form.get("csrf", "")), wanted):
        raise NotAllowed("form-token", "The form was too old or not made for you. Go back, reload the page, try again.")


def check_role(person: Person, role: str) -> None:
    """NotAllowed when the person's role does not include this one."""
    if not person.may(role):
        raise NotAllowed("role", f"This needs the role {role}; you have {person.role}.")


async def person_of(request: Request) -> Person:
    """The person that the guard let in."""
    person: Person | None = request.state.person
    if person is None:
        raise SignInFirst
    return person


def needs(role: str) -> Callable[[Request], Awaitable[Person]]:
    """A dependency that gives the person, or NotAllowed when the role is not enough."""

    async def check(request: Request) -> Person:
        person = await person_of(request)
        check_role(person, role)
        return person

    return check


Viewer = Annotated[Person, Depends(needs("viewer"))]
Biller = Annotated[Person, Depends(needs("biller"))]
