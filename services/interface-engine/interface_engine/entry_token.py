"""The token endpoint and what tells clients of it: SMART Backend Services over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bus import Database
from fastapi import FastAPI, Request, Response
from kernel.errors import LineError

from interface_engine.clients.key_sets import KeySets
from interface_engine.entry_http import FhirDoor, Route
from interface_engine.entry_http.asked import Asked
from interface_engine.handlers import access
from interface_engine.model_access import TokenRefused
from interface_engine.store.access import AccessStore
from interface_engine.wire.answers import Answer
from interface_engine.wire.text import json_bytes

TOKEN_PATH = "/oauth2/token"
CONFIGURATION_PATH = "/fhir/.well-known/smart-configuration"
_FORM = "application/x-www-form-urlencoded"
_LARGEST = 65_536
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass(frozen=True)
class TokenDoor:
    """`base_url` is our FHIR address as others see it."""

    database: Database
    keys: KeySets
    base_url: str
    lifetime: timedelta

    @property
    def token_url(self) -> str:
        return token_url_of(self.base_url)

    async def token(self, request: Request) -> Response:
        """A token, or OAuth's own form of an error."""
        try:
            form = await _form(request)
            claimed = access.claimed_by(form)
            async with self.database.unit(claimed.tenant) as unit:
                issued = await access.issue_token(
                    AccessStore(unit),
                    claimed,
                    form.get("scope"),
                    (self.token_url, self.base_url),
                    self.keys.keys_of,
                    self.lifetime,
                )
        except TokenRefused as error:
            return _json({"error": error.code, "error_description": error.text}, error.status)
        except LineError as error:
            return _json({"error": "temporarily_unavailable", "error_description": error.reason}, 503)
        said = {"token_type": "bearer", "expires_in": issued.seconds, "scope": issued.scopes.text()}
        return _json({"access_token": issued.token} | said, 200)


def token_url_of(base_url: str) -> str:
    """Where tokens are given, for our FHIR address."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}"


def configuration(token_url: str) -> dict[str, Any]:
    """What SMART's conformance page asks for of a server with backend clients only."""
    return {
        "token_endpoint": token_url,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(access.ALGORITHMS),
        "grant_types_supported": [access.GRANT],
        "scopes_supported": ["system/*.cruds", "system/*.rs"],
        "response_types_supported": [],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }


async def _form(request: Request) -> Mapping[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise TokenRefused("invalid_request", f"a form is needed: {_FORM}")
    body = await request.body()
    if len(body) > _LARGEST:
        raise TokenRefused("invalid_request", "the request is too large")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise TokenRefused("invalid_request", "the form cannot be read") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise TokenRefused("invalid_request", "a parameter came twice")
    return dict(pairs)


def _json(body: Mapping[str, Any], status: int) -> Response:
    headers = _NOT_KEPT | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return Response(json.dumps(body), status, headers, media_type="application/json")


def add_token_route(app: FastAPI, door: TokenDoor) -> None:
    """The endpoint lies beside the FHIR address, not below it."""
    app.router.add_route(TOKEN_PATH, door.token, methods=["POST"], include_in_schema=False)


def configuration_route() -> Route:
    """The row that tells clients of the endpoint; it needs no token."""
    summary = "Where and how a client gets a token"
    return Route(
        "GET", CONFIGURATION_PATH, "smart-configuration", _tell, summary, action="R", open=True, negotiates=False
    )


async def _tell(door: FhirDoor, _asked: Asked) -> Answer:
    return Answer(200, json_bytes(configuration(door.token_url)), media_type="application/json")
