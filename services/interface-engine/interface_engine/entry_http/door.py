"""What every route works with: the database, the clients' gate, the rules of the line, and how a write is tried."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from bus import Database, Unit
from chassis import Runtime
from kernel.clock import Clock
from kernel.errors import Unavailable

from interface_engine.entry_http.access import Audit, Gate, NoAudit
from interface_engine.entry_http.asked import Asked
from interface_engine.entry_http.flights import Flights
from interface_engine.entry_keeping import Keeper
from interface_engine.handlers.announcing import Channel
from interface_engine.handlers.intake import Arrival
from interface_engine.handlers.notices import Book
from interface_engine.handlers.submitting import Owners
from interface_engine.model import Client, Kept, Resource
from interface_engine.model_notices import Change
from interface_engine.store import RETRIED, Replay, Repository, Requests
from interface_engine.wire.answers import Answer
from interface_engine.wire.text import digest

Made = TypeVar("Made")
Keep = Callable[[Unit], Awaitable[Answer]]


class FhirDoor:
    """The door of one engine. `owners` are the services that answer $submit; without them it is not served."""

    def __init__(
        self,
        runtime: Runtime,
        gate: Gate,
        channel: Channel,
        audit: Audit | None = None,
        owners: Owners | None = None,
        token_url: str = "",
        book: Book | None = None,
    ) -> None:
        self.database: Database = runtime.database
        self.settings: Any = runtime.settings
        self.clock: Clock = runtime.clock
        self.gate = gate
        self.channel = channel
        self.audit: Audit = audit or NoAudit()
        self.owners = owners
        self.flights: Flights[Answer] = Flights()
        self.token_url = token_url
        self.keeper = Keeper(channel, book)

    @property
    def base_url(self) -> str:
        return self.channel.base_url

    async def keep(
        self, unit: Unit, client: Client, arrivals: Sequence[Arrival], bundle: Resource | None = None
    ) -> list[Kept]:
        """Stores what came and tells the line of it, in the open transaction."""
        return await self.keeper.keep(unit, client, arrivals, bundle)

    async def note(self, unit: Unit, client: Client, changes: Sequence[Change]) -> None:
        """Keeps what subscribers are to be told of these changes."""
        await self.keeper.note(unit, client, changes)

    async def once(self, asked: Asked, keep: Keep) -> Answer:
        """Does it, or gives the answer that the very same request got before; the answer is kept with the effect.

        What has been deleted since is made anew: whoever deletes it and sends the same again means it.
        """

        async def attempt(unit: Unit) -> Answer:
            requests = Requests(unit)
            known = await requests.claim_request(asked.key, asked.client.id)
            if known is not None and not await _undone(unit, asked, known):
                return Answer(known.status, known.body, dict(known.headers))
            answer = await keep(unit)
            replay = Replay(answer.status, answer.headers, answer.body)
            await requests.finish_request(
                asked.key, replay, asked.client, asked.method, asked.url, asked.body, digest(asked.body)
            )
            return answer

        return await self.retrying(asked.client.tenant, attempt)

    async def retrying(self, tenant: str, attempt: Callable[[Unit], Awaitable[Made]]) -> Made:
        """One transaction; again from the start when another request came in between."""
        for _ in range(self.settings.write_tries):
            try:
                async with self.database.unit(tenant) as unit:
                    return await attempt(unit)
            except RETRIED:
                continue
        raise Unavailable("write_contention", "others write the same resources; try again", 1.0)


async def _undone(unit: Unit, asked: Asked, known: Replay) -> bool:
    """Whether something that the request made is gone. Locked, so that of two that find it gone one makes it."""
    if not await _gone(unit, known):
        return False
    requests = Requests(unit)
    await requests.lock(asked.key.hex())
    newest = await requests.claim_request(asked.key, asked.client.id)
    return newest is None or await _gone(unit, newest)


async def _gone(unit: Unit, known: Replay) -> bool:
    made = _made_by(known)
    current = await Repository(unit).current(made) if made else {}
    return any(current[one].deleted if one in current else True for one in made)


def _made_by(known: Replay) -> list[str]:
    """What an answer says that it has created, as Type/id."""
    location = known.headers.get("Location", "")
    if known.status == 201 and location:
        return ["/".join(location.split("/_history/")[0].split("/")[-2:])]
    if known.status != 200 or b'"transaction-response"' not in known.body[:200]:
        return []
    answers = (entry.get("response", {}) for entry in json.loads(known.body).get("entry", ()))
    return [one["location"].split("/_history/")[0] for one in answers if one.get("status", "").startswith("201")]
