"""The clearinghouse over HTTP: questions, batches and the mailbox."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from fastapi import APIRouter, Depends, Query, Request, Response
from kernel.errors import Unavailable
from starlette.exceptions import HTTPException

from simulator.handlers import World, accept_batch, answer_realtime, read_mail

_X12 = "application/edi-x12"


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes need: the world, the clock, the token to ask for, and how long a silent payer stays silent."""

    world: World
    now: Callable[[], datetime]
    token: str = ""
    silent_s: float = 25.0
    calls: count[int] = field(default_factory=count)

    def check(self, request: Request) -> None:
        """401 unless the request carries the token."""
        given = request.headers.get("authorization", "")
        if self.token and not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})

    async def perhaps_fail(self, kind: str) -> None:
        """503, perhaps after a long silence, where a fault says so."""
        call = next(self.calls)
        if self.world.faults.fires(f"{kind}-timeout", call):
            await asyncio.sleep(self.silent_s)
            raise Unavailable("clearinghouse-silent", "no payer answered in time")
        if self.world.faults.fires(f"{kind}-503", call):
            raise Unavailable("clearinghouse-busy", "try again", retry_after_s=1.0)


def clearinghouse_routes(door: Door) -> APIRouter:
    """The protocol's four routes."""
    routes = APIRouter(prefix="/x12", dependencies=[Depends(door.check)])

    @routes.post("/realtime")
    async def ask(request: Request) -> Response:
        await door.perhaps_fail("realtime")
        text = (await request.body()).decode("utf-8", "replace")
        answer = await asyncio.to_thread(answer_realtime, door.world, text, door.now())
        return Response(answer, media_type=_X12)

    @routes.post("/batch/{submitter}", status_code=202)
    async def send(submitter: str, request: Request) -> dict[str, str]:
        await door.perhaps_fail("batch")
        content = await request.body()
        return {"id": await asyncio.to_thread(accept_batch, door.world, submitter, content, door.now())}

    @routes.get("/mailbox/{submitter}")
    async def look(
        submitter: str, kinds: str = "", after: int = Query(0, ge=0), limit: int = Query(100, ge=1, le=1000)
    ) -> dict[str, object]:
        wanted = [kind for kind in kinds.split(",") if kind]
        found = await asyncio.to_thread(door.world.store.list_mail, submitter, wanted, after, limit)
        files = [{"id": mail.id, "cursor": mail.cursor, "kind": mail.kind} for mail in found]
        return {"files": files, "cursor": found[-1].cursor if found else after}

    @routes.get("/mailbox/{submitter}/{id}")
    async def fetch(submitter: str, id: str) -> Response:
        content = await asyncio.to_thread(read_mail, door.world, submitter, id)
        return Response(content, media_type=_X12 if content.startswith(b"ISA") else "text/plain")

    return routes
