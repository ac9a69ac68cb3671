"""Delivers notifications: a book of who listens, renewed each second, and a worker that posts under a lease."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
from bus import Database, Unit
from chassis.storage_errors import STORAGE_ERRORS
from kernel.errors import Unavailable
from kernel.identifiers import uuid7

from interface_engine.handlers.delivering import Notification, Rules, conclude, prepare_next
from interface_engine.handlers.notices import Listeners
from interface_engine.model_notices import Line
from interface_engine.store.notices import Notices
from interface_engine.store.repository import Repository
from interface_engine.store.shapes import RETRIED
from interface_engine.store.standing import NOTICES, standing_tenants

Made = TypeVar("Made")
# A book that is older than this is not believed; the settling time of a new subscription is longer.
TRUSTED_S = 2.0
_RENEWED_S = 1.0
_MOST_READ = 64 * 1024
_ROUNDS = 50
_TRIES = 4
_MARGIN = timedelta(seconds=30)
_PRUNED_EVERY_S = 60.0
_NOBODY = Listeners()


@dataclass
class HookBook:
    """Who listens, of all tenants, in memory. `run` renews it; without that every change asks the database."""

    database: Database
    plain_http: bool = False
    monotonic: Callable[[], float] = time.monotonic
    noted: asyncio.Event = field(default_factory=asyncio.Event)
    _tenants: dict[str, tuple[int, Listeners]] = field(default_factory=dict)
    _renewed: float = float("-inf")

    def of(self, tenant: str) -> Listeners | None:
        """None when the book is too old."""
        if self.monotonic() - self._renewed > TRUSTED_S:
            return None
        known = self._tenants.get(tenant)
        return known[1] if known is not None else _NOBODY

    @property
    def tenants(self) -> tuple[str, ...]:
        """Those that have subscriptions, or had some."""
        return tuple(self._tenants)

    def wake(self) -> None:
        self.noted.set()

    async def renew(self) -> None:
        """One statement when nothing has changed, and one more for each tenant where something has."""
        began = self.monotonic()
        revisions = await standing_tenants(self.database, NOTICES)
        found = dict(self._tenants)
        for tenant, revision in revisions.items():
            if tenant not in found or found[tenant][0] != revision:
                async with self.database.unit(tenant) as unit:
                    found[tenant] = (revision, Listeners.of(await Notices(unit).recording()))
        self._tenants, self._renewed = found, began

    async def run(self) -> None:
        """Until cancelled. Unavailable when the store is away: run it again."""
        while True:
            try:
                await self.renew()
            except STORAGE_ERRORS as error:
                raise Unavailable("notice-store-away", "the subscriptions cannot be read", _RENEWED_S) from error
            await asyncio.sleep(_RENEWED_S)


def hook_client() -> httpx.AsyncClient:
    """What endpoints are called with: no redirects, no cookies, no proxies from the environment."""
    return httpx.AsyncClient(
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=50),
        timeout=httpx.Timeout(15.0, connect=5.0),
    )


@dataclass
class NoticeWorker:
    """Posts what is to be told. Several on one database share the subscriptions; each has one at a time.

    `parallel` endpoints are waited for at once: one that is dead holds up its own subscription, and after a failure
    not even a place. `keep` is how long events are kept for $events.
    """

    database: Database
    book: HookBook
    http: httpx.AsyncClient
    rules: Rules
    log: Any
    keep: timedelta = timedelta(days=14)
    parallel: int = 16
    every_s: float = 0.5
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _pruned: float = float("-inf")

    async def run(self) -> None:
        """Until cancelled. Unavailable when the store is away: run it again after a while."""
        try:
            while True:
                self.book.noted.clear()
                if not await self._start():
                    await self._wait()
        finally:
            for task in self._running:
                task.cancel()

    async def work(self) -> int:
        """Serves what can be served now, to its end; how many subscriptions that were."""
        started = await self._start()
        while self._running:
            await asyncio.wait(self._running)
        return started

    async def _wait(self) -> None:
        """Until something is to tell, or a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.every_s):
                await self.book.noted.wait()

    async def _start(self) -> int:
        try:
            await self._prune()
            return sum([await self._start_of(tenant) for tenant in await self._tenants()])
        except STORAGE_ERRORS as error:
            raise Unavailable("notice-store-away", "the subscriptions cannot be read", 1.0) from error

    async def _tenants(self) -> tuple[str, ...]:
        return tuple(await standing_tenants(self.database, NOTICES))

    async def _start_of(self, tenant: str) -> int:
        free = self.parallel - len(self._running)
        if free <= 0:
            return 0
        lease = str(uuid7())
        async with self.database.unit(tenant) as unit:
            claimed = await Notices(unit).claim(free, lease, unit.now + timedelta(seconds=60) + _MARGIN)
        for line in claimed:
            task = asyncio.create_task(self._serve(tenant, line, lease))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(claimed)

    async def _serve(self, tenant: str, line: Line, lease: str) -> None:
        """Sends one notification after the other as long as there are some and they are taken."""
        sent: Notification | None = None
        failure = ""
        try:
            for _ in range(_ROUNDS):
                sent = await self._step(tenant, line.id, lease, sent, failure)
                if sent is None:
                    return
                failure = await self.post(sent)
            await self._step(tenant, line.id, lease, sent, failure, last=True)
        except (*STORAGE_ERRORS, *RETRIED) as error:
            self.log.info("subscription waits", error=type(error).__name__)  # its lease runs out
        except Exception as error:
            self.log.error("subscription failed", exc_info=error)

    async def _step(
        self, tenant: str, identity: str, lease: str, sent: Notification | None, failure: str, last: bool = False
    ) -> Notification | None:
        """Marks what was sent and takes what is next, in one transaction."""

        async def attempt(unit: Unit) -> Notification | None:
            log, shelf = Notices(unit, self.rules.base_url), Repository(unit, self.rules.base_url)
            line = await log.held(identity, lease, unit.now + timedelta(seconds=60) + _MARGIN)
            if line is not None and sent is not None:
                going = await conclude(log, shelf, line, sent, failure, self.rules)
                line = await log.held(identity, lease) if going else None
            if line is None:
                return None
            if last:
                await log.release(identity, lease)
                return None
            return await prepare_next(log, shelf, line, lease, self.rules)

        return await self._retrying(tenant, attempt)

    async def _retrying(self, tenant: str, attempt: Callable[[Unit], Awaitable[Made]]) -> Made:
        for left in reversed(range(_TRIES)):
            try:
                async with self.database.unit(tenant) as unit:
                    return await attempt(unit)
            except RETRIED:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def post(self, sent: Notification) -> str:
        """Posts it; "" for a good answer, else what is told as the reason. Answers are read up to a bound."""
        hook = sent.hook
        headers = [*hook.headers, ("Content-Type", hook.media_type)]
        try:
            async with asyncio.timeout(hook.timeout_s):
                call = self.http.stream(
                    "POST", hook.endpoint, content=sent.body, headers=headers, timeout=hook.timeout_s
                )
                async with call as answer:
                    read = 0
                    async for part in answer.aiter_raw():
                        read += len(part)
                        if read > _MOST_READ:
                            break
                    good = 200 <= answer.status_code < 300
                    return "" if good else f"the endpoint answered with status {answer.status_code}"
        except (TimeoutError, httpx.TimeoutException):
            return "the endpoint did not answer in time"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            return "the endpoint cannot be reached"

    async def _prune(self) -> None:
        now = time.monotonic()
        if now - self._pruned < _PRUNED_EVERY_S:
            return
        self._pruned = now
        for tenant in await self._tenants():
            async with self.database.unit(tenant) as unit:
                await Notices(unit).prune(self.keep)
