"""A small, complete example of every view, made up for these tests."""

from __future__ import annotations

from datetime import UTC, date, datetime

from x12 import Envelope, TransactionSet, transaction_sets
from x12.views.acknowledgment import (
    ClaimAcknowledgment,
    ClaimStatus,
    ElementError,
    GroupAcknowledgment,
    SegmentError,
    SetAcknowledgment,
    Status,
)
from x12.views.authorization import (
    AuthorizationReply,
    AuthorizationRequest,
    AuthorizationService,
    Decision,
    ServiceDecision,
)
from x12.views.claim import (
    Accident,
    BillingProvider,
    Claim837,
    ClaimLine,
    Coverage,
    Drug,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
)
from x12.views.eligibility import Benefit, EligibilityInquiry, EligibilityReply, OtherPayer
from x12.views.parties import Address, Adjustment, Contact, Diagnosis, Member, Payer, Provider, Rejection
from x12.views.remittance import (
    BankTransfer,
    ClaimPayment,
    LinePayment,
    ProviderAdjustment,
    RemitPayee,
    RemitPayer,
    RemitPerson,
    Remittance,
)

NPI = "1234567893"
DAY = date(2026, 1, 5)
ENVELOPE = Envelope(
    sender_id="THROUGHLINE", receiver_id="PAYER01", control_number=42, created=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
)
ADDRESS = Address("12 ELM ST", "SPRINGFIELD", "IL", "627010000")
SUBSCRIBER = Member("ORCHARD", "ALMA", "MEM0001", date(1980, 2, 29), "F", address=ADDRESS)
DEPENDENT = Member("ORCHARD", "FINN", "", date(2012, 5, 6), "M", address=ADDRESS, relationship="19")
RENDERING = Provider(NPI, "MEADOW", "IRIS", taxonomy="207Q00000X")

LINES = (
    ClaimLine(code="99213", modifiers=("25",), charge_cents=10_000, units="1", date_from=DAY, pointers=(1, 2),
              line_control="L1"),
    ClaimLine(code="J1550", charge_cents=2_550, units="1.5", date_from=DAY, pointers=(1,), line_control="L2",
              drug=Drug(ndc="00026063512", quantity="10", unit="ML", prescription="RX1")),
)  # fmt: skip
CLAIM = Claim837(
    control_number="CTRL0001",
    total_cents=12_550,
    place_of_service="11",
    submitter=Submitter(id="SUB01", name="THROUGHLINE BILLING", contact=Contact("DESK", "8005550100")),
    receiver=Receiver(id="REC01", name="CLEARING HOUSE"),
    billing=BillingProvider(
        npi=NPI, tax_id="123456789", name="ELM CLINIC", address=ADDRESS, taxonomy="207Q00000X",
        contact=Contact("OFFICE", "8005550101", "office@example.org"),
    ),
    subscriber=SUBSCRIBER,
    payer=Payer("PAYER01", "FIRST PAYER"),
    coverage=Coverage(filing_indicator="CI", group_number="GRP01"),
    diagnoses=(Diagnosis("E119"), Diagnosis("I10", "ABF")),
    lines=LINES,
    rendering=RENDERING,
)  # fmt: skip
DEPENDENT_CLAIM = Claim837(
    **{
        **{name: getattr(CLAIM, name) for name in CLAIM.__dataclass_fields__},
        "control_number": "CTRL0002",
        "patient": DEPENDENT,
        "frequency": "7",
        "payer_claim_control": "ICN0001",
        "prior_authorization": "AUTH0001",
        "accident": Accident(date=DAY, auto=True, state="IL"),
    }
)
SECONDARY_CLAIM = Claim837(
    **{
        **{name: getattr(CLAIM, name) for name in CLAIM.__dataclass_fields__},
        "control_number": "CTRL0003",
        "coverage": Coverage(responsibility="S", filing_indicator="CI"),
        "total_cents": 10_000,
        "other_coverages": (
            OtherCoverage(
                payer=Payer("PAYER02", "SECOND PAYER"),
                subscriber=Member("ORCHARD", "ALMA", "MEM0002", address=ADDRESS),
                coverage=Coverage(responsibility="P", filing_indicator="MB"),
                paid_cents=7_000,
                remaining_cents=1_000,
                claim_control="ICN9",
            ),
            OtherCoverage(
                payer=Payer("PAYER03", "THIRD PAYER"),
                subscriber=Member("ORCHARD", "ALMA", "MEM0003"),
                coverage=Coverage(responsibility="T", filing_indicator="CI"),
            ),
        ),
        "lines": (
            ClaimLine(
                code="99213", modifiers=("25",), charge_cents=10_000, units="1", date_from=DAY, pointers=(1,),
                line_control="L1",
                adjudications=(
                    LineAdjudication(
                        payer_id="PAYER02", paid_cents=7_000, code="99213", modifiers=("25",), paid_date=DAY,
                        adjustments=(Adjustment("CO", "45", 2_000), Adjustment("PR", "2", 1_000)),
                    ),
                ),
            ),
        ),
    }
)  # fmt: skip
CLAIMS = (CLAIM, DEPENDENT_CLAIM, SECONDARY_CLAIM)

