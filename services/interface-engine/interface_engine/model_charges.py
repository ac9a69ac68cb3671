"""Charge conservation: every charge that came in is a charge, a hold or a named rejection, per feed and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

CHARGE, CREDIT = "charge", "credit"
HOLD, REJECTED = "hold", "rejected"
# The same line once more, and a line that a later message put another in the place of.
REPEAT, REPLACED = "repeat", "replaced"
TOLD_ANEW = "told-anew"  # why a line was replaced
DISPOSITIONS = (CHARGE, HOLD, REJECTED, REPEAT, REPLACED)
# Where charges stand whose message was not mapped: the message's own state, as a disposition.
OF_MESSAGE_STATE = {
    "received": "waiting",
    "failed": "message-failed",
    "quarantined": "message-quarantined",
    "filtered": "message-filtered",
    "dismissed": "message-dismissed",
}


@dataclass(frozen=True, slots=True)
class ChargeIn:
    """One charge as its message or row brought it. Cents are positive for credits too; `kind` says which it is."""

    place: str
    line_key: str
    kind: str
    cents: int
    quantity: Decimal
    code: str
    service_day: date | None
    visit: str
    disposition: str
    reason: str = ""

    @property
    def net_cents(self) -> int:
        return -self.cents if self.kind == CREDIT else self.cents


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier message said of the same line."""

    message_id: str
    place: str
    cents: int
    quantity: Decimal
    code: str
    service_day: date | None
    disposition: str


@dataclass(frozen=True, slots=True)
class Tally:
    """So many charges and so many cents, credits taken off."""

    count: int = 0
    cents: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, self.cents + other.cents)


@dataclass(frozen=True, slots=True)
class Account:
    """One feed's day. `came_in` was counted before anything was mapped; `became` says by disposition and reason."""

    channel: str
    day: date
    came_in: Tally
    became: Mapping[tuple[str, str], Tally] = field(default_factory=dict)

    @property
    def accounted(self) -> Tally:
        return sum(self.became.values(), Tally())

    @property
    def missing(self) -> Tally:
        """What came in and cannot be found again: nothing, or something is wrong with us."""
        done = self.accounted
        return Tally(self.came_in.count - done.count, self.came_in.cents - done.cents)

    @property
    def balances(self) -> bool:
        return self.missing == Tally()


def settle(charge: ChargeIn, earlier: Iterable[Earlier]) -> tuple[str, tuple[Earlier, ...]]:
    """The disposition of a line of which earlier messages told already, and which of those it replaces.

    The same again is a repeat; with other content it takes the place of what was there.
    """
    standing = tuple(one for one in earlier if one.disposition in (CHARGE, HOLD))
    if charge.disposition == REJECTED or not standing:
        return charge.disposition, ()
    said = (charge.cents, charge.quantity, charge.code, charge.service_day)
    if any((one.cents, one.quantity, one.code, one.service_day) == said for one in standing):
        return REPEAT, ()
    return charge.disposition, standing
