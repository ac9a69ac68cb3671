"""Where every request passes: its token, its pace, and the record that it was here."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bus import Database
from chassis.storage_errors import STORAGE_ERRORS
from fhir_r4 import outcome_of
from kernel.clock import Clock
from kernel.errors import Unavailable

from interface_engine.handlers.access import admit, digest_of
from interface_engine.model import Client, Rejected
from interface_engine.model_access import Access, Caller, Scopes, split_id
from interface_engine.store.access import AccessStore
from interface_engine.together import Together

_SCHEME = "bearer "
# A token that was revoked is refused after so long at the latest, on every replica.
_REMEMBERED = timedelta(seconds=15)
_MOST_REMEMBERED = 10_000


class TooFast(Rejected):
    """429: the client's pace is above what was registered. `after_s` is when to come again."""

    def __init__(self, after_s: float) -> None:
        super().__init__(429, outcome_of("throttled", "more requests than this client is registered for"))
        self.after_s = after_s


@dataclass(slots=True)
class _Pace:
    """A bucket that fills by `rate` a second and holds a second's worth."""

    tokens: float
    at: datetime

    def take(self, rate: int, now: datetime) -> float:
        """0.0 when a request may go on, else the seconds until one may."""
        self.tokens = min(float(rate), self.tokens + (now - self.at).total_seconds() * rate)
        self.at = now
        if self.tokens < 1.0:
            return (1.0 - self.tokens) / rate
        self.tokens -= 1.0
        return 0.0


@dataclass
class Gate:
    """Gives the caller of a request. `open_to` lets in whoever brings no token, on a machine of one's own."""

    database: Database
    clock: Clock
    open_to: Caller | None = None
    _known: OrderedDict[bytes, tuple[Caller, datetime]] = field(default_factory=OrderedDict)
    _paces: dict[tuple[str, str], _Pace] = field(default_factory=dict)

    async def caller(self, authorization: str) -> Caller:
        """Rejected 401 without a good token, 429 above the client's pace."""
        if not authorization and self.open_to is not None:
            return self.open_to
        caller = await self._admitted(authorization)
        if caller is None:
            raise Rejected(401, outcome_of("login", "a bearer token of a registered client is needed"))
        self._keep_pace(caller)
        return caller

    async def _admitted(self, authorization: str) -> Caller | None:
        if not authorization.lower().startswith(_SCHEME):
            return None
        token = authorization[len(_SCHEME) :].strip()
        digest, now = digest_of(token), self.clock.now()
        known = self._known.get(digest)
        if known is not None and now < min(known[1], known[0].until):
            return known[0]
        try:
            tenant, _ = split_id(token.partition(".")[0] + ".token")
        except ValueError:
            return None
        async with self.database.unit(tenant) as unit:
            caller = await admit(AccessStore(unit), digest)
        self._known.pop(digest, None)
        if caller is not None:
            self._remember(digest, caller, now + _REMEMBERED)
        return caller

    def _remember(self, digest: bytes, caller: Caller, until: datetime) -> None:
        self._known[digest] = (caller, until)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    def _keep_pace(self, caller: Caller) -> None:
        if caller.rate == 0:
            return
        now, key = self.clock.now(), (caller.client.tenant, caller.client.id)
        pace = self._paces.setdefault(key, _Pace(float(caller.rate), now))
        wait = pace.take(caller.rate, now)
        if wait:
            raise TooFast(wait)


def open_caller(tenant: str, source: str = "default") -> Caller:
    """Who everybody is while the door stands open."""
    far = datetime.max.replace(tzinfo=UTC)
    scopes = Scopes.read("system/*.cruds")
    return Caller(Client("open-door", tenant, source), scopes, far)


class AuditTrail:
    """Keeps accesses; an answer waits until its access is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together: Together[Access, None] = Together(self._write)

    async def record(self, access: Access) -> None:
        """Unavailable when it cannot be kept: what is not recorded is not answered."""
        try:
            await self._together.add(access)
        except STORAGE_ERRORS as error:
            raise Unavailable("audit-away", "the access cannot be recorded now; try again", 1.0) from error

    async def _write(self, accesses: list[Access]) -> list[None]:
        by_tenant: dict[str, list[Access]] = {}
        for access in accesses:
            by_tenant.setdefault(access.tenant, []).append(access)
        for tenant, rows in by_tenant.items():
            async with self._database.unit(tenant) as unit:
                await AccessStore(unit).record(rows)
        return [None] * len(accesses)
