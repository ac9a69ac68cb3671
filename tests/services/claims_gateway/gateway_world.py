"""A synthetic encounter that makes a clean claim, in every form in which the gateway meets it; tests break it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import fhir_r4
from claims_gateway.model import (
    SUBMITTING,
    Answers,
    BilledLine,
    Claim,
    CoverageAnswer,
    Draft,
    Interchange,
    Line,
)
from claims_gateway.rules import RuleBook, World
from claims_gateway.wire.charges import read_charges
from claims_gateway.wire.professional import Sender
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2
from x12 import Envelope
from x12.views.acknowledgment import (
    ClaimAcknowledgment,
    ClaimStatus,
    GroupAcknowledgment,
    SetAcknowledgment,
    Status,
    build_277ca,
    build_999,
)

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
SERVED = date(2026, 3, 16)
JOURNEY = "0123456789abcdef0123456789abcdef"
RENDERING = "1234567893"
ORDERING = "1679576722"
BILLING = "1245319599"
ACTIVE = Answers(CoverageAnswer(status="active", on=SERVED, payer_id="SYNPA"))
SENDER = Sender(
    id="THROUGHLINE",
    name="THROUGHLINE",
    contact="CLAIMS OFFICE",
    phone="8005550100",
    receiver_id="SYNCLEAR",
    receiver_name="SYNTHETIC CLEARINGHOUSE",
)
NAIC = "urn:oid:2.16.840.1.113883.6.300"
NPI = "http://hl7.org/fhir/sid/us-npi"
TAX = "urn:oid:2.16.840.1.113883.4.4"


def resources() -> dict[str, dict[str, Any]]:
    """The record, by resource type; one of each."""
    return {
        "Encounter": {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": "Patient/p1"},
            "serviceProvider": {"reference": "Organization/clinic"},
            "period": {"start": "2026-03-16T09:00:00Z", "end": "2026-03-16T09:40:00Z"},
        },
        "Patient": {
            "resourceType": "Patient",
            "id": "p1",
            "name": [{"use": "official", "family": "Sample-Alder", "given": ["Testa", "Q"]}],
            "gender": "female",
            "birthDate": "1980-05-06",
            "address": [{"line": ["1 Example Way"], "city": "Springfield", "state": "IL", "postalCode": "62701-1234"}],
        },
        "Coverage": {
            "resourceType": "Coverage",
            "id": "c1",
            "status": "active",
            "subscriberId": "SYN000111222",
            "beneficiary": {"reference": "Patient/p1"},
            "payor": [{"reference": "Organization/payer"}],
            "order": 1,
        },
        "Payor": {
            "resourceType": "Organization",
            "id": "payer",
            "name": "Synthetic Payer A",
            "identifier": [{"system": NAIC, "value": "SYNPA"}],
        },
        "Organization": {
            "resourceType": "Organization",
            "id": "clinic",
            "name": "Example Clinic",
            "identifier": [{"system": NPI, "value": BILLING}, {"system": TAX, "value": "12-3456789"}],
            "telecom": [{"system": "phone", "value": "(217) 555-0100"}],
            "address": [{"line": ["2 Clinic St"], "city": "Springfield", "state": "IL", "postalCode": "62702-0001"}],
        },
        "Practitioner": {
            "resourceType": "Practitioner",
            "id": "dr1",
            "name": [{"family": "Test-Birch", "given": ["Rendra"]}],
            "identifier": [{"system": NPI, "value": RENDERING}],
        },
        "Orderer": {
            "resourceType": "Practitioner",
            "id": "dr2",
            "name": [{"family": "Test-Cedar", "given": ["Ordan"]}],
            "identifier": [{"system": NPI, "value": ORDERING}],
        },
    }


def snapshot(record: dict[str, dict[str, Any]] | None = None) -> bytes:
    entries = [{"resource": resource} for resource in (record or resources()).values()]
    return fhir_r4.write({"resourceType": "Bundle", "type": "collection", "entry": entries})


def service_line(**changed: Any) -> billing_pb2.ServiceLine:
    values: dict[str, Any] = {
        "line_id": "l1",
        "code": "99213",
        "pointers": [1],
        "service_from": SERVED.isoformat(),
        "service_to": SERVED.isoformat(),
        "units": "1",
        "unit": "UN",
        "place_of_service": "11",
        "rendering_npi": RENDERING,
        "source": "Encounter/e1",
        "unit_charge_cents": 15500,
        "charge_cents": 15500,
    }
    return billing_pb2.ServiceLine(**(values | changed))


LAB = {"line_id": "l2", "code": "80053", "charge_cents": 6000, "unit_charge_cents": 6000, "ordering_npi": ORDERING}


def charges(
    lines: Sequence[billing_pb2.ServiceLine] | None = None,
    record: dict[str, dict[str, Any]] | None = None,
    key: str = "visit-1",
    encounter: str = "Encounter/e1",
) -> charge_pb2.ChargesCaptured:
    """charges.captured of an office visit with one laboratory test."""
    chosen = [service_line(), service_line(**LAB)] if lines is None else list(lines)
    return charge_pb2.ChargesCaptured(
        facts=billing_pb2.EncounterFacts(encounter=encounter, encounter_key=key, snapshot=snapshot(record)),
        diagnoses=[billing_pb2.Diagnosis(sequence=1, icd10cm="E11.9", source="Condition/d1")],
        lines=chosen,
        total_cents=sum(line.charge_cents for line in chosen),
    )


def draft(**changed: Any) -> Draft:
    return replace(read_charges(charges(), JOURNEY, 1, ""), **changed)


def line(**changed: Any) -> Line:
    """The visit's first line, changed."""
    return replace(draft().lines[0], **changed)


