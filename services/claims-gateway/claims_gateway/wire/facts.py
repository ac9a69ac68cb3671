"""What happened to a claim -> the messages of the line."""

from __future__ import annotations

import uuid
from datetime import datetime

from fhir_r4 import write
from fhir_r4.work_task import work_task
from google.protobuf.message import Message
from rcm.claims.v1 import claims_pb2
from rcm.work.v1 import work_pb2

from claims_gateway.model import (
    WAITS_AS,
    Claim,
    ClaimMoved,
    Fact,
    FileUnmatched,
    Finding,
    Shown,
    Step,
    WorkClosed,
    WorkOpened,
)
from claims_gateway.wire.charges import write_diagnoses, write_lines
from claims_gateway.wire.resources import claim_resource, claim_task

_WORK = uuid.UUID("4b3f9a5e-6f0b-5a0e-9d0a-2c1c6a1d7e10")
UNMATCHED = "unmatched-remittance"


def work_id(kind: str, subject: str) -> str:
    """Derived, so that a replay names the same work item."""
    return str(uuid.uuid5(_WORK, f"{kind}|{subject}"))


def write_fact(fact: Fact, tenant: str, now: datetime) -> tuple[str, Message, str, str]:
    """(event type, body, ordering key, journey id). A claim without an encounter orders its own facts."""
    match fact:
        case ClaimMoved():
            return fact.event, claim_changed(fact, now), *_place(fact.claim)
        case WorkOpened():
            return "work.opened", _opened(fact, tenant, now), *_place(fact.claim)
        case WorkClosed():
            return "work.closed", _closed(fact, tenant, now), *_place(fact.claim)
        case FileUnmatched():
            opened = _unmatched(fact, tenant, now)
            return "work.opened", opened, opened.work_id, ""


def _place(claim: Claim) -> tuple[str, str]:
    return claim.draft.encounter or claim.claim_id, claim.draft.journey_id


def claim_changed(moved: ClaimMoved, now: datetime) -> claims_pb2.ClaimChanged:
    claim = moved.claim
    insurance = claim.draft.visit.insurance
    return claims_pb2.ClaimChanged(
        claim_id=claim.claim_id,
        encounter=claim.draft.encounter,
        control_number=claim.control_number,
        payer_id=claim.payer_id,
        state=claim.state,
        from_state=moved.from_state,
        reason=moved.reason,
        total_cents=claim.total_cents,
        claim_json=write(claim_resource(claim, now)) if claim.draft.lines else b"",
        findings=[finding_message(finding) for finding in claim.findings],
        lines=write_lines(claim),
        diagnoses=write_diagnoses(claim),
        frequency=claim.frequency,
        responsibility=claim.responsibility,
        payer_claim_number=claim.payer_claim_number,
        filing_deadline=claim.filing_deadline.isoformat() if claim.filing_deadline else "",
        patient=claim.draft.visit.patient.reference,
        coverage=insurance.reference if insurance else "",
        payer_class=claim.payer_class,
        rendering_npi=claim.rendering_npi,
        touched=claim.touched,
    )


def finding_message(finding: Finding) -> claims_pb2.ClaimFinding:
    return claims_pb2.ClaimFinding(
        edit_id=finding.edit_id,
        severity=finding.severity,
        path=finding.path,
        carc=finding.carc,
        because=finding.because,
    )


def summary(shown: Shown, tenant: str) -> claims_pb2.ClaimSummary:
    """A claim as lists and answers show it."""
    claim = shown.claim
    kind = WAITS_AS.get(claim.state, "")
    return claims_pb2.ClaimSummary(
        claim_id=claim.claim_id,
        control_number=claim.control_number,
        encounter=claim.draft.encounter,
        payer_id=claim.payer_id,
        state=claim.state,
        total_cents=claim.total_cents,
        findings=[finding_message(finding) for finding in claim.findings],
        journey_id=claim.draft.journey_id,
        payer_class=claim.payer_class,
        frequency=claim.frequency,
        responsibility=claim.responsibility,
        filing_deadline=claim.filing_deadline.isoformat() if claim.filing_deadline else "",
        payer_claim_number=claim.payer_claim_number,
        touched=claim.touched,
        waived=claim.waived,
        created_at=shown.created_at,
        changed_at=shown.changed_at,
        reason=shown.reason,
        work_id=work_id(kind, _subject(tenant, claim)) if kind else "",
    )


def step_message(step: Step) -> claims_pb2.ClaimStep:
    """A row of a claim's history."""
    return claims_pb2.ClaimStep(
        from_state=step.from_state, to_state=step.to_state, reason=step.reason, happened_at=step.happened_at
    )


def _subject(tenant: str, claim: Claim) -> str:
    return f"{tenant}|{claim.claim_id}"


def _opened(fact: WorkOpened, tenant: str, now: datetime) -> work_pb2.WorkOpened:
    claim = fact.claim
    id = work_id(fact.kind, _subject(tenant, claim))
    return work_pb2.WorkOpened(
        work_id=id,
        kind=fact.kind,
        reason=fact.reason,
        dollars_cents=claim.total_cents,
        due_on=claim.filing_deadline.isoformat() if claim.filing_deadline else "",
        encounter=claim.draft.encounter,
        task=write(claim_task(id, fact.kind, "open", fact.reason, claim, now, fact.owner)),
        owner=fact.owner,
    )


def _closed(fact: WorkClosed, tenant: str, now: datetime) -> work_pb2.WorkClosed:
    id = work_id(fact.kind, _subject(tenant, fact.claim))
    task = claim_task(id, fact.kind, fact.outcome, fact.reason, fact.claim, now)
    return work_pb2.WorkClosed(work_id=id, kind=fact.kind, outcome=fact.outcome, task=write(task))


def _unmatched(fact: FileUnmatched, tenant: str, now: datetime) -> work_pb2.WorkOpened:
    id = work_id(UNMATCHED, f"{tenant}|{fact.file_id}")
    task = work_task(id, UNMATCHED, "open", now, focus="", reason=fact.reason, owner="biller", opened_at=now)
    return work_pb2.WorkOpened(work_id=id, kind=UNMATCHED, reason=fact.reason, task=write(task), owner="biller")
