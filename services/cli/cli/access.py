"""Comes in by SMART Backend Services: signs assertions with a client's key and fetches tokens when they are needed."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters
from kernel.errors import Refused, Unavailable

ALGORITHM = "ES384"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_S = 240
_SPARE_S = 20.0  # a token is renewed so long before it ends
_TRIES = 60
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Credentials:
    """A registered client: its id, its private key as a JWK, and where tokens are given."""

    client_id: str
    key: dict[str, Any]
    token_url: str
    scope: str = "system/*.cruds"


def new_key() -> dict[str, Any]:
    """A private key on P-384 as a JWK."""
    parameters: KeyParameters = {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM}
    return dict(ECKey.generate_key("P-384", parameters, private=True).as_dict(private=True))


def public_set(key: dict[str, Any]) -> str:
    """The JWKS to register: the public half only."""
    return json.dumps({"keys": [ECKey.import_key(key).as_dict(private=False)]})


def keep_key(file: Path, key: dict[str, Any]) -> None:
    """Writes a private key that only its owner may read. FileExistsError when there is one."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(json.dumps(key))


@dataclass
class TokenSource:
    """Gives a token that is good for a while; one request fetches it for all who wait."""

    credentials: Credentials
    http: httpx.AsyncClient
    _token: str = ""
    _until: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self) -> str:
        """Refused when the server does not know the client; Unavailable when it does not answer for half a minute."""
        async with self._lock:
            if time.monotonic() >= self._until:
                await self._fetch()
            return self._token

    def forget(self) -> None:
        """The server did not take the token: fetch another next time."""
        self._until = 0.0

    async def _fetch(self) -> None:
        for _ in range(_TRIES):
            try:
                answer = await self.http.post(self.credentials.token_url, data=self._form())
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                break
            await asyncio.sleep(_PAUSE_S)
        else:
            raise Unavailable("token-endpoint", "the token endpoint does not answer")
        said = answer.json()
        if answer.status_code != 200:
            raise Refused("token-refused", f"no token: {said.get('error')}: {said.get('error_description')}")
        self._token = said["access_token"]
        self._until = time.monotonic() + float(said["expires_in"]) - _SPARE_S

    def _form(self) -> dict[str, str]:
        ours = self.credentials
        claims = {
            "iss": ours.client_id,
            "sub": ours.client_id,
            "aud": ours.token_url,
            "jti": secrets.token_urlsafe(24),
            "exp": int(time.time()) + _ASSERTION_S,
        }
        header = {"alg": ALGORITHM, "kid": str(ours.key.get("kid", ""))}
        signed = jwt.encode(header, claims, ECKey.import_key(ours.key), algorithms=[ALGORITHM])
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": signed,
            "scope": ours.scope,
        }
