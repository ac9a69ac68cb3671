"""Writes bulk exports in the background, a file at a time under a lease, so that another can go on after a crash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bus import Database
from chassis.storage_errors import STORAGE_ERRORS
from kernel.errors import Unavailable
from kernel.identifiers import uuid7

from interface_engine.handlers.exporting import Rules, write_file
from interface_engine.model_exports import Export
from interface_engine.store.exporting import Exports
from interface_engine.store.repository import Repository
from interface_engine.store.standing import EXPORTS, standing_tenants

_LEASE = timedelta(seconds=120)
_LOOK_AGAIN = timedelta(milliseconds=500)
_TRIES = 5
_PRUNED_EVERY_S = 60.0


@dataclass
class ExportWorker:
    """Several on one database share the exports; each has one at a time, and `parallel` of them here."""

    database: Database
    rules: Rules
    log: Any
    parallel: int = 2
    every_s: float = 1.0
    _pruned: float = field(default=float("-inf"))

    async def run(self) -> None:
        """Until cancelled. Unavailable when the store is away: run it again after a while."""
        while True:
            try:
                worked = await self.work()
            except STORAGE_ERRORS as error:
                raise Unavailable("export-store-away", "the exports cannot be read", 1.0) from error
            if not worked:
                await asyncio.sleep(self.every_s)

    async def work(self) -> int:
        """Writes what can be written now, to its end; how many exports that were."""
        tenants = await self._tenants()
        if time.monotonic() - self._pruned > _PRUNED_EVERY_S:
            await self.prune(tenants)
        return sum([await self._work_on(tenant) for tenant in tenants])

    async def _tenants(self) -> Mapping[str, int]:
        return await standing_tenants(self.database, EXPORTS)

    async def prune(self, tenants: Mapping[str, int]) -> None:
        """Deletes what has expired."""
        self._pruned = time.monotonic()
        for tenant in tenants:
            async with self.database.unit(tenant) as unit:
                await Exports(unit).prune()

    async def _work_on(self, tenant: str) -> int:
        lease = str(uuid7())
        async with self.database.unit(tenant) as unit:
            claimed = await Exports(unit).claim(self.parallel, lease, unit.now + _LEASE)
        await asyncio.gather(*(self._write(tenant, one, lease) for one in claimed))
        return len(claimed)

    async def _write(self, tenant: str, export: Export, lease: str) -> None:
        try:
            if not await self._settled(tenant, export, lease):
                return
            while await self.write_next(tenant, export.id, lease):
                pass
        except STORAGE_ERRORS as error:
            self.log.info("export waits", error=type(error).__name__)  # its lease runs out
        except Exception as error:
            self.log.error("export failed", exc_info=error)
            await self._failed(tenant, export, lease)

    async def _settled(self, tenant: str, export: Export, lease: str) -> bool:
        """Whether all is written that began before the export's moment."""
        async with self.database.unit(tenant) as unit:
            exports = Exports(unit)
            if await exports.fence(export):
                return True
            await exports.later(export.id, lease, unit.now + _LOOK_AGAIN)
            return False

    async def write_next(self, tenant: str, identity: str, lease: str) -> bool:
        """One file and the place behind it, in one transaction. False when it is done, cancelled or another's."""
        async with self.database.unit(tenant) as unit:
            exports = Exports(unit)
            export = await exports.held(identity, lease, unit.now + _LEASE)
            return export is not None and await write_file(exports, Repository(unit), export, self.rules)

    async def _failed(self, tenant: str, export: Export, lease: str) -> None:
        async with self.database.unit(tenant) as unit:
            exports = Exports(unit)
            wait = timedelta(seconds=5 * 2**export.attempts)
            if await exports.later(export.id, lease, unit.now + wait, failed=True) >= _TRIES:
                await exports.finish(export.id, unit.now + self.rules.keep, failed=True)
