"""The claims desk: lists, one claim with and without names, its money, and a patient's payment."""

from __future__ import annotations

from typing import Any

import pytest
from console_under_test import signed_in
from google.protobuf.timestamp_pb2 import Timestamp
from kernel.errors import Refused
from owners_under_test import FakeOwners, form_of
from rcm.claims.v1 import claims_pb2
from rcm.remittance.v1 import remittance_pb2

CLAIM = "11111111-2222-3333-4444-555555555555"
NAME = "Quillfeather"
HOSTILE = "<img src=x onerror=alert(1)>"
READABLE = [
    "    1 ISA 05=ZZ 06=OURS           12=00501 13=000000055 15=T 16=:",
    "    2 GS  01=HC 08=005010X222A1",
    "      3 ST  01=837 02=0001",
    "  [2010BA]",
    "        4 NM1 01=IL 02=1 03={name} 08=MI 09=<10>",
    "    [2300]",
    "          5 CLM 01=<17> 02=225 05=11:B:1 06=Y",
    "          6 HI  01=ABK:I2510 02=ABF:I10",
]
FHIR = b"""{"resourceType": "Claim", "patient": {"display": "Quillfeather"},
 "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "I25.10"}]}}],
 "item": [{"sequence": 1, "productOrService": {"coding": [{"code": "99214"}]}, "diagnosisSequence": [1],
  "servicedDate": "2026-03-01", "quantity": {"value": 1}, "net": {"value": 225.00, "currency": "USD"}}]}"""


@pytest.fixture
def known(owners: FakeOwners) -> FakeOwners:
    """Owners that know one claim, and its books."""
    told = {"state": "paid", "total_cents": 22_500, "payer_id": "SYNPA", "changed_at": Timestamp(seconds=1)}
    summary = claims_pb2.ClaimSummary(claim_id=CLAIM, journey_id="ab" * 16, **told)

    def claim(request: claims_pb2.GetClaimRequest) -> claims_pb2.GetClaimResponse:
        name = "<12>" if request.masked else NAME
        readable = [line.replace("{name}", name) for line in READABLE]
        if request.masked:
            return claims_pb2.GetClaimResponse(claim=summary, readable=readable)
        return claims_pb2.GetClaimResponse(claim=summary, claim_json=FHIR, x12=f"ISA*{NAME}~", readable=readable)

    owners.answers["GetClaim"] = claim
    owners.answers["ListClaims"] = claims_pb2.ListClaimsResponse(claims=[summary], next="token-2")
    books = remittance_pb2.Balance(key=CLAIM, billed_cents=22_500, paid_cents=8_800, patient_cents=4_700)
    owners.answers["GetLedger"] = remittance_pb2.GetLedgerResponse(claims=[books])
    owners.answers["ListDenials"] = remittance_pb2.ListDenialsResponse()
    owners.answers["RecordPatientPayment"] = remittance_pb2.RecordPatientPaymentResponse(patient_open_cents=2_200)
    return owners