def claim(lines: Sequence[Line] | None = None, **changed: Any) -> Claim:
    """A clean claim for 99213 and a laboratory test, or for other lines."""
    content = draft() if lines is None else draft(lines=tuple(lines))
    made = Claim(claim_id="claim-1", control_number="BCDFGHJKMNPQRSTV1", draft=content, answers=ACTIVE)
    return replace(made, **changed)


def with_visit(base: Claim, **changed: Any) -> Claim:
    return replace(base, draft=replace(base.draft, visit=replace(base.draft.visit, **changed)))


def with_insurance(base: Claim, **changed: Any) -> Claim:
    insurance = base.draft.visit.insurance
    assert insurance is not None
    return with_visit(base, insurance=replace(insurance, **changed))


def world(book: RuleBook, today: date = TODAY, history: Sequence[BilledLine] = ()) -> World:
    return World(book, today, tuple(history))


def answer(control: int, status: str = "A") -> bytes:
    """A 999 about the file with this control number."""
    one = SetAcknowledgment(code="837", control="0001", status=status, guide="005010X222A1")
    said = GroupAcknowledgment(
        functional_code="HC",
        group_control=str(control),
        guide="005010X222A1",
        status=status,
        included=1,
        received=1,
        accepted=1 if status == "A" else 0,
        sets=(one,),
    )
    envelope = Envelope(sender_id="SYNCLEAR", receiver_id="THROUGHLINE", control_number=control, created=NOW)
    return build_999(said, envelope).encode()


def verdict(control: int, claim: str, category: str) -> bytes:
    """A 277CA about one claim of the file with this control number: A2 takes it on, A3 to A8 reject it."""
    said = ClaimStatus(
        control_number=claim,
        statuses=(Status(category=category, code="20" if category == "A2" else "33", entity="IL"),),
        status_date=SERVED,
        amount_cents=21500,
        last="SAMPLE-ALDER",
        first="TESTA",
        member_id="SYN000111222",
    )
    batch = ClaimAcknowledgment(
        source_id="SYNPA",
        source_name="SYNTHETIC PAYER A",
        submitter_id="THROUGHLINE",
        submitter_name="THROUGHLINE",
        trace_number=f"T{control}",
        batch_reference=f"{control:09d}",
        received_date=SERVED,
        processed_date=SERVED,
        batch_status=Status(category="A1", code="19", entity="PR"),
        claims=(said,),
    )
    envelope = Envelope(sender_id="SYNCLEAR", receiver_id="THROUGHLINE", control_number=control, created=NOW)
    return build_277ca(batch, envelope).encode()


