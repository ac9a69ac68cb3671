"""What is done with one stored message of a feed, in one transaction: mapped, kept, told to the line, accounted for."""

from __future__ import annotations

from dataclasses import dataclass

import hl7v2
from bus import Unit
from kernel.identifiers import uuid7

from interface_engine.entry_keeping import Keeper
from interface_engine.handlers.channels import arrivals_of
from interface_engine.handlers.charges import keep_charges
from interface_engine.model import Client, Rejected
from interface_engine.model_charges import ChargeIn
from interface_engine.model_messages import FILTERED, KEPT, Ending, Message
from interface_engine.rules.book import ChannelBook
from interface_engine.rules.channel import CSV, Channel
from interface_engine.store.channels import Known
from interface_engine.store.charges import Charges
from interface_engine.store.shapes import Overtaken
from interface_engine.wire.csv_rows import read_rows
from interface_engine.wire.hl7 import ChargeLine, Filtered, Mapped, map_message, map_rows

_OVERTAKEN = 412
FEED = "feed"  # who writes what a feed's messages become


@dataclass(frozen=True)
class Feeds:
    """`book` holds the channels in force."""

    book: ChannelBook
    keeper: Keeper

    async def process(self, unit: Unit, message: Message) -> Ending:
        """How the message ended. What it raises is for the worker: away, or cannot ever succeed."""
        channel = self.book.channel(message.channel)
        mapped = mapped_of(channel, message)
        charges = Charges(unit)
        if isinstance(mapped, Filtered):
            await keep_charges(charges, message.id, channel.name, message.position, message.day, ())
            return Ending(FILTERED, mapped.reason_code)
        client = Client(FEED, unit.tenant, channel.name)
        arrivals = await arrivals_of(Known(unit), mapped, uuid7)
        try:
            kept = await self.keeper.keep(unit, client, arrivals)
        except Rejected as error:
            if error.status == _OVERTAKEN:
                raise Overtaken from error  # another door wrote in between: the worker begins again
            raise
        lines = [_charge_in(line) for line in mapped.charges]
        await keep_charges(charges, message.id, channel.name, message.position, message.day, lines)
        return Ending(KEPT, resources=tuple(f"{one.type}/{one.id}" for one in kept))


def mapped_of(channel: Channel, message: Message) -> Mapped | Filtered:
    """The message in FHIR, by its feed's tables. Unreadable where nothing can be made of it."""
    if channel.format == CSV:
        rows = read_rows(message.raw)
        return map_rows(channel, [row.record for row in rows], message.received_at, rows[0].number)
    parsed = hl7v2.read(message.raw, charset=channel.transport.charset)
    return map_message(channel, parsed, message.received_at)


def _charge_in(line: ChargeLine) -> ChargeIn:
    return ChargeIn(
        place=line.path,
        line_key=line.line_key,
        kind=line.kind,
        cents=line.amount_cents,
        quantity=line.quantity,
        code=line.code,
        service_day=line.service_day,
        visit=line.visit,
        disposition=line.disposition,
        reason=line.reason,
    )
