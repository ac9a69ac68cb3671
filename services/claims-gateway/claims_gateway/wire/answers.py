"""What eligibility and prior-auth are asked, and their answers as ours."""

from __future__ import annotations

from datetime import date

from rcm.eligibility.v1 import eligibility_pb2 as coverage_pb2
from rcm.priorauth.v1 import priorauth_pb2

from claims_gateway.model import AuthorizationAnswer, CoverageAnswer, Draft, Mismatch

_STATUS = {
    coverage_pb2.COVERAGE_STATUS_ACTIVE: "active",
    coverage_pb2.COVERAGE_STATUS_INACTIVE: "inactive",
    coverage_pb2.COVERAGE_STATUS_REJECTED: "rejected",
}
_DECISION = {
    priorauth_pb2.DECISION_APPROVED: "approved",
    priorauth_pb2.DECISION_PARTIAL: "partial",
    priorauth_pb2.DECISION_DENIED: "denied",
    priorauth_pb2.DECISION_PENDED: "pended",
    priorauth_pb2.DECISION_UNKNOWN: "unknown",
}


def coverage_question(draft: Draft) -> coverage_pb2.GetCoverageOnRequest:
    return coverage_pb2.GetCoverageOnRequest(
        patient_json=draft.sources.patient,
        coverage_json=draft.sources.coverage,
        payor_json=draft.sources.payor,
        provider_json=draft.sources.provider,
        date=draft.service_date.isoformat() if draft.service_date else "",
        journey_id=draft.journey_id,
    )


def authorization_question(draft: Draft) -> priorauth_pb2.FindAuthorizationRequest:
    return priorauth_pb2.FindAuthorizationRequest(
        patient_json=draft.sources.patient,
        coverage_json=draft.sources.coverage,
        payer_id=draft.payer_id,
        date=draft.service_date.isoformat() if draft.service_date else "",
        place_of_service=draft.place_of_service,
        codes=draft.codes,
        diagnoses=[diagnosis.code for diagnosis in draft.diagnoses],
    )


def read_coverage(verification: coverage_pb2.CoverageVerification) -> CoverageAnswer:
    """A status that we do not know is unknown, never active."""
    return CoverageAnswer(
        status=_STATUS.get(verification.status, "unknown"),
        on=_day(verification.date),
        reason=verification.reason,
        payer_id=verification.payer_id,
        other_payer_id=verification.other_payer_id,
        plan_begin=_day(verification.plan_begin),
        plan_end=_day(verification.plan_end),
        mismatches=tuple(Mismatch(row.field, row.aaa) for row in verification.mismatches),
    )


def read_authorizations(response: priorauth_pb2.FindAuthorizationResponse) -> tuple[AuthorizationAnswer, ...]:
    return tuple(_authorization(row) for row in response.authorizations)


def _authorization(row: priorauth_pb2.Authorization) -> AuthorizationAnswer:
    return AuthorizationAnswer(
        code=row.code,
        required=row.requirement == priorauth_pb2.REQUIREMENT_REQUIRED,
        decision=_DECISION.get(row.decision, ""),
        number=row.number,
        valid_from=_day(row.valid_from),
        valid_to=_day(row.valid_to),
        units=row.units,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
