"""An engine that listens on loopback, for clients that bring their own HTTP."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chassis.http import HttpServer
from engine_world import World, open_world


@dataclass(frozen=True)
class Served:
    """A world and its FHIR address, without a slash at its end."""

    world: World
    base: str

    @property
    def server(self) -> str:
        return self.base.removesuffix("/fhir")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def served(url: str, tenant: str, **more: Any) -> AsyncIterator[Served]:
    """The engine of a test behind a real server."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    async with open_world(url, tenant, site=base, **more) as world:
        server = HttpServer(world.app)
        await server.start("127.0.0.1", port, grace_s=1)
        try:
            yield Served(world, base)
        finally:
            await server.stop()
