"""The rows of the route table and how a request finds its row, whether it comes by itself or within a batch."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import compile_path

from interface_engine.entry_http.asked import JSON_TYPES, Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.wire.answers import Answer


class _Id(StringConvertor):
    """What FHIR allows as an id: an operation or a compartment's star is none, so that it is not taken for one."""

    regex = r"[A-Za-z0-9\-.]{1,64}"


class _TypeName(StringConvertor):
    regex = r"[A-Za-z]+"


register_url_convertor("fhir_id", _Id())
register_url_convertor("fhir_type", _TypeName())

Handle = Callable[[FhirDoor, Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One interaction that is served.

    `interaction` is FHIR's code for it ("vread") or the operation's name ("$everything"); `letter` the SMART scope
    that the path's type needs, "" where the handler asks for itself; `action` what the audit calls it; `takes` the
    media types of a body, none where there is no body; `open` needs no token; `type` is set where a path names one;
    `parameters` are query parameters that the handler knows by name; `writes` says that Prefer: return applies.
    """

    method: str
    path: str
    interaction: str
    handle: Handle
    summary: str
    letter: str = ""
    action: str = "E"
    takes: tuple[str, ...] = ()
    open: bool = False
    type: str = ""
    parameters: tuple[str, ...] = ()
    writes: bool = False
    negotiates: bool = True

    @property
    def types(self) -> bool:
        """Whether the path has a type in it."""
        return "{type}" in self.path


@dataclass(frozen=True, slots=True)
class Place:
    """A path with all that can be done there."""

    path: str
    pattern: re.Pattern[str]
    by_method: Mapping[str, Route] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """The path as the web framework reads it."""
        return template_of(self.path)

    @property
    def allow(self) -> str:
        """The Allow header."""
        return ", ".join(sorted({*self.by_method, "HEAD"} if "GET" in self.by_method else self.by_method))


@dataclass(frozen=True, slots=True)
class Places:
    """The whole table, in the order in which paths are tried."""

    places: tuple[Place, ...]

    @classmethod
    def of(cls, routes: Iterable[Route]) -> Places:
        by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            by_path.setdefault(route.path, {})[route.method] = route
        return cls(tuple(Place(path, compile_path(template_of(path))[0], methods) for path, methods in by_path.items()))

    @property
    def routes(self) -> tuple[Route, ...]:
        return tuple(route for place in self.places for route in place.by_method.values())

    def find(self, path: str) -> tuple[Place, Mapping[str, str]] | None:
        """The place of a path and what stands in its braces."""
        for place in self.places:
            if match := place.pattern.match(path):
                return place, match.groupdict()
        return None


def template_of(path: str) -> str:
    return path.replace("{id}", "{id:fhir_id}").replace("{type}", "{type:fhir_type}")


def reading(method: str, path: str, interaction: str, handle: Handle, summary: str, **more: object) -> Route:
    """A row that changes nothing."""
    return Route(method, path, interaction, handle, summary, **({"letter": "r", "action": "R"} | more))  # type: ignore[arg-type]


def writing(
    method: str,
    path: str,
    interaction: str,
    handle: Handle,
    summary: str,
    letter: str,
    takes: tuple[str, ...] = JSON_TYPES,
) -> Route:
    """A row that changes a resource of the path's type."""
    return Route(method, path, interaction, handle, summary, letter, letter.upper(), takes=takes, writes=True)