REMITTANCE = Remittance(
    payer=RemitPayer(name="FIRST PAYER", address=ADDRESS, id="PAYER01", contact=Contact("EDI", "8005550102")),
    payee=RemitPayee(name="ELM CLINIC", npi=NPI, tax_id="123456789", address=ADDRESS),
    amount_cents=8_000,
    payment_date=DAY,
    trace_number="EFT0001",
    trace_origin="1512345678",
    method="ACH",
    payment_format="CCP",
    bank=BankTransfer(sender_routing="021000021", sender_account="11", receiver_routing="021000021",
                      receiver_account="22"),
    claims=(
        ClaimPayment(
            control_number="CTRL0001", status="1", charge_cents=12_550, paid_cents=9_000,
            patient_responsibility_cents=1_550, payer_claim_number="ICN0001",
            patient=RemitPerson(last="ORCHARD", first="ALMA", id="MEM0001", id_qualifier="MI"),
            adjustments=(Adjustment("CO", "45", 2_000),), remark_codes=("MA01",), received_date=DAY,
            lines=(
                LinePayment(
                    code="99213", modifiers=("25",), charge_cents=12_550, paid_cents=11_000, line_control="L1",
                    adjustments=(Adjustment("PR", "1", 1_550),), allowed_cents=12_550, remark_codes=("N14", "N20"),
                    date_from=DAY,
                ),
            ),
        ),
        ClaimPayment(
            control_number="CTRL0009", status="22", charge_cents=-5_000, paid_cents=-400, payer_claim_number="ICN0002",
            patient=RemitPerson(last="ORCHARD"), adjustments=(Adjustment("CO", "45", -4_600),), assigned_number="2",
        ),
    ),
    provider_adjustments=tuple(
        ProviderAdjustment(provider_id=NPI, fiscal_period_end=date(2026, 12, 31), reason=reason, reference="REF",
                           amount_cents=cents)
        for reason, cents in (("WO", 500), ("FB", 50), ("72", 25), ("L6", -10), ("CS", 20), ("IR", 10), ("J1", 5))
    ),
)  # fmt: skip

INQUIRY = EligibilityInquiry(
    payer_id="PAYER01", payer_name="FIRST PAYER", provider_npi=NPI, provider_name="ELM CLINIC", subscriber=SUBSCRIBER,
    trace_number="TRACE0001", service_date=DAY, service_types=("30", "98"),
)  # fmt: skip
REPLY = EligibilityReply(
    payer_id="PAYER01", payer_name="FIRST PAYER", provider_npi=NPI, provider_name="ELM CLINIC", subscriber=SUBSCRIBER,
    trace_number="TRACE0001", plan_begin=date(2026, 1, 1),
    benefits=(
        Benefit(code="1", service_types=("30", "98"), insurance_type="HM", plan="GOLD"),
        Benefit(code="B", service_types=("98",), amount_cents=2_500, period="27", network="Y", level="IND",
                messages=("PER VISIT",)),
        Benefit(code="C", service_types=("30",), amount_cents=100_000, period="29", network="N"),
        Benefit(code="A", service_types=("98",), percent="0.2", network="Y"),
        Benefit(code="R", other_payer=OtherPayer(name="SECOND PAYER", id="PAYER02", responsibility="P",
                                                 member_id="MEM0002")),
    ),
)  # fmt: skip

