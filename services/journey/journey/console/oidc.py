"""Signing in at an OpenID Connect provider: authorization code with PKCE, state and nonce; the ID token is checked.

OpenID Connect Core 1.0, 3.1.2 and 3.1.3.7; RFC 7636 (PKCE, S256); RFC 9207 (the issuer in the answer).
"""

from __future__ import annotations

import secrets
import warnings
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from kernel.clock import Clock
from kernel.errors import Unavailable

from journey.console.settings import ROLES, ConsoleSettings

with warnings.catch_warnings(record=True):  # it speaks of httpx on stderr, which is for our log and the one line
    from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
    from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
    from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]

# Only signatures that a key published by the issuer makes: never `none`, never one made with our own secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
LEEWAY_S = 60
KEPT_FOR = timedelta(hours=1)
# Keys are asked for again when a token names one that we do not know, but not by every such token.
AGAIN_AFTER = timedelta(seconds=30)
TIMEOUT_S = 10.0


class SignInRefused(Exception):
    """The sign-in is not accepted; `code` says why, without anything of what came in."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the issuer says it is."""

    subject: str
    name: str
    role: str
    tenant: str
    id_token: str


@dataclass
class Issuer:
    """One issuer: its metadata and keys, kept for an hour. `transport` replaces the network in tests."""

    settings: ConsoleSettings
    clock: Clock
    transport: httpx.AsyncBaseTransport | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _metadata_at: datetime | None = None
    _keys_at: datetime | None = None

    @property
    def redirect_uri(self) -> str:
        """Where the issuer sends people back to: fixed by the settings, never by a request."""
        return f"{self.settings.console_url.rstrip('/')}/login/callback"

    async def discover(self) -> dict[str, Any]:
        """The issuer's metadata (OpenID Connect Discovery 1.0, 4). SignInRefused when it speaks for another issuer."""
        if self._metadata_at is None or self._metadata_at + KEPT_FOR < self.clock.now():
            address = f"{self.settings.console_issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = await self._get(address)
            if metadata.get("issuer") != self.settings.console_issuer:
                raise SignInRefused("issuer-mismatch", "The identity provider says that it is another one.")
            self.metadata, self._metadata_at = metadata, self.clock.now()
        return self.metadata

    async def start(self) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what must be kept until it comes back."""
        metadata = await self.discover()
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=kept["state"],
                nonce=kept["nonce"],
                code_verifier=kept["verifier"],
            )
        return str(address), kept

    async def finish(self, code: str, kept: dict[str, Any]) -> Identity:
        """The identity behind the code that the browser brought back. SignInRefused when anything does not fit."""
        metadata = await self.discover()
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    code_verifier=kept["verifier"],
                    grant_type="authorization_code",
                )
        except OAuthError:
            raise SignInRefused("code-refused", "The identity provider did not accept the answer.") from None
        except httpx.HTTPError as error:
            raise _away() from error
        claims = await self._claims(token, kept["nonce"])
        return self._identity(claims, str(token["id_token"]))

    async def farewell(self, id_token: str) -> str:
        """Where to sign out at the issuer as well (RP-Initiated Logout 1.0); empty when it offers nothing."""
        try:
            endpoint = str((await self.discover()).get("end_session_endpoint", ""))
        except (Unavailable, SignInRefused):
            return ""
        if not endpoint:
            return ""
        query = {
            "client_id": self.settings.console_client_id,
            "post_logout_redirect_uri": f"{self.settings.console_url.rstrip('/')}/signed-out",
        }
        query |= {"id_token_hint": id_token} if id_token else {}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def farewell_origin(self) -> str:
        """The origin to which the form for signing out may lead, as far as it is known."""
        parts = urlsplit(str(self.metadata.get("end_session_endpoint", "")))
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    async def _claims(self, token: dict[str, Any], nonce: str) -> CodeIDToken:
        if not token.get("id_token"):
            raise SignInRefused("no-id-token", "The identity provider sent no ID token.")
        decoded = await self._decode(str(token["id_token"]))
        wanted = {
            "iss": {"essential": True, "value": self.settings.console_issuer},
            "aud": {"essential": True, "value": self.settings.console_client_id},
            "sub": {"essential": True},
        }
        known = {
            "nonce": nonce,
            "client_id": self.settings.console_client_id,
            "access_token": token.get("access_token"),
        }
        claims = CodeIDToken(decoded.claims, decoded.header, wanted, known)
        try:
            claims.validate(now=int(self.clock.now().timestamp()), leeway=LEEWAY_S)
        except JoseError as error:
            raise SignInRefused("id-token-refused", "The ID token does not hold.") from error
        return claims

    async def _decode(self, id_token: str) -> jwt.Token:
        """The token with its signature checked; unknown keys are looked for once more, since issuers change them."""
        try:
            return jwt.decode(id_token, await self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            if self._keys_at is not None and self._keys_at + AGAIN_AFTER > self.clock.now():
                raise SignInRefused(
                    "signature-refused", "The ID token is not signed by the identity provider."
                ) from None
        self._keys_at = None
        try:
            return jwt.decode(id_token, await self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            raise SignInRefused("signature-refused", "The ID token is not signed by the identity provider.") from None

    async def _key_set(self) -> KeySet:
        if self._keys is None or self._keys_at is None or self._keys_at + KEPT_FOR < self.clock.now():
            found = await self._get(str((await self.discover())["jwks_uri"]))
            self._keys, self._keys_at = KeySet.import_key_set({"keys": found.get("keys", [])}), self.clock.now()
        return self._keys

    def _identity(self, claims: CodeIDToken, id_token: str) -> Identity:
        role = role_of(claims.get(self.settings.console_roles_claim), self.settings.console_roles)
        if not role:
            raise SignInRefused("no-role", "You are signed in at the identity provider, but have no role here.")
        tenant = self.settings.tenant
        if self.settings.console_tenant_claim:
            tenant = str(claims.get(self.settings.console_tenant_claim) or "")
            if not tenant:
                raise SignInRefused("no-tenant", "The identity provider does not say where you belong.")
        subject = str(claims["sub"])
        name = str(claims.get("name") or claims.get("preferred_username") or subject)
        return Identity(subject, name[:200], role, tenant, id_token)

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self.settings.console_client_id,
            client_secret=self.settings.console_client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self.settings.console_client_secret else "none",
            scope=self.settings.console_scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            transport=self.transport,
            timeout=TIMEOUT_S,
        )

    async def _get(self, address: str) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=TIMEOUT_S) as client:
                answer = await client.get(address)
                answer.raise_for_status()
                found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _away() from error
        return found if isinstance(found, dict) else {}


def _away() -> Unavailable:
    return Unavailable("issuer_unavailable", "the identity provider does not answer", 5.0)


def role_of(groups: Any, roles: dict[str, str]) -> str:
    """The highest role that the groups of a claim give; the claim may be a list or words with spaces between."""
    named = groups.split() if isinstance(groups, str) else groups if isinstance(groups, list) else []
    given = {roles[group] for group in named if isinstance(group, str) and group in roles}
    return next((role for role in reversed(ROLES) if role in given), "")
