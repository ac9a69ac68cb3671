"""A work item of each kind as its owners know it, the forms for it, and the call that each form comes to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from console_under_test import NOW, signed_in, tell
from journey.console.desks.gather import MESSAGE_ID, PATIENT_PAIR
from owners_under_test import FakeOwners, form_of, work_opened
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2
from rcm.claims.v1 import claims_pb2
from rcm.coding.v1 import coding_pb2
from rcm.engine.v1 import messages_pb2, persons_pb2
from rcm.remittance.v1 import remittance_pb2

HOSTILE = '"><script>alert(1)</script>'
CLAIM, MESSAGE = "claim-1", "0191d2a0-0000-7000-8000-000000000001"
LINE = billing_pb2.ServiceLine(
    line_id="l1", code="99215", modifiers=["25"], pointers=[1], service_from="2026-03-01", service_to="2026-03-01",
    units="1", unit="UN", place_of_service="11", rendering_npi="1000000004", source="Procedure/p1", ndc="00093721410",
)  # fmt: skip


def review(owners: FakeOwners) -> None:
    found = coding_pb2.Review(
        work_id="w1",
        state="open",
        kind="coder-review",
        findings=[coding_pb2.CodingFinding(rule_id="em-over", severity="error", code="99215", because="too high")],
        diagnoses=[billing_pb2.Diagnosis(sequence=1, icd10cm="I10")],
        lines=[LINE],
    )
    owners.answers["ListReviews"] = coding_pb2.ListReviewsResponse(reviews=[found])
    owners.answers["ResolveReview"] = coding_pb2.ResolveReviewResponse(state="resolved")


def missing(owners: FakeOwners) -> None:
    found = charge_pb2.MissingCharge(work_id="w1", order="ServiceRequest/o1", code="2345-7", reason="no-charge")
    owners.answers["ListMissingCharges"] = charge_pb2.ListMissingChargesResponse(missing=[found])
    owners.answers["AddCharge"] = charge_pb2.AddChargeResponse(state="added")


def held(owners: FakeOwners, state: str = "held") -> None:
    owners.task("w1", f"Claim/{CLAIM}")
    finding = claims_pb2.ClaimFinding(edit_id="edit-06", severity="error", because="no authorization", carc="197")
    claim = claims_pb2.ClaimSummary(claim_id=CLAIM, state=state, total_cents=12_500, findings=[finding], work_id="w1")
    owners.answers["GetClaim"] = claims_pb2.GetClaimResponse(claim=claim)
    ready = claims_pb2.ClaimSummary(claim_id=CLAIM, state="ready")
    owners.answers["ReleaseHold"] = claims_pb2.ReleaseHoldResponse(claim=ready)
    owners.answers["ResubmitClaim"] = claims_pb2.ResubmitClaimResponse(claim=ready)


def rejected(owners: FakeOwners) -> None:
    held(owners, "rejected")


def denied(owners: FakeOwners) -> None:
    held(owners, "denied")
    denial = remittance_pb2.DenialSummary(
        work_id="w1", claim_id=CLAIM, category="authorization", carc=["197"], denied_cents=12_500, state="open"
    )
    balance = remittance_pb2.Balance(billed_cents=12_500, open_cents=12_500)
    owners.answers["GetDenial"] = remittance_pb2.GetDenialResponse(
        denial=denial, balance=balance, actions=["appeal", "write_off"]
    )
    owners.answers["ResolveDenial"] = remittance_pb2.ResolveDenialResponse(balance=remittance_pb2.Balance())


def failed(owners: FakeOwners) -> None:
    owners.task("w1", **{MESSAGE_ID: MESSAGE})
    found = messages_pb2.FeedMessage(id=MESSAGE, channel="north", state="failed", reason="code-missing", path="FT1-7")
    owners.answers["GetMessage"] = messages_pb2.GetMessageResponse(message=found, raw=b"MSH|")
    owners.answers["ReplayMessages"] = messages_pb2.ReplayMessagesResponse(replayed=[MESSAGE])
    owners.answers["DismissMessage"] = messages_pb2.DismissMessageResponse(message=found)


def twins(owners: FakeOwners) -> None:
    owners.task("w1", "Patient/p1", **{PATIENT_PAIR: "p1|p2"})

    def person(request: persons_pb2.GetPersonRequest) -> persons_pb2.GetPersonResponse:
        patient = b'{"resourceType": "Patient", "birthDate": "1970-01-02", "gender": "female"}'
        return persons_pb2.GetPersonResponse(
            person="x", patients=[persons_pb2.PersonPatient(id=request.patient, patient=patient)]
        )

    owners.answers["GetPerson"] = person
    owners.answers["DecidePair"] = persons_pb2.DecidePairResponse()


def recoded() -> coding_pb2.ResolveReviewRequest:
    line = billing_pb2.ServiceLine()
    line.CopyFrom(LINE)
    line.code = "99213"
    diagnosis = billing_pb2.Diagnosis(sequence=1, icd10cm="I10")
    return coding_pb2.ResolveReviewRequest(work_id="w1", action="recode", diagnoses=[diagnosis], lines=[line])


Row = tuple[str, Callable[[FakeOwners], None], str, dict[str, Any], str, Any]
# Kind, what its owners know, the form, what is typed into it, and the call that comes of it.
ROWS: tuple[Row, ...] = (
    ("coder-review", review, "accept", {}, "ResolveReview",
     coding_pb2.ResolveReviewRequest(work_id="w1", action="accept")),
    ("coder-review", review, "not-billable", {}, "ResolveReview",
     coding_pb2.ResolveReviewRequest(work_id="w1", action="not-billable")),
    ("unmapped-code", review, "recode", {"line-0-code": "99213"}, "ResolveReview", recoded()),
    ("late-charge", review, "settle-late-coding", {}, "ResolveReview",
     coding_pb2.ResolveReviewRequest(work_id="w1", action="accept")),
    ("late-charge", missing, "no-charge", {}, "AddCharge",
     charge_pb2.AddChargeRequest(work_id="w1", not_billable=True)),
    ("missing-charge", missing, "add-charge", {"code": "82947", "modifiers": "qw, 59", "units": "2"}, "AddCharge",
     charge_pb2.AddChargeRequest(work_id="w1", line=billing_pb2.ServiceLine(
         code="82947", modifiers=["QW", "59"], units="2"))),
    ("missing-charge", missing, "no-charge", {}, "AddCharge",
     charge_pb2.AddChargeRequest(work_id="w1", not_billable=True)),
    ("claim-hold", held, "release", {"waive": ["edit-06"], "authorization": "AB-12"}, "ReleaseHold",
     claims_pb2.ReleaseHoldRequest(claim_id=CLAIM, waive=["edit-06"], authorization_number="AB-12")),
    ("rejection", rejected, "resubmit", {"member": "W-1234"}, "ResubmitClaim",
     claims_pb2.ResubmitClaimRequest(claim_id=CLAIM, member_id="W-1234")),
    ("denial", denied, "appeal", {}, "ResolveDenial",
     remittance_pb2.ResolveDenialRequest(work_id="w1", action="appeal", reason="appeal")),
    ("denial", denied, "write-off", {"reason": "not-covered"}, "ResolveDenial",
     remittance_pb2.ResolveDenialRequest(work_id="w1", action="write_off", reason="not-covered")),
    ("message-failed", failed, "replay", {}, "ReplayMessages", messages_pb2.ReplayMessagesRequest(ids=[MESSAGE])),
    ("message-failed", failed, "dismiss", {"reason": "test-message"}, "DismissMessage",
     messages_pb2.DismissMessageRequest(id=MESSAGE, reason="test-message")),
    ("duplicate-patient", twins, "link", {}, "DecidePair",
     persons_pb2.DecidePairRequest(first="p1", second="p2", same=True, by="local:Ada")),
    ("duplicate-patient", twins, "keep-apart", {}, "DecidePair",
     persons_pb2.DecidePairRequest(first="p1", second="p2", same=False, by="local:Ada")),
)  # fmt: skip
NAMES = [f"{kind}-{form}" for kind, _, form, _, _, _ in ROWS]


@asynccontextmanager
async def at_work(
    platform: Any, tenant: str, owners: FakeOwners, kind: str, role: str = "biller", **detail: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody signed in, and one open work item w1 of a kind."""
    async with signed_in(platform, tenant, role, channels=owners.channel) as browser:
        await tell(browser.console, [work_opened("w1", kind, NOW - timedelta(hours=3), **detail)])
        yield browser


async def filled(browser: httpx.AsyncClient, action: str, typed: dict[str, Any]) -> dict[str, Any]:
    """The form of an action as the page gives it, with what is typed."""
    page = await browser.get("/work/w1")
    assert page.status_code == 200, page.text
    return {**form_of(page.text, action), **typed}