REQUEST = AuthorizationRequest(
    trace_number="AUTHREQ1", umo_id="PAYER01", umo_name="FIRST PAYER", requester_npi=NPI, requester_name="ELM CLINIC",
    requester_contact=Contact("DESK", "8005550103"), subscriber=SUBSCRIBER, dependent=DEPENDENT,
    services=(AuthorizationService(code="70553", modifiers=("26",), date_from=DAY, date_to=date(2026, 2, 5),
                                   trace_number="SVC1", units="2", charge_cents=50_000),),
    diagnoses=(Diagnosis("G43909"),), place_of_service="22", level_of_service="E", service_type="62",
    event_from=DAY, rendering=Provider(NPI, "MEADOW", "IRIS", taxonomy="2085R0202X", address=ADDRESS),
    message="SEE ATTACHED", attachment_control="ATT1", prior_number="OLD1",
)  # fmt: skip
DECISION = AuthorizationReply(
    trace_number="AUTHREQ1", umo_id="PAYER01", umo_name="FIRST PAYER", requester_npi=NPI, requester_name="ELM CLINIC",
    subscriber=SUBSCRIBER, dependent=DEPENDENT, payer_trace_number="PAYTRACE", payer_trace_origin="1512345678",
    decision=Decision(action="A1", number="AUTH0001", effective_from=DAY, effective_to=date(2026, 4, 5), issued=DAY),
    services=(ServiceDecision(service=REQUEST.services[0], decision=Decision(action="A6", reasons=("0Y", "1P"))),),
)  # fmt: skip
REFUSAL = AuthorizationReply(
    trace_number="AUTHREQ1", umo_id="PAYER01", umo_name="FIRST PAYER", requester_npi=NPI, requester_name="ELM CLINIC",
    subscriber=SUBSCRIBER, rejections=(Rejection("2010C", "72", "C"), Rejection("2000E", "15", "N")),
)  # fmt: skip

GROUP_ANSWER = GroupAcknowledgment(
    functional_code="HC", group_control="7", guide="005010X222A1", status="P", included=2, received=2, accepted=1,
    sets=(
        SetAcknowledgment(
            code="837", control="0001", status="R", guide="005010X222A1", codes=("5",),
            errors=(SegmentError(segment_id="CLM", position=20, code="8", loop="2300",
                                 elements=(ElementError(position=5, component=3, code="1", reference="1325"),)),),
        ),
        SetAcknowledgment(code="837", control="0002", status="A", guide="005010X222A1"),
    ),
)  # fmt: skip
CLAIM_ANSWER = ClaimAcknowledgment(
    source_id="PAYER01", source_name="FIRST PAYER", submitter_id="SUB01", submitter_name="THROUGHLINE BILLING",
    trace_number="TRACE1", batch_reference="000000042", received_date=DAY, processed_date=DAY,
    batch_status=Status(category="A1", code="20"), accepted_cents=12_550, rejected_cents=500,
    claims=(
        ClaimStatus(control_number="CTRL0001", statuses=(Status(category="A2", code="20"),), status_date=DAY,
                    amount_cents=12_550, payer_claim_number="ICN0001", last="ORCHARD", first="ALMA",
                    member_id="MEM0001", provider_npi=NPI, provider_name="ELM CLINIC", service_from=DAY),
        ClaimStatus(control_number="CTRL0002", status_date=DAY, amount_cents=500, last="ORCHARD", provider_npi=NPI,
                    provider_name="ELM CLINIC",
                    statuses=(Status(category="A7", code="562", entity="85"), Status(category="A3", code="21"))),
    ),
)  # fmt: skip


def one(text: str) -> TransactionSet:
    """The only set of a text."""
    (found,) = transaction_sets(text)
    return found
