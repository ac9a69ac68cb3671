"""What patients pay of their share: posted once, and never more than they owe.

More is refused and not kept as a credit: a credit is money of the patient's that has to be given back, and whoever
takes the payment is the one who can still give it back at once. At the point of service the payer has not decided yet,
so there the limit is what the patient can come to owe; what the payer's decision leaves over becomes work for a person.
"""

from __future__ import annotations

from kernel.errors import Refused

from remittance.handlers.ports import Desk
from remittance.model.claim import ClaimAccount
from remittance.model.events import PatientPaid
from remittance.model.identity import derived_id
from remittance.model.ledger import PATIENT_PAYMENT, Balance, Posting, patient_payment
from remittance.model.patient import PatientPayment


async def record_patient_payment(desk: Desk, payment: PatientPayment) -> tuple[str, Balance]:
    """Posts it and tells of it; the same key again changes nothing. The payment's id and the claim's balance.

    Refused: claim-unknown (not found), patient-payment-exceeds-balance, idempotency-key-reused.
    """
    account = await desk.books.account(payment.claim_id)
    if account is None:
        raise Refused("claim-unknown", "no claim of this id is on account", kind="not_found")
    payment_id = derived_id("patient-payment", payment.key)
    await desk.books.lock([f"patient-payment:{payment_id}", f"claim:{account.control_number}"])
    known = await desk.books.mark(payment_id)
    if known is None:
        await _post(desk, account, payment, payment_id)
    elif known != payment.mark:
        raise Refused("idempotency-key-reused", "the same idempotency key came with another payment")
    return payment_id, await desk.books.balance(account.claim_id)


async def _post(desk: Desk, account: ClaimAccount, payment: PatientPayment, payment_id: str) -> None:
    before = await desk.books.balance(account.claim_id)
    limit = before.patient_limit_cents if payment.point_of_service else before.patient_open_cents
    if payment.paid_cents > limit:
        raise Refused("patient-payment-exceeds-balance", "the patient owes less than this on the claim")
    posting = Posting(
        posting_id=payment_id,
        kind=PATIENT_PAYMENT,
        entries=patient_payment(payment.paid_cents),
        claim_id=account.claim_id,
        payer_id=account.payer_id,
        reason=payment.method,
        mark=payment.mark,
    )
    with desk.resume(account.trace, account.journey_id):
        await desk.books.post(posting)
        await desk.tell(
            PatientPaid(
                account=account,
                payment_id=payment_id,
                paid_cents=payment.paid_cents,
                point_of_service=payment.point_of_service,
                method=payment.method,
                balance=await desk.books.balance(account.claim_id),
            )
        )
