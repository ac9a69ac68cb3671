"""One way to answer with a page: what every template may use, what is said once, and where a person is sent next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bus import Database
from chassis import Runtime
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from journey.console import words
from journey.console.seal import Seal
from journey.console.sessions import Person, Sessions
from journey.console.settings import ConsoleSettings
from journey.console.slo import Levels

TEMPLATES = Path(__file__).parent / "templates"
SAID_FOR_S = 60
ENTRY_FOR_S = 3600

# Path, name: the navigation, in the order in which a day goes.
NAVIGATION: tuple[tuple[str, str], ...] = (
    ("/", "Overview"),
    ("/journeys", "Journeys"),
    ("/work", "Work"),
    ("/claims", "Claims"),
    ("/remittances", "Remittances"),
    ("/denials", "Denials"),
    ("/payers", "Payers"),
    ("/providers", "Providers"),
    ("/channels", "Channels"),
    ("/messages", "Messages"),
    ("/health", "Health"),
)


@dataclass(frozen=True, slots=True)
class Console:
    """What every page can reach: the runtime with its channels to other services, the database, the sessions."""

    runtime: Runtime
    database: Database
    settings: ConsoleSettings
    seal: Seal
    sessions: Sessions
    templates: Environment
    levels: Levels = field(default_factory=Levels)

    @property
    def secure(self) -> bool:
        """Whether browsers come over https."""
        return self.settings.console_url.startswith("https:")

    def cookie(self, name: str) -> str:
        """The full name of a cookie: one that no other host or path can set, where there is https."""
        return f"__Host-throughline-{name}" if self.secure else f"throughline-{name}"

    def set_cookie(self, response: Response, name: str, value: str, max_age_s: int) -> None:
        """Sets a cookie that scripts cannot read and that other sites' forms do not send."""
        response.set_cookie(
            self.cookie(name), value, max_age=max_age_s, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop_cookie(self, response: Response, name: str) -> None:
        """Takes a cookie away."""
        response.delete_cookie(self.cookie(name), path="/", secure=self.secure, httponly=True, samesite="lax")

    def entry_token(self, request: Request) -> str:
        """The token of forms before anybody is signed in: it goes with a cookie that the sign-in page sets."""
        entry = self.seal.open(request.cookies.get(self.cookie("entry"), ""), ENTRY_FOR_S)
        return self.seal.token("csrf", str(entry["entry"])) if entry and "entry" in entry else ""


def console_of(request: Request) -> Console:
    """The console that answers this request."""
    console: Console = request.app.state.console
    return console


def templates() -> Environment:
    """Jinja with escaping always on; a name that nobody gave is an error and not an empty place."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    environment.globals.update(navigation=NAVIGATION, link=link)
    return environment


def link(path: str, given: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A path with a query: what was given, with changes; empty values are left out."""
    query = {name: str(value) for name, value in {**(given or {}), **changes}.items() if value not in ("", None)}
    return f"{path}?{urlencode(query)}" if query else path


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. Templates also get `person`, `csrf`, `path`, `said`, `local_login` and the filters of words.py."""
    console = console_of(request)
    person: Person | None = getattr(request.state, "person", None)
    said = console.seal.open(request.cookies.get(console.cookie("said"), ""), SAID_FOR_S)
    text = console.templates.get_template(template).render(
        {
            "person": person,
            "csrf_field": partial(csrf_field, request),
            "path": request.url.path,
            "said": said,
            "local_login": console.settings.console_login == "local",
            "now": console.database.clock.now(),
            **context,
        }
    )
    response = HTMLResponse(text, status)
    if said is not None:
        console.drop_cookie(response, "said")
    return response


def csrf_field(request: Request) -> Markup:
    """The hidden field of a form, for what makes HTML outside a template."""
    person: Person | None = getattr(request.state, "person", None)
    token = person.csrf if person else console_of(request).entry_token(request)
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token)


def go(request: Request, path: str, say: str = "", kind: str = "good") -> RedirectResponse:
    """Answers a form by sending the browser to a page of ours, which shows `say` once. `kind`: good, bad or note.

    `say` must not hold patient data. A path that is not ours leads to the overview.
    """
    response = RedirectResponse(own_path(path), status_code=303)
    if say:
        console = console_of(request)
        console.set_cookie(response, "said", console.seal.close({"text": say, "kind": kind}), SAID_FOR_S)
    return response


def own_path(path: str) -> str:
    """The path when it leads to a page of this console, else the overview: nobody is sent elsewhere by a link."""
    plain = path.isprintable() and path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if plain else "/"
