"""The gRPC door: prices on demand, and people's answers to missing charges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from bus import Database, linked_trace
from bus.trace import JOURNEY_ID
from chassis import call_of
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2 as pb
from rcm.charge.v1.charge_pb2_grpc import ChargeCaptureServiceServicer

from charge_capture.handlers import Answer, add_charge, price_line
from charge_capture.model import WorkItem
from charge_capture.rules import ChargeMaster
from charge_capture.store import CaptureWork
from charge_capture.wire.charges import priced_line
from charge_capture.wire.visit import read_added_line, read_line

MOST_MISSING = 500


@dataclass(frozen=True)
class ChargeCaptureServicer(ChargeCaptureServiceServicer):
    """PriceLines only computes; AddCharge changes, ListMissingCharges reads."""

    database: Database
    master: ChargeMaster
    due_in: timedelta

    async def PriceLines(self, request: pb.PriceLinesRequest, context: Any) -> pb.PriceLinesResponse:
        """Lines without a price come back with 0: the caller sees which."""
        priced = [self._priced(line, f"lines[{position}]") for position, line in enumerate(request.lines)]
        return pb.PriceLinesResponse(lines=priced)

    def _priced(self, message: billing_pb2.ServiceLine, path: str) -> billing_pb2.ServiceLine:
        charge = price_line(read_line(message, path), self.master)
        return message if charge is None else priced_line(charge)

    async def AddCharge(self, request: pb.AddChargeRequest, context: Any) -> pb.AddChargeResponse:
        if request.line.unit_charge_cents < 0:
            raise Unreadable("line-values", "line.unit_charge_cents", "a price is not below zero")
        draft = partial(read_added_line, request.line)
        answer = Answer(request.not_billable, request.line.unit_charge_cents, draft)
        async with self.database.unit(call_of(context).tenant) as unit:
            work = CaptureWork(unit)
            trace, journey_id = await work.waiting_for(request.work_id)
            with linked_trace(trace, "charge-capture add charge", **{JOURNEY_ID: journey_id}):
                state = await add_charge(work, self.master, request.work_id, answer, self.due_in)
        return pb.AddChargeResponse(state=state)

    async def ListMissingCharges(
        self, request: pb.ListMissingChargesRequest, context: Any
    ) -> pb.ListMissingChargesResponse:
        limit = min(request.limit or MOST_MISSING, MOST_MISSING)
        async with self.database.unit(call_of(context).tenant) as unit:
            items = await CaptureWork(unit).all_open_items(limit, request.work_id)
        return pb.ListMissingChargesResponse(missing=map(_missing, items))


def _missing(item: WorkItem) -> pb.MissingCharge:
    return pb.MissingCharge(
        work_id=item.work_id,
        encounter=item.encounter,
        order=item.order_ref,
        code=item.code,
        kind=item.kind,
        reason=item.reason,
        cents=item.cents,
    )
