"""Who is signed in: a row per session, found by what a sealed cookie holds, and gone the moment it is ended."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bus import Database

from journey.console.seal import Seal
from journey.console.settings import ROLES

# A session in use is written down at most so often: pages are read more than once a minute.
SEEN_EVERY = timedelta(seconds=60)

_FIND = """
select subject, name, role, seen_at, id_token from console_session
where session_key = $1 and ended_at is null and started_at > $2 and seen_at > $3
"""
_START = """
insert into console_session (session_key, subject, name, role, started_at, seen_at, id_token)
values ($1, $2, $3, $4, $5, $5, $6)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `session_key` is the digest of the cookie's value; `csrf` belongs into every form."""

    tenant: str
    subject: str
    name: str
    role: str
    session_key: str
    csrf: str
    id_token: str = ""

    def may(self, role: str) -> bool:
        """Whether the person's role includes this one: admin includes biller, which includes viewer."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Starts, finds and ends sessions. Both limits hold: since the last request, and since signing in."""

    database: Database
    seal: Seal
    idle: timedelta
    longest: timedelta

    async def start(self, tenant: str, subject: str, name: str, role: str, id_token: str = "") -> str:
        """A new session; the text of its cookie. Never an old one again: the value is made here and now."""
        value = secrets.token_urlsafe(32)
        sealed = self.seal.close({"token": id_token}) if id_token else ""
        async with self.database.transaction(tenant) as conn:
            await conn.execute(_START, _key(value), subject, name, role, self._now(), sealed)
        return self.seal.close({"tenant": tenant, "value": value})

    async def find(self, cookie: str) -> Person | None:
        """The person of a cookie; None when it is not ours, or its session has ended or run out."""
        opened = self.seal.open(cookie, self._longest_s)
        if opened is None or "value" not in opened:
            return None
        tenant, value = str(opened["tenant"]), str(opened["value"])
        key, now = _key(value), self._now()
        async with self.database.transaction(tenant) as conn:
            row = await conn.fetchrow(_FIND, key, now - self.longest, now - self.idle)
            if row is not None and row["seen_at"] + SEEN_EVERY < now:
                await conn.execute("update console_session set seen_at = $2 where session_key = $1", key, now)
        if row is None:
            return None
        token = (self.seal.open(row["id_token"], self._longest_s) or {}).get("token", "") if row["id_token"] else ""
        return Person(tenant, row["subject"], row["name"], row["role"], key, self.seal.token("csrf", value), token)

    async def end(self, person: Person) -> None:
        """The session is over, also for whoever copied its cookie. The token of the issuer is not kept any longer."""
        async with self.database.transaction(person.tenant) as conn:
            await conn.execute(
                "update console_session set ended_at = $2, id_token = '' where session_key = $1",
                person.session_key,
                self._now(),
            )

    @property
    def _longest_s(self) -> int:
        return int(self.longest.total_seconds())

    def _now(self) -> datetime:
        return self.database.clock.now()


def _key(value: str) -> str:
    """What stands in the table: who reads the table cannot make the cookie."""
    return hashlib.sha256(value.encode()).hexdigest()