def record_of(number: int) -> dict[str, dict[str, Any]]:
    """The record of another patient's visit."""
    record = resources()
    record["Encounter"] |= {"id": f"e{number}", "subject": {"reference": f"Patient/p{number}"}}
    record["Patient"] |= {"id": f"p{number}"}
    return record


class FakeClaims:
    """The store in memory, for handlers."""

    def __init__(self) -> None:
        self.rows: dict[str, Claim] = {}
        self.events: list[tuple[str, str, str, str]] = []
        self.billed: list[BilledLine] = []
        self.interchanges: dict[str, Interchange] = {}
        self.confirmed: dict[str, str] = {}
        self.unmatched: dict[str, str] = {}
        self.numbers = 0

    async def add(self, claim: Claim, now: datetime) -> bool:
        if await self.find(claim.draft.encounter_key, claim.payer_id, claim.responsibility):
            return False
        self.rows[claim.claim_id] = claim
        return True

    async def save(self, claim: Claim, now: datetime) -> None:
        self.rows[claim.claim_id] = claim

    async def replace_lines(self, claim: Claim) -> None:
        self.rows[claim.claim_id] = claim

    async def record(self, claim_id: str, from_state: str, to_state: str, reason: str, now: datetime) -> None:
        self.events.append((claim_id, from_state, to_state, reason))

    async def find(self, encounter_key: str, payer_id: str, responsibility: int) -> Claim | None:
        key = (encounter_key, payer_id, responsibility)
        rows = self.rows.values()
        return next((c for c in rows if (c.draft.encounter_key, c.payer_id, c.responsibility) == key), None)

    async def hold_encounter(self, encounter: str) -> None:
        """Nobody else is here."""

    async def find_of_encounter(self, encounter: str, payer_id: str, responsibility: int) -> Claim | None:
        key = (encounter, payer_id, responsibility)
        rows = self.rows.values()
        return next((c for c in rows if (c.draft.encounter, c.payer_id, c.responsibility) == key), None)

    async def lock(self, claim_id: str) -> Claim | None:
        return self.rows.get(claim_id)

    async def lock_by_control_number(self, control_number: str) -> Claim | None:
        return next((c for c in self.rows.values() if c.control_number == control_number), None)

    async def lock_of_interchange(self, control_number: int) -> list[Claim]:
        found = [i for i in self.interchanges.values() if i.control_number == control_number]
        return [self.rows[claim_id] for interchange in found for claim_id in interchange.claim_ids]

    async def history(self, patient: str, days: Sequence[date], except_claim: str) -> list[BilledLine]:
        return [row for row in self.billed if row.claim_id != except_claim]

    async def claims_of(self, interchange_id: str) -> list[Claim]:
        ids = self.interchanges[interchange_id].claim_ids
        return [self.rows[claim_id] for claim_id in ids if self.rows[claim_id].state == SUBMITTING]

    async def sent_in(self, claim_id: str) -> tuple[int, datetime] | None:
        files = [i.control_number for i in self.interchanges.values() if claim_id in i.claim_ids]
        return (max(files), NOW) if files else None

    async def lock_ready(self, payer_id: str, limit: int) -> list[Claim]:
        return [c for c in self.rows.values() if c.state == "ready" and c.payer_id == payer_id][:limit]

    async def next_control_number(self, name: str) -> int:
        self.numbers += 1
        return self.numbers

    async def add_interchange(self, interchange: Interchange, now: datetime, leased_until: datetime) -> None:
        self.interchanges[interchange.interchange_id] = interchange

    async def confirm_interchange(self, interchange_id: str, file_id: str, outcome: str, now: datetime) -> None:
        self.confirmed[interchange_id] = outcome

    async def keep_unmatched(self, file_id: str, reason: str, now: datetime) -> None:
        self.unmatched[file_id] = reason


def billed(**changed: Any) -> BilledLine:
    """The visit's 99213 on another claim."""
    base = BilledLine("claim-0", "SYNPA", "99213", (), SERVED, "1", RENDERING)
    return replace(base, **changed)


def later(**parts: float) -> datetime:
    return NOW + timedelta(**parts)
