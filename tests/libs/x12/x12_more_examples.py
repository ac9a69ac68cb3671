"""Examples of the institutional and dental claims, of claim status and of an attachment, made up for these tests."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import date, time

from x12.views.acknowledgment import Status
from x12.views.attachment import Attachment, Document
from x12.views.claim import (
    Admission,
    BillingProvider,
    Coverage,
    DentalClaim,
    DentalLine,
    InstitutionalClaim,
    InstitutionalLine,
    LineAdjudication,
    Occurrence,
    OtherCoverage,
    Procedure,
    Tooth,
    ValueCode,
)
from x12.views.parties import Adjustment, Diagnosis, Member, Payer, Provider
from x12.views.status import LineInquiry, LineStatus, StatusInfo, StatusInquiry
from x12_examples import ADDRESS, CLAIM, DAY, DEPENDENT, NPI, SUBSCRIBER

HOSPITAL = BillingProvider(npi=NPI, tax_id="123456789", name="ELM HOSPITAL", address=ADDRESS, taxonomy="282N00000X")
ATTENDING = Provider(NPI, "MEADOW", "IRIS", taxonomy="207Q00000X")
OPERATING = Provider(NPI, "BIRCH", "OWEN")

INPATIENT = InstitutionalClaim(
    control_number="CTRL0101",
    total_cents=150_000,
    facility_type="11",
    statement_from=date(2026, 1, 2),
    statement_to=DAY,
    patient_status="01",
    submitter=CLAIM.submitter,
    receiver=CLAIM.receiver,
    billing=HOSPITAL,
    subscriber=SUBSCRIBER,
    payer=CLAIM.payer,
    coverage=Coverage(filing_indicator="CI", group_number="GRP01"),
    diagnoses=(Diagnosis("I2510", "ABK", "Y"), Diagnosis("E119", "ABF", "N"), Diagnosis("I10", "ABF")),
    admission=Admission(date=date(2026, 1, 2), time=time(8, 15), type="1", source="1"),
    discharge_time=time(11, 30),
    admitting_diagnosis="R079",
    external_causes=(Diagnosis("W010XXA", "ABN", "Y"),),
    drg="247",
    principal_procedure=Procedure("027034Z", date(2026, 1, 3)),
    procedures=(Procedure("4A023N7", date(2026, 1, 3)),),
    occurrences=(Occurrence("70", date(2026, 1, 2), date(2026, 1, 4)), Occurrence("11", date(2026, 1, 1))),
    values=(ValueCode("80", 300), ValueCode("A1", 12_550)),
    conditions=("C1", "09"),
    attending=ATTENDING,
    operating=OPERATING,
    prior_authorization="AUTH0101",
    medical_record="MRN0101",
    estimated_due_cents=1_000,
    note="SEE RECORD",
    lines=(
        InstitutionalLine(revenue_code="0120", charge_cents=90_000, units="3", unit="DA", line_control="L1"),
        InstitutionalLine(
            revenue_code="0250", charge_cents=60_000, units="5", non_covered_cents=500, line_control="L2"
        ),
    ),
)
OUTPATIENT = replace(
    INPATIENT,
    control_number="CTRL0102",
    total_cents=40_000,
    facility_type="13",
    statement_from=DAY,
    patient=DEPENDENT,
    admission=Admission(date=DAY, time=time(7), type="1", source="1"),
    discharge_time=None,
    admitting_diagnosis="",
    visit_reasons=("R079", "R0602"),
    drg="",
    principal_procedure=None,
    procedures=(),
    operating=None,
    occurrences=(Occurrence("01", date(2026, 1, 4)),),
    values=(),
    accident_state="IL",
    coverage=Coverage(responsibility="S", filing_indicator="CI"),
    other_coverages=(
        OtherCoverage(
            payer=Payer("PAYER02", "SECOND PAYER"), subscriber=Member("ORCHARD", "ALMA", "MEM0002", address=ADDRESS),
            coverage=Coverage(responsibility="P", filing_indicator="CI"), paid_cents=30_000, relationship="19",
        ),
    ),
    lines=(
        InstitutionalLine(
            revenue_code="0450", charge_cents=40_000, units="1", code="99283", modifiers=("25",), date_from=DAY,
            line_control="L1",
            adjudications=(
                LineAdjudication(payer_id="PAYER02", paid_cents=30_000, code="99283", modifiers=("25",), paid_date=DAY,
                                 adjustments=(Adjustment("CO", "45", 10_000),)),
            ),
        ),
    ),
)  # fmt: skip

DENTAL = DentalClaim(
    control_number="CTRL0201",
    total_cents=29_000,
    place_of_service="11",
    submitter=CLAIM.submitter,
    receiver=CLAIM.receiver,
    billing=replace(CLAIM.billing, name="ELM DENTAL", taxonomy="122300000X"),
    subscriber=SUBSCRIBER,
    payer=CLAIM.payer,
    coverage=Coverage(filing_indicator="CI", group_number="GRP01"),
    diagnoses=(Diagnosis("K0262"),),
    service_from=DAY,
    prior_authorization="AUTH0201",
    rendering=Provider(NPI, "MEADOW", "IRIS", taxonomy="1223G0001X"),
    patient_paid_cents=500,
    lines=(
        DentalLine(code="D2393", charge_cents=19_000, teeth=(Tooth("14", ("M", "O", "D")), Tooth("15")), pointers=(1,),
                   line_control="L1"),
        DentalLine(code="D5214", charge_cents=10_000, cavities=("10", "20"), prosthesis="R", units="1",
                   prior_placement=date(2019, 5, 6), service_date=DAY, line_control="L2"),
    ),
)  # fmt: skip
PREDETERMINATION = replace(DENTAL, control_number="CTRL0202", predetermination=True, service_from=None,
                           patient=DEPENDENT)  # fmt: skip

STATUS_INQUIRY = StatusInquiry(
    payer_id="PAYER01", payer_name="FIRST PAYER", receiver_id="SUB01", receiver_name="THROUGHLINE BILLING",
    provider_npi=NPI, provider_name="ELM CLINIC", subscriber=replace(SUBSCRIBER, address=None), trace_number="TRACE1",
    control_number="CTRL0001", payer_claim_number="ICN0001", bill_type="111", charge_cents=12_550, service_from=DAY,
    lines=(LineInquiry(code="99213", modifiers=("25",), charge_cents=10_000, date_from=DAY, line_control="L1"),),
)  # fmt: skip
DEPENDENT_INQUIRY = replace(STATUS_INQUIRY, dependent=Member("ORCHARD", "FINN", "", date(2012, 5, 6), "M"), lines=())
STATUS_INFO = StatusInfo(
    payer_id="PAYER01", payer_name="FIRST PAYER", receiver_id="SUB01", receiver_name="THROUGHLINE BILLING",
    provider_npi=NPI, provider_name="ELM CLINIC", subscriber=Member("ORCHARD", "ALMA", "MEM0001"),
    trace_number="TRACE1", statuses=(Status(category="F1", code="65"), Status(category="F1", code="104", entity="1P")),
    status_date=DAY, charge_cents=12_550, paid_cents=9_000, adjudicated=DAY, payment_date=DAY, payment_number="EFT0001",
    payer_claim_number="ICN0001", control_number="CTRL0001", service_from=DAY, service_to=date(2026, 1, 6),
    lines=(LineStatus(code="99213", modifiers=("25",), charge_cents=10_000, paid_cents=9_000, status_date=DAY,
                      statuses=(Status(category="F1", code="65"),), date_from=DAY, line_control="L1"),),
)  # fmt: skip
PENDED_INFO = replace(
    STATUS_INFO, dependent=Member("ORCHARD", "FINN"), statuses=(Status(category="P3", code="317"),), paid_cents=None,
    adjudicated=None, payment_date=None, payment_number="", lines=(),
)  # fmt: skip

ATTACHMENT = Attachment(
    reference="ATT0001", payer_id="PAYER01", payer_name="FIRST PAYER", submitter_id="SUB01",
    submitter_name="THROUGHLINE BILLING", provider_npi=NPI, provider_name="ELM CLINIC",
    patient=Member("ORCHARD", "ALMA", "MEM0001"), control_number="CTRL0001", payer_claim_number="ICN0001",
    medical_record="MRN0101", service_from=DAY, created=DAY, solicited=True,
    documents=(
        Document(trace_number="ASKED1", kind="HL", content=b64encode(b"<x>~*:^<").decode(), questions=("18657-7",),
                 submitted=DAY),
        Document(trace_number="ASKED1", kind="TX", content="PLAIN ~ TEXT * WITH : DELIMITERS ^ SE*1*1~", filter="ASC"),
    ),
)  # fmt: skip
