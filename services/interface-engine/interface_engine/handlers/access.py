"""Lets clients in by SMART Backend Services: registers them, checks what they sign, and gives short tokens.

Source: SMART App Launch 2.2, "Backend Services" and "Client Authentication: Asymmetric"; RFC 7523 for the assertion.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from kernel.errors import Refused, Unreadable

from interface_engine.model import Client
from interface_engine.model_access import Caller, Registration, Scopes, TokenRefused, split_id

ALGORITHMS = ("RS384", "ES384")
GRANT = "client_credentials"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = timedelta(minutes=5)
_LEEWAY = timedelta(seconds=5)  # clocks of two machines are never quite the same
_LONGEST_JTI = 512


class Register(Protocol):
    """Clients, their tokens and the assertions that were used, in one open transaction of their tenant."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def client(self, name: str) -> Registration | None: ...
    async def add_client(self, client: Registration) -> bool: ...
    async def use_assertion(self, client: str, jti_sha256: bytes, expires_at: datetime) -> bool: ...
    async def keep_token(self, sha256: bytes, client: str, scopes: str, expires_at: datetime) -> None: ...
    async def token(self, sha256: bytes) -> tuple[Registration, str, datetime] | None: ...


@dataclass(frozen=True, slots=True)
class Issued:
    """A token for a client: its text, which is kept nowhere, what it allows, and for how long."""

    token: str
    scopes: Scopes
    seconds: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What an assertion says of itself before it has been verified: whose it is."""

    tenant: str
    name: str
    text: str


async def register_client(register: Register, client: Registration, sources: Collection[str]) -> None:
    """Keeps a client, or again the same. Unreadable for what cannot be used, Refused when another has the name."""
    if client.source not in sources:
        raise Unreadable("client-source", "source", "no feed of that name is configured")
    if bool(client.jwks) == bool(client.jwks_url):
        raise Unreadable("client-keys", "jwks", "a key set is needed: inline or by address, not both")
    if client.jwks:
        public_keys(client.jwks)
    if client.jwks_url and not _may_fetch(client.jwks_url):
        raise Unreadable("client-keys", "jwks_url", "an https address is needed (http only for this machine)")
    if not client.scopes.allowed:
        raise Unreadable("client-scopes", "scopes", "at least one scope such as system/Patient.rs is needed")
    if not await register.add_client(client) and await register.client(client.name) != client:
        raise Refused("client-exists", "a client of that name is registered with other data", "already_exists")


def claimed_by(form: Mapping[str, str]) -> Claimed:
    """Whose assertion a token request carries. TokenRefused for a request of another form."""
    if form.get("grant_type") != GRANT:
        raise TokenRefused("unsupported_grant_type", f"grant_type is {GRANT}")
    if form.get("client_assertion_type") != ASSERTION:
        raise TokenRefused("invalid_request", f"client_assertion_type is {ASSERTION}")
    text = form.get("client_assertion", "")
    try:
        tenant, name = split_id(str(_unverified(text).get("iss")))
    except ValueError:
        raise _stranger() from None
    return Claimed(tenant, name, text)


async def issue_token(
    register: Register,
    claimed: Claimed,
    wanted: str | None,
    audiences: Collection[str],
    keys_of: Callable[[Registration, str], Awaitable[KeySet]],
    lifetime: timedelta,
) -> Issued:
    """A token for what is both asked and registered; the assertion is used up. TokenRefused otherwise."""
    client = await register.client(claimed.name)
    if client is None or client.revoked:
        raise _stranger()
    claims = await _verified(claimed.text, client, keys_of)
    _check_claims(claims, client.client_id(register.tenant), audiences, register.now)
    jti, expires_at = hashlib.sha256(claims["jti"].encode()).digest(), _instant(claims["exp"]) + _LEEWAY
    if not await register.use_assertion(client.name, jti, expires_at):
        raise TokenRefused("invalid_client", "this assertion was used before: sign a new one", 401)
    scopes = _granted(wanted, client.scopes)
    token = f"{register.tenant}.{secrets.token_urlsafe(32)}"
    await register.keep_token(digest_of(token), client.name, scopes.text(), register.now + lifetime)
    return Issued(token, scopes, int(lifetime.total_seconds()))


async def admit(register: Register, digest: bytes) -> Caller | None:
    """The caller whose token this is; None when it is unknown, out of date or its client was revoked."""
    found = await register.token(digest)
    if found is None:
        return None
    client, scopes, expires_at = found
    if client.revoked or expires_at <= register.now:
        return None
    return Caller(
        Client(client.name, register.tenant, client.source), Scopes.read(scopes), expires_at, client.rate, digest
    )


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _stranger() -> TokenRefused:
    """The same for an unknown client and for a wrong signature: who guesses names learns nothing."""
    return TokenRefused("invalid_client", "no registered client signed this assertion", 401)


def _unverified(text: str) -> Mapping[str, Any]:
    """The claims of an assertion that nobody has checked. ValueError when there are none."""
    try:
        token = jws.extract_compact(text.encode())
        claims = _json_object(token.payload)
    except (JoseError, UnicodeError) as error:
        raise ValueError("not a signed JWT") from error
    return claims


def _json_object(payload: bytes) -> Mapping[str, Any]:
    found = json.loads(payload)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


async def _verified(
    text: str, client: Registration, keys_of: Callable[[Registration, str], Awaitable[KeySet]]
) -> Mapping[str, Any]:
    try:
        kid = str(jws.extract_compact(text.encode()).headers().get("kid", ""))
        token = jwt.decode(text, await keys_of(client, kid), algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, UnicodeError) as error:
        raise _stranger() from error
    return token.claims


def _check_claims(claims: Mapping[str, Any], client_id: str, audiences: Collection[str], now: datetime) -> None:
    said = claims.get("aud")
    named = said if isinstance(said, list) else [said]
    jti = claims.get("jti")
    checks = (
        (claims.get("iss") == client_id == claims.get("sub"), "iss and sub are both the client id"),
        (any(one in audiences for one in named if isinstance(one, str)), "aud is the address of the token endpoint"),
        (isinstance(jti, str) and 0 < len(jti) <= _LONGEST_JTI, "jti is a text that is used once"),
        (_in_time(claims, now), "exp lies at most five minutes ahead, and nbf and iat not in the future"),
    )
    for holds, rule in checks:
        if not holds:
            raise TokenRefused("invalid_client", f"the assertion is not right: {rule}", 401)


def _in_time(claims: Mapping[str, Any], now: datetime) -> bool:
    """Booleans are numbers to Python and not to JSON."""
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if "exp" not in times or any(type(value) not in (int, float) for value in times.values()):
        return False
    if not now - _LEEWAY < _instant(times["exp"]) <= now + LONGEST_ASSERTION + _LEEWAY:
        return False
    return all(_instant(times[name]) <= now + _LEEWAY for name in ("nbf", "iat") if name in times)


def _instant(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC) - LONGEST_ASSERTION


def _granted(wanted: str | None, registered: Scopes) -> Scopes:
    """Who names no scope at all, as @medplum/core does, means what is registered (RFC 6749, 3.3)."""
    if wanted is None:
        return registered
    try:
        granted = Scopes.read(wanted).within(registered)
    except ValueError as error:
        raise TokenRefused("invalid_scope", str(error)) from None
    if not granted.allowed:
        raise TokenRefused("invalid_scope", "none of the scopes asked for is registered for this client")
    return granted


def public_keys(jwks: Mapping[str, Any]) -> KeySet:
    """A key set with at least one key that we can use, and no private or shared secret in it."""
    keys = jwks.get("keys")
    rows = keys if isinstance(keys, list) else []
    if not rows or any(not isinstance(row, dict) or row.get("kty") not in ("RSA", "EC") for row in rows):
        raise Unreadable("client-keys", "jwks", "a JSON Web Key Set with RSA or EC keys is needed")
    if any("d" in row for row in rows):
        raise Unreadable("client-keys", "jwks", "there is a private key in the set: give the public ones only")
    try:
        return KeySet.import_key_set({"keys": rows})
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Unreadable("client-keys", "jwks", f"a key that cannot be read ({type(error).__name__})") from error


def _may_fetch(url: str) -> bool:
    parts = urlsplit(url)
    return (parts.scheme == "https" and bool(parts.hostname)) or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    )
