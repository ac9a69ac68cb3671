"""A tiny OpenID Connect provider: it signs what a test wants it to sign, and keeps what it was asked."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import RSAKey
from kernel.clock import Clock

ISSUER = "https://login.example.org"
CLIENT = "throughline"
SECRET = "a secret of the client"
CONSOLE = "https://console.example.org"
SETTINGS = {
    "console_login": "oidc",
    "console_url": CONSOLE,
    "console_issuer": ISSUER,
    "console_client_id": CLIENT,
    "console_client_secret": SECRET,
    "console_secret": "only in tests: " + "x" * 32,
    "console_roles": {"billing": "biller", "it": "admin", "all-staff": "viewer"},
}


@dataclass
class Provider:
    """The provider. `claims` go over what the ID token would hold, None takes one away; `key` signs."""

    clock: Clock
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: RSAKey | None = None
    id_token: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    challenges: dict[str, dict[str, str]] = field(default_factory=dict)
    away: bool = False

    def transport(self) -> httpx.AsyncBaseTransport:
        """Stands in for the network."""
        return httpx.ASGITransport(self.app())

    def authorize(self, address: str) -> str:
        """What the person does at the provider: signs in there, and comes back with a code."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(given)
        code = f"code-{len(self.asked)}"
        self.challenges[code] = given
        return code

    def app(self) -> FastAPI:
        """The endpoints that a client without a browser asks."""
        app = FastAPI()
        app.add_api_route("/.well-known/openid-configuration", self.discover)
        app.add_api_route("/keys", self.keys)
        app.add_api_route("/token", self.token, methods=["POST"])
        return app

    async def discover(self) -> JSONResponse:
        if self.away:
            return JSONResponse({}, 503)
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
                "end_session_endpoint": f"{ISSUER}/logout",
                **self.metadata,
            }
        )

    async def keys(self) -> dict[str, Any]:
        return {"keys": [(self.published or self.key).as_dict(private=False)]}

    async def token(
        self,
        request: Request,
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
    ) -> JSONResponse:
        """RFC 6749, 4.1.3 with RFC 7636, 4.6: a code is worth something once, to whoever knows its verifier."""
        asked = self.challenges.pop(code, None)
        digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        basic = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        known = request.headers.get("authorization") in (f"Basic {basic}", f"Basic {plain}")
        fits = asked is not None and asked["code_challenge"] == digest and asked["redirect_uri"] == redirect_uri
        if not known or not fits or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = self.id_token if self.id_token is not None else self.sign(asked["nonce"])
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": token})

    def sign(self, nonce: str) -> str:
        now = int(self._now().timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": "person-1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Grace Example",
            "groups": ["billing"],
            **self.claims,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid or "one"}, given, self.key)

    def _now(self) -> datetime:
        return self.clock.now()
