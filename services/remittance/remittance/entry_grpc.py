"""The gRPC door: a remittance by hand, the books, and a person's answer to a denial."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from bus import Database
from chassis import call_of
from kernel.errors import Refused
from rcm.remittance.v1 import remittance_pb2 as pb
from rcm.remittance.v1.remittance_pb2_grpc import RemittanceServiceServicer

from remittance import lists
from remittance.desk import desk_of
from remittance.entry_files import take_remittance_file
from remittance.handlers.disputes import resolve_denial
from remittance.handlers.patients import record_patient_payment
from remittance.model.patient import PatientPayment
from remittance.model.shown import RemittancePage
from remittance.rules import Rulebook
from remittance.statement import read_statement
from remittance.store import PostgresBooks
from remittance.wire.books import balance_message, statement_message
from remittance.wire.facts import answer_of
from remittance.wire.opened import Window, open_remittance
from remittance.wire.shown import denial_page, denial_summary, remittance_page, remittance_summary


@dataclass(frozen=True)
class RemittanceServicer(RemittanceServiceServicer):
    """Every change but a patient's payment is idempotent by its content, so that its idempotency key is not needed."""

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

    async def RecordPatientPayment(
        self, request: pb.RecordPatientPaymentRequest, context: Any
    ) -> pb.RecordPatientPaymentResponse:
        call = call_of(context)
        payment = PatientPayment(
            claim_id=request.claim_id,
            paid_cents=request.paid_cents,
            method=request.method,
            key=request.idempotency_key or call.idempotency_key,
            point_of_service=request.point_of_service,
        )
        async with self.database.unit(call.tenant) as unit:
            payment_id, balance = await record_patient_payment(desk_of(unit, self.rules), payment)
        return pb.RecordPatientPaymentResponse(
            payment_id=payment_id,
            balance=balance_message(request.claim_id, balance),
            patient_open_cents=balance.patient_open_cents,
        )

    async def ListRemittances(self, request: pb.ListRemittancesRequest, context: Any) -> pb.ListRemittancesResponse:
        filters = {name: getattr(request, name) for name in ("state", "payer_id", "settlement", "text")}
        async with self.database.unit(call_of(context).tenant) as unit:
            found, following = await lists.list_remittances(unit.conn, filters, request.limit, request.after)
        return pb.ListRemittancesResponse(remittances=map(remittance_summary, found), next=following)

    async def GetRemittance(self, request: pb.GetRemittanceRequest, context: Any) -> pb.GetRemittanceResponse:
        """The stored file is read again, beside the event loop: it may be large."""
        tenant = call_of(context).tenant
        window = Window.of(
            request.claims_after,
            request.claims_limit,
            request.readable_after,
            request.readable_limit,
            request.masked,
        )
        async with self.database.unit(tenant) as unit:
            found = await lists.find_remittance(unit.conn, request.remittance_id)
            if found is None:
                raise Refused("remittance-unknown", "no remittance has this id", kind="not_found")
            raw = await lists.read_file(unit.conn, found.file_id)
            deposit = await lists.read_deposit(unit.conn, found.deposit_id) if found.deposit_id else None
        opened = await asyncio.to_thread(open_remittance, raw, found, window)
        async with self.database.unit(tenant) as unit:
            ordinals = [claim.ordinal for claim in opened.claims]
            booked = await lists.read_booked(unit.conn, found.remittance_id, ordinals)
        return remittance_page(RemittancePage(found, opened, booked, deposit))

    async def ListDenials(self, request: pb.ListDenialsRequest, context: Any) -> pb.ListDenialsResponse:
        filters = {name: getattr(request, name) for name in ("state", "payer_id", "category", "claim_id", "text")}
        async with self.database.unit(call_of(context).tenant) as unit:
            found, following = await lists.list_denials(unit.conn, filters, request.limit, request.after)
        return pb.ListDenialsResponse(denials=map(denial_summary, found), next=following)

    async def GetDenial(self, request: pb.GetDenialRequest, context: Any) -> pb.GetDenialResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            found, _ = await lists.list_denials(unit.conn, {"work_id": request.work_id}, 1, "")
            if not (request.work_id and found):
                raise Refused("denial-unknown", "no denial has this work id", kind="not_found")
            balance = await PostgresBooks(unit.conn, unit.now).balance(found[0].denial.claim_id)
        return denial_page(found[0], balance)
