"""Wires the outside world: its memory, its HTTP door, its drop folder, and the payers' paydays."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis import Parts, Runtime, Service, http_app
from chassis.preflight import check_writable
from chassis.supervise import Tasks

from simulator.entry_directory import Drop
from simulator.entry_http import Door, clearinghouse_routes
from simulator.faults import read_faults
from simulator.handlers import World, pay_due
from simulator.rules.load import SHIPPED, load_payers
from simulator.settings import Settings
from simulator.store import Store

_LOOK_EVERY_S = 0.1


async def build(runtime: Runtime) -> Parts:
    """Open the memory and start the two loops. They end before the memory closes."""
    settings: Settings = runtime.settings
    check_writable("RCM_DATA_DIR", settings.data_dir)
    if settings.drop_dir is not None:
        check_writable("RCM_DROP_DIR", settings.drop_dir)
    own = settings.site_dir / "simulator" if settings.site_dir else SHIPPED
    world = World(
        store=await asyncio.to_thread(Store, settings.data_dir),
        rules=load_payers(own if (own / "payers.toml").is_file() else SHIPPED),
        pay_after=timedelta(milliseconds=settings.pay_after_ms),
        faults=read_faults(settings.faults, settings.fault_seed),
    )

    async def settle() -> None:
        while True:
            await asyncio.to_thread(pay_due, world, runtime.clock.now())
            await asyncio.sleep(settings.settle_every_ms / 1000)

    tasks = Tasks(runtime.log)
    tasks.start("settle", settle)
    if settings.drop_dir is not None:
        drop = Drop(world, settings.drop_dir, settings.drop_submitter)

        async def watch() -> None:
            while True:
                await asyncio.to_thread(drop.look, runtime.clock.now())
                await asyncio.sleep(_LOOK_EVERY_S)

        tasks.start("drop", watch)

    async def close() -> None:
        await tasks.stop()
        await asyncio.to_thread(world.store.close)

    app = http_app(runtime, "Clearinghouse")
    door = Door(world, runtime.clock.now, settings.clearinghouse_token, settings.fault_timeout_s)
    app.include_router(clearinghouse_routes(door))
    return Parts(http=app, close=(close,))


SERVICE = Service(name="simulator", settings=Settings, build=build)
