"""The gRPC door to charge conservation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from bus import Database
from chassis import call_of
from kernel.errors import Unreadable
from rcm.engine.v1 import charges_pb2 as pb
from rcm.engine.v1.charges_pb2_grpc import ReconciliationServiceServicer

from interface_engine.model_charges import Account
from interface_engine.store.charges import Charges

_LONGEST_DAYS = 400


@dataclass(frozen=True)
class ReconciliationServicer(ReconciliationServiceServicer):
    """Accounts of the caller's tenant."""

    database: Database

    async def Reconcile(self, request: pb.ReconcileRequest, context: Any) -> pb.ReconcileResponse:
        first, last = _day(request.first_day, "first_day"), _day(request.last_day, "last_day")
        if not 0 <= (last - first).days < _LONGEST_DAYS:
            raise Unreadable("reconcile-days", "last_day", f"the days are in order, {_LONGEST_DAYS} of them at most")
        async with self.database.unit(call_of(context).tenant) as unit:
            found = await Charges(unit).accounts(first, last)
        wanted = [one for one in found if request.channel in ("", one.channel)]
        return pb.ReconcileResponse(days=[_write(one) for one in wanted], balances=all(one.balances for one in wanted))


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unreadable("reconcile-day", name, "a day is YYYY-MM-DD") from None


def _write(account: Account) -> pb.FeedDay:
    became = [
        pb.ChargeTally(disposition=disposition, reason=reason, count=tally.count, cents=tally.cents)
        for (disposition, reason), tally in sorted(account.became.items())
    ]
    return pb.FeedDay(
        channel=account.channel,
        day=account.day.isoformat(),
        count_in=account.came_in.count,
        cents_in=account.came_in.cents,
        became=became,
        count_missing=account.missing.count,
        cents_missing=account.missing.cents,
    )
