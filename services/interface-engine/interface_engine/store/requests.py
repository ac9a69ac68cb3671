"""Requests that write, once each: the log of what was answered, and what was received as it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bus import Unit

from interface_engine.model import Client
from interface_engine.store.shapes import Overtaken

_CLAIM = """
insert into request_log (key, client, received_at) values ($1, $2, $3) on conflict (tenant, key) do nothing returning 1
"""
_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_FINISH = """
with done as (update request_log set status = $2, headers = $3, response = $4 where key = $1)
insert into received (sha256, received_at, client, source, method, url, body) values ($5, $6, $7, $8, $9, $10, $11)
"""


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that the same request got before."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Requests:
    """The request log in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    async def claim_request(self, key: bytes, client: str) -> Replay | None:
        """Takes the request as ours, or gives the answer that it got before; waits for one that is under way."""
        if await self._conn.fetchval(_CLAIM, key, client, self._unit.now) is not None:
            return None
        row = await self._conn.fetchrow("select status, headers, response from request_log where key = $1", key)
        if row is None or row["status"] is None:
            raise Overtaken
        return Replay(row["status"], json.loads(row["headers"]), row["response"])

    async def finish_request(
        self, key: bytes, answer: Replay, client: Client, method: str, url: str, body: bytes, sha256: bytes
    ) -> None:
        """Keeps the answer for the next time, and what was received as it came."""
        headers = json.dumps(dict(answer.headers))
        arguments = (sha256, self._unit.now, client.id, client.source, method, url, body)
        await self._conn.execute(_FINISH, key, answer.status, headers, answer.body, *arguments)

    async def lock(self, text: str) -> None:
        """Waits until nobody else in this tenant holds the same text; until the end of the transaction."""
        await self._conn.execute(_LOCK, f"{self._unit.tenant}|{text}")
