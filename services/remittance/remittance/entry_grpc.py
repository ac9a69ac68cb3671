"""The gRPC door: a remittance by hand, the books, and a person's answer to a denial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bus import Database
from chassis import call_of
from rcm.remittance.v1 import remittance_pb2 as pb
from rcm.remittance.v1.remittance_pb2_grpc import RemittanceServiceServicer

from remittance.desk import desk_of
from remittance.entry_files import take_remittance_file
from remittance.handlers.disputes import resolve_denial
from remittance.rules import Rulebook
from remittance.statement import read_statement
from remittance.wire.books import balance_message, statement_message
from remittance.wire.facts import answer_of


@dataclass(frozen=True)
class RemittanceServicer(RemittanceServiceServicer):
    """Every change is idempotent by its content, so the idempotency key is not needed."""

    database: Database
    rules: Rulebook

    async def ReceiveRemittance(
        self, request: pb.ReceiveRemittanceRequest, context: Any
    ) -> pb.ReceiveRemittanceResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            taken = await take_remittance_file(unit, self.rules, request.x12)
            return pb.ReceiveRemittanceResponse(remittances=[answer_of(item, unit.now) for item in taken])

    async def GetLedger(self, request: pb.GetLedgerRequest, context: Any) -> pb.GetLedgerResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            return statement_message(await read_statement(unit.conn, request.claim_id, request.totals_only))

    async def ResolveDenial(self, request: pb.ResolveDenialRequest, context: Any) -> pb.ResolveDenialResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            desk = desk_of(unit, self.rules)
            balance = await resolve_denial(desk, request.work_id, request.action, request.reason)
            return pb.ResolveDenialResponse(balance=balance_message("", balance))
