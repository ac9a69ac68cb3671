"""Who comes in: clients, what their scopes allow, the tokens they carry, and the record of every access."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fhir_r4 import outcome_of
from fhir_r4.types import is_known

from interface_engine.model import Client, Rejected

LETTERS = "cruds"
ANY = "*"
_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)")
# The first version of SMART had words where the second has letters.
_WORDS = {"read": "rs", "write": "cud", "*": LETTERS}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a client may do: letters of "cruds" by resource type, "*" for every type."""

    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Scopes:
        """From "system/Patient.rs system/*.cruds", in either version's form. ValueError for anything else."""
        found: dict[str, frozenset[str]] = {}
        for word in text.split():
            match = _SCOPE.fullmatch(word)
            if match is None or not match[2] or not (match[1] == ANY or is_known(match[1])):
                raise ValueError("a scope is system/<Type or *>.<letters of cruds>")
            found[match[1]] = found.get(match[1], frozenset()) | frozenset(_WORDS.get(match[2], match[2]))
        return cls(found)

    def text(self) -> str:
        """The canonical form, in order."""
        return " ".join(f"system/{name}.{_ordered(letters)}" for name, letters in sorted(self.allowed.items()))

    def allows(self, type_name: str, letter: str) -> bool:
        return letter in self.allowed.get(type_name, ()) or letter in self.allowed.get(ANY, ())

    def within(self, registered: Scopes) -> Scopes:
        """What of these is registered too: asking for every type gives those types that are registered."""
        granted: dict[str, frozenset[str]] = {}
        for name in self.allowed.keys() | registered.allowed.keys():
            letters = (self._of(name) & registered._of(name)) - (
                (self._of(ANY) & registered._of(ANY)) if name != ANY else frozenset()
            )
            if letters:
                granted[name] = letters
        return Scopes(granted)

    def _of(self, name: str) -> frozenset[str]:
        return self.allowed.get(name, frozenset()) | self.allowed.get(ANY, frozenset())


def _ordered(letters: Iterable[str]) -> str:
    return "".join(letter for letter in LETTERS if letter in letters)


@dataclass(frozen=True, slots=True)
class Registration:
    """A client as it was registered: its keys inline (`jwks`) or at an address. `rate` is requests a second; 0: any."""

    name: str
    source: str
    scopes: Scopes
    jwks: Mapping[str, Any] | None = None
    jwks_url: str = ""
    rate: int = 0
    revoked: bool = False

    def client_id(self, tenant: str) -> str:
        return f"{tenant}.{self.name}"


def split_id(client_id: str) -> tuple[str, str]:
    """Tenant and name of a client id. ValueError when it cannot be one of ours."""
    tenant, _, name = client_id.partition(".")
    if not (_NAME.fullmatch(tenant) and _NAME.fullmatch(name)):
        raise ValueError("not a client id")
    return tenant, name


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request and what it may do. `digest` tells its token apart; `until` is when that ends."""

    client: Client
    scopes: Scopes
    until: datetime
    rate: int = 0
    digest: bytes = b""

    def require(self, type_name: str, letter: str) -> None:
        """Rejected 403 when the scopes do not allow it."""
        if not self.scopes.allows(type_name, letter):
            raise Rejected(403, outcome_of("forbidden", f"the scope system/{type_name}.{letter} is needed"))


@dataclass(frozen=True, slots=True)
class Access:
    """One access as the audit keeps it. `action` is FHIR's C, R, U, D or E; `status` the HTTP status that went out."""

    tenant: str
    client: str
    at: datetime
    action: str
    interaction: str
    type: str = ""
    id: str = ""
    status: int = 200
    query: str = ""
    trace: str = ""


class TokenRefused(Exception):
    """The token endpoint says no: an OAuth 2.0 error code (RFC 6749, 5.2) and a sentence without the sender's data."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status
