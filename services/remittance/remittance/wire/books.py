"""The books as messages."""

from __future__ import annotations

from rcm.remittance.v1 import remittance_pb2 as pb

from remittance.model.ledger import Balance, Line, Statement


def statement_message(statement: Statement) -> pb.GetLedgerResponse:
    """Entries and balances; the tenant's balance has an empty key."""
    return pb.GetLedgerResponse(
        entries=map(_entry, statement.entries),
        claims=[balance_message(key, balance) for key, balance in statement.claims],
        payers=[balance_message(key, balance) for key, balance in statement.payers],
        tenant=balance_message("", statement.tenant),
    )


def balance_message(key: str, balance: Balance) -> pb.Balance:
    """billed = paid + adjusted + patient + open, in cents; what the patient has paid stands beside it."""
    return pb.Balance(
        key=key,
        billed_cents=balance.billed_cents,
        paid_cents=balance.paid_cents,
        adjusted_cents=balance.adjusted_cents,
        patient_cents=balance.patient_cents,
        open_cents=balance.open_cents,
        patient_paid_cents=balance.patient_paid_cents,
        contractual_cents=balance.contractual_cents,
    )


def _entry(line: Line) -> pb.LedgerEntry:
    return pb.LedgerEntry(
        entry_id=line.entry_id,
        account=line.account,
        debit_cents=line.debit_cents,
        credit_cents=line.credit_cents,
        claim_id=line.claim_id,
        reason=line.reason,
        remittance_id=line.remittance_id,
    )
