"""A lock that one replica of a service holds at a time, by the session that holds it."""

from __future__ import annotations

import asyncio

import asyncpg

RETRY_S = 1.0


async def take_lock(conn: asyncpg.Connection, name: str) -> None:
    """Waits until this session holds the named advisory lock. It is freed when the session ends."""
    while True:
        if await conn.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
            return
        await asyncio.sleep(RETRY_S)