async def test_the_list_asks_what_its_filters_say(platform: Any, tenant: str, known: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        given = {"state": "held", "payer": "SYNPA", "text": " CLM01X ", "journey": "ab" * 16, "after": "token-1"}
        page = (await browser.get("/claims", params=given)).text
        (call,) = known.asked("ListClaims")
        assert call.request == claims_pb2.ListClaimsRequest(
            state="held", payer_id="SYNPA", text="CLM01X", journey_id="ab" * 16, after="token-1", limit=50
        )
        assert call.tenant == tenant
        assert f"/claims/{CLAIM}" in page and "after=token-2" in page and "$225.00" in page


async def test_one_claim_shows_what_is_billed_and_paid_and_no_name(
    platform: Any, tenant: str, known: FakeOwners
) -> None:
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        page = (await browser.get(f"/claims/{CLAIM}")).text
        assert NAME not in page and "ISA*" not in page
        for text in ("99214", "I25.10", "$88.00", "principal diagnosis", "our claim number", "insured", "original"):
            assert text in page, text
        rows = await browser.console.rows("select action, item from console_access where kind = 'claim'")
        assert rows == [{"action": "read", "item": CLAIM}]


async def test_names_are_for_billers_and_the_look_is_recorded(platform: Any, tenant: str, known: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        assert (await browser.get(f"/claims/{CLAIM}", params={"names": "show"})).status_code == 403
        assert known.calls == []
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        page = (await browser.get(f"/claims/{CLAIM}", params={"names": "show"})).text
        assert NAME in page and f"ISA*{NAME}~" in page and "225.00" in page
        rows = await browser.console.rows("select action from console_access where kind = 'claim'")
        assert rows == [{"action": "read-names"}]


async def test_books_that_are_away_do_not_take_the_claim_with_them(
    platform: Any, tenant: str, known: FakeOwners
) -> None:
    known.away.add("remittance")
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        page = await browser.get(f"/claims/{CLAIM}")
        assert page.status_code == 200 and "books do not answer" in page.text


async def test_a_gateway_that_is_away_is_a_page_that_says_so(platform: Any, tenant: str, known: FakeOwners) -> None:
    known.away.add("claims-gateway")
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        for path in ("/claims", f"/claims/{CLAIM}"):
            page = await browser.get(path)
            assert page.status_code == 503
            assert "The service claims-gateway does not answer." in page.text and "Try again" in page.text


async def test_a_claim_that_is_not_there(platform: Any, tenant: str, owners: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        assert (await browser.get("/claims/none")).status_code == 404


async def test_a_patients_payment_is_recorded_once(platform: Any, tenant: str, known: FakeOwners) -> None:
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        form = form_of((await browser.get(f"/claims/{CLAIM}")).text, "record-payment")
        form |= {"paid": ["$1,025.5"], "method": ["cash"], "point_of_service": ["yes"]}
        answers = [await browser.post(f"/claims/{CLAIM}", data=form) for _ in range(2)]
        assert [one.status_code for one in answers] == [303, 303]
        (effect,) = known.effects
        assert effect.request == remittance_pb2.RecordPatientPaymentRequest(
            claim_id=CLAIM, paid_cents=102_550, point_of_service=True, method="cash", idempotency_key=form["key"][0]
        )
        assert "still owes $22.00" in (await browser.get(f"/claims/{CLAIM}")).text


@pytest.mark.parametrize(("paid", "method"), [("twelve", "cash"), ("1.234", "cash"), ("-5", "cash"), ("5", "gold")])
async def test_no_payment_comes_of_what_is_no_amount_or_method(
    platform: Any, tenant: str, known: FakeOwners, paid: str, method: str
) -> None:
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        form = form_of((await browser.get(f"/claims/{CLAIM}")).text, "record-payment")
        answer = await browser.post(f"/claims/{CLAIM}", data=form | {"paid": paid, "method": method})
        assert answer.status_code == 409 and known.effects == []


async def test_a_payment_that_is_refused_says_why(platform: Any, tenant: str, known: FakeOwners) -> None:
    known.answers["RecordPatientPayment"] = Refused("too-much", "that is more than the patient owes")
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        form = form_of((await browser.get(f"/claims/{CLAIM}")).text, "record-payment")
        answer = await browser.post(f"/claims/{CLAIM}", data=form | {"paid": "99"})
        assert answer.status_code == 409 and "more than the patient owes" in answer.text


async def test_hostile_text_is_shown_as_text(platform: Any, tenant: str, known: FakeOwners) -> None:
    bad = claims_pb2.ClaimSummary(claim_id=HOSTILE, state=HOSTILE, payer_id=HOSTILE, reason=HOSTILE, encounter=HOSTILE)
    readable = [f"      1 NM1 01=IL 03={HOSTILE}", HOSTILE]
    known.answers["GetClaim"] = claims_pb2.GetClaimResponse(claim=bad, readable=readable, x12=HOSTILE)
    known.answers["ListClaims"] = claims_pb2.ListClaimsResponse(claims=[bad])
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        for page in (
            await browser.get("/claims", params={"text": HOSTILE, "state": HOSTILE}),
            await browser.get(f"/claims/{CLAIM}", params={"names": "show"}),
        ):
            assert page.status_code == 200 and "<img" not in page.text and "&lt;img" in page.text
