"""Keeps the account of charges: each that a message brought, with what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from interface_engine.model_charges import REJECTED, REPLACED, TOLD_ANEW, ChargeIn, Earlier, settle


class Book(Protocol):
    """The account, in one open transaction."""

    async def earlier(
        self, channel: str, position: int, keys: Sequence[str]
    ) -> dict[tuple[str, str], list[Earlier]]: ...
    async def told_later(self, channel: str, position: int, keys: Sequence[str]) -> set[tuple[str, str]]: ...
    async def keep(
        self, message_id: str, channel: str, position: int, day: date, charges: Sequence[ChargeIn]
    ) -> None: ...
    async def replace(self, earlier: Sequence[Earlier]) -> None: ...


async def keep_charges(
    book: Book, message_id: str, channel: str, position: int, day: date, charges: Sequence[ChargeIn]
) -> list[ChargeIn]:
    """Keeps what a message brought and gives it as it was settled. Worked on again, a message replaces its own part."""
    keys = [one.line_key for one in charges]
    known = await book.earlier(channel, position, keys) if charges else {}
    later = await book.told_later(channel, position, keys) if charges else set()
    settled: list[ChargeIn] = []
    replaced: list[Earlier] = []
    for charge in charges:
        if (charge.line_key, charge.kind) in later and charge.disposition != REJECTED:
            settled.append(replace(charge, disposition=REPLACED, reason=TOLD_ANEW))
            continue
        disposition, over = settle(charge, known.get((charge.line_key, charge.kind), ()))
        replaced.extend(over)
        settled.append(replace(charge, disposition=disposition))
    await book.replace(replaced)
    await book.keep(message_id, channel, position, day, settled)
    return settled
