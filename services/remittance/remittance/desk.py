"""The handlers' desk over the bus's open transaction: books in Postgres, facts into the outbox, timers, traces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from bus import Unit, current_trace, linked_trace
from bus.trace import JOURNEY_ID, link_to

from remittance.handlers.ports import Desk
from remittance.model.events import Fact
from remittance.rules import Rulebook
from remittance.store import PostgresBooks
from remittance.wire.facts import told_of


def desk_of(unit: Unit, rules: Rulebook) -> Desk:
    """A desk for this one transaction."""

    async def tell(fact: Fact) -> None:
        told = told_of(fact, unit.now)
        await unit.emit(told.type, told.body, key=told.key, journey_id=told.journey_id)

    async def schedule(kind: str, key: str, due_at: datetime) -> None:
        await unit.schedule(kind, key, due_at)

    return Desk(
        books=PostgresBooks(unit.conn, unit.now),
        rules=rules,
        now=unit.now,
        tell=tell,
        schedule=schedule,
        cancel=unit.cancel,
        resume=_resume,
    )


@contextmanager
def _resume(trace: str, journey_id: str) -> Iterator[None]:
    """The wait was for a payer, a bank or a person: a new trace that links to the burst that went to sleep, to the
    journey, and to what brought the answer in (a file is for many claims, and each goes its own way from here)."""
    bringer = link_to(current_trace())
    about = {JOURNEY_ID: journey_id} if journey_id else {}
    with linked_trace(trace, "settle", **about) as span:
        for link in bringer:
            span.add_link(link.context)
        yield
