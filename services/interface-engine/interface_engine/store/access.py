"""SQL of who comes in: clients, tokens, assertions that were used, and the record of accesses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bus import Unit
from kernel.identifiers import uuid7

from interface_engine.model_access import Access, Registration, Scopes

_ADD = """
insert into client (name, source, scopes, jwks, jwks_url, rate, added_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant, name) do nothing returning 1
"""
_COLUMNS = "c.name, c.source, c.scopes, c.jwks, c.jwks_url, c.rate, c.revoked_at is not null as revoked"
_TOKEN = f"""
select {_COLUMNS}, t.scopes as granted, t.expires_at
from access_token t join client c on c.tenant = t.tenant and c.name = t.client where t.sha256 = $1
"""
# What has run out goes when its client asks for more.
_KEEP_TOKEN = """
with gone as (delete from access_token where client = $2 and expires_at < $5)
insert into access_token (sha256, client, scopes, expires_at) values ($1, $2, $3, $4)
"""
_USE = """
with gone as (delete from assertion where client = $1 and expires_at < $4)
insert into assertion (client, jti_sha256, expires_at) values ($1, $2, $3)
on conflict (tenant, client, jti_sha256) do nothing returning 1
"""
_RECORD = """
insert into access_event (id, at, client, action, interaction, type, resource_id, status, query, trace)
select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::integer[], $9::text[], $10::text[])
"""


class AccessStore:
    """The Register of the handlers over the bus's open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    @property
    def tenant(self) -> str:
        return self._unit.tenant

    @property
    def now(self) -> datetime:
        return self._unit.now

    async def client(self, name: str) -> Registration | None:
        row = await self._conn.fetchrow(f"select {_COLUMNS} from client c where c.name = $1", name)
        return _registration(row) if row is not None else None

    async def clients(self) -> list[Registration]:
        return [_registration(row) for row in await self._conn.fetch(f"select {_COLUMNS} from client c order by name")]

    async def add_client(self, client: Registration) -> bool:
        """False when there is one of that name."""
        keys = json.dumps(client.jwks, sort_keys=True) if client.jwks else ""
        arguments = (client.name, client.source, client.scopes.text(), keys, client.jwks_url, client.rate, self.now)
        return await self._conn.fetchval(_ADD, *arguments) is not None

    async def revoke_client(self, name: str) -> bool:
        """Its tokens are worth nothing from now on. False when there is no such client."""
        sql = "update client set revoked_at = coalesce(revoked_at, $2) where name = $1 returning 1"
        return await self._conn.fetchval(sql, name, self.now) is not None

    async def use_assertion(self, client: str, jti_sha256: bytes, expires_at: datetime) -> bool:
        """False when it was used before."""
        return await self._conn.fetchval(_USE, client, jti_sha256, expires_at, self.now) is not None

    async def keep_token(self, sha256: bytes, client: str, scopes: str, expires_at: datetime) -> None:
        await self._conn.execute(_KEEP_TOKEN, sha256, client, scopes, expires_at, self.now)

    async def token(self, sha256: bytes) -> tuple[Registration, str, datetime] | None:
        """Whose it is, what it allows and until when."""
        row = await self._conn.fetchrow(_TOKEN, sha256)
        return (_registration(row), row["granted"], row["expires_at"]) if row is not None else None

    async def record(self, accesses: Sequence[Access]) -> None:
        rows = [
            (uuid7(), one.at, one.client, one.action, one.interaction, one.type, one.id, one.status, one.query,
             one.trace)
            for one in accesses
        ]  # fmt: skip
        await self._conn.execute(_RECORD, *(list(column) for column in zip(*rows, strict=True)))


def _registration(row: Any) -> Registration:
    keys = json.loads(row["jwks"]) if row["jwks"] else None
    scopes = Scopes.read(row["scopes"])
    return Registration(row["name"], row["source"], scopes, keys, row["jwks_url"], row["rate"], row["revoked"])
