"""The handlers' desk over the bus's open transaction: books in Postgres, facts into the outbox, timers, traces."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime

from bus import Unit, linked_trace

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


def _resume(trace: str) -> AbstractContextManager[object]:
    """The wait was for a payer: a new trace that links to the burst that sent the claim."""
    return linked_trace(trace, "post payment")
