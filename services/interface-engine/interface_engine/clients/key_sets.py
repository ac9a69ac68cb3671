"""The public keys of clients: inline ones as registered, others fetched from the client's address and kept a while."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
from joserfc.jwk import KeySet
from kernel.clock import Clock
from kernel.errors import LineError, Unavailable

from interface_engine.handlers.access import public_keys
from interface_engine.model_access import Registration, TokenRefused

KEPT_FOR = timedelta(minutes=10)
# A key that we do not know may be new: ask again, but not as often as somebody likes to try.
ASKED_AGAIN_AFTER = timedelta(seconds=30)
_LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: KeySet
    kids: frozenset[str]
    at: datetime


@dataclass
class KeySets:
    """Gives the keys of a client. Registered addresses only: what a request says is never fetched."""

    http: httpx.AsyncClient
    clock: Clock
    timeout_s: float = 5.0
    _kept: dict[str, _Fetched] = field(default_factory=dict)

    async def keys_of(self, client: Registration, kid: str) -> KeySet:
        """TokenRefused when its address gives no key set; Unavailable when it does not answer."""
        if client.jwks:
            return public_keys(client.jwks)
        known = self._kept.get(client.jwks_url)
        if known is not None and self._serves(known, kid):
            return known.keys
        fetched = await self._fetch(client.jwks_url)
        self._kept[client.jwks_url] = fetched
        return fetched.keys

    def _serves(self, known: _Fetched, kid: str) -> bool:
        age = self.clock.now() - known.at
        return age < (KEPT_FOR if kid in known.kids else ASKED_AGAIN_AFTER)

    async def _fetch(self, url: str) -> _Fetched:
        try:
            async with self.http.stream("GET", url, timeout=self.timeout_s, follow_redirects=False) as answer:
                body = await _bounded(answer)
        except httpx.HTTPError as error:
            raise Unavailable("client-keys", "the client's key set cannot be fetched; try again", 2.0) from error
        if answer.status_code != 200:
            raise TokenRefused("invalid_client", "the address of the client's keys gives no key set", 401)
        try:
            rows = _object(body)
            keys = public_keys(rows)
        except (LineError, ValueError) as error:
            raise TokenRefused("invalid_client", "the address of the client's keys gives no key set", 401) from error
        return _Fetched(keys, frozenset(str(row.get("kid", "")) for row in rows["keys"]), self.clock.now())


async def _bounded(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST:
            raise TokenRefused("invalid_client", "the client's key set is too large", 401)
    return body


def _object(body: bytes) -> Mapping[str, list[dict[str, object]]]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
