"""Bad input at every door of the running line: a clear, specific answer, and nothing lost or half done."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from bus.flow import subject_of
from bus.jetstream import connect
from chassis import ask, open_channel
from cli.access import TokenSource
from flow_types import Line200
from rcm.engine.v1.engine_pb2 import EncounterFinished
from rcm.event.v1.envelope_pb2 import Envelope as EventEnvelope
from rcm.remittance.v1 import remittance_pb2, remittance_pb2_grpc
from stack import query
from x12 import Envelope
from x12.views.parties import Address
from x12.views.remittance import ClaimPayment, RemitPayee, RemitPayer, Remittance, build_835

FHIR = "application/fhir+json"
CLINIC = Address("1 TEST ST", "TESTVILLE", "OH", "43004")


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"family": "Test-Flow"}], **more}


def transaction(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid.uuid4()}",
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def claim_over(amount: str) -> bytes:
    text = json.dumps(
        {
            "resourceType": "Claim",
            "status": "active",
            "type": {"coding": [{"code": "professional"}]},
            "use": "claim",
            "patient": {"display": "nobody"},
            "created": "2026-01-01",
            "provider": {"display": "nobody"},
            "priority": {"coding": [{"code": "normal"}]},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "none"}}],
            "total": {"value": "AMOUNT", "currency": "USD"},
        }
    )
    return text.replace('"AMOUNT"', amount).encode()


async def post(line: Line200, path: str, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        token = await TokenSource(line.place.clients["default"], http).token()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": FHIR}
        return await http.post(line.stack.fhir_url + path, content=content, headers=headers)


async def resources(line: Line200) -> int:
    rows = await query(line.stack.owner_url, "select count(*) as n from interface_engine.resource_version")
    return int(rows[0]["n"])


BAD = (
    ("no-json", "", b'{"resourceType": "Bundle", ', {400}, ""),
    ("unknown-type", "/Banana", b'{"resourceType": "Banana"}', {400, 404}, ""),
    ("wrong-type", "/Patient", b'{"resourceType": "Coverage"}', {400, 422}, ""),
    ("unknown-element", "/Patient", json.dumps(patient(shoeSize=9)).encode(), {400, 422}, "Patient"),
    ("unknown-code", "/Patient", json.dumps(patient(gender="banana")).encode(), {400, 422}, "Patient.gender"),
    ("three-decimals", "/Claim", claim_over("10.005"), {400, 422}, "Claim.total"),
    (
        "reference-to-nothing",
        "",
        json.dumps(
            transaction(
                patient(),
                {
                    "resourceType": "Condition",
                    "subject": {"reference": "Patient/there-is-no-such-patient"},
                    "code": {"text": "x"},
                },
            )
        ).encode(),
        {400, 422},
        "subject",
    ),
)


@pytest.mark.parametrize(
    ("path", "content", "statuses", "where"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
async def test_a_bad_resource_is_an_outcome_with_its_path_and_stores_nothing(
    line: Line200, path: str, content: bytes, statuses: set[int], where: str
) -> None:
    before = await resources(line)
    answer = await post(line, path, content)
    assert answer.status_code in statuses, answer.text
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    issue = outcome["issue"][0]
    assert issue["severity"] in ("error", "fatal")
    assert where in "".join(issue.get("expression", []))
    assert await resources(line) == before


async def test_a_body_of_ten_megabytes_is_refused_and_read_no_further(line: Line200) -> None:
    answer = await post(line, "", b'{"resourceType":"Bundle","x":"' + b"y" * 10_000_000 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_without_a_token_nobody_gets_in(line: Line200) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(line.stack.fhir_url, content=b"{}", headers={"Content-Type": FHIR})
    assert answer.status_code == 401


def era(*claims: ClaimPayment, amount_cents: int, trace: str) -> str:
    remittance = Remittance(
        payer=RemitPayer(name="SYNTHETIC PAYER A", address=CLINIC, id="SYNPA"),
        payee=RemitPayee(name="TEST CLINIC", npi="1234567893"),
        amount_cents=amount_cents,
        payment_date=date(2026, 3, 2),
        trace_number=trace,
        trace_origin="1512345678",
        claims=claims,
    )
    number = int(uuid.uuid4().int % 10**8) + 1
    envelope = Envelope(
        sender_id="SYNPA",
        receiver_id="THROUGHLINE",
        control_number=number,
        created=datetime(2026, 3, 2, tzinfo=UTC),
    )
    return build_835(remittance, envelope)


async def receive(line: Line200, text: str) -> remittance_pb2.ReceiveRemittanceResponse:
    channel = open_channel(line.place.grpc["remittance"])
    try:
        stub = remittance_pb2_grpc.RemittanceServiceStub(channel)
        request = remittance_pb2.ReceiveRemittanceRequest(x12=text.encode())
        return await ask(stub.ReceiveRemittance, request, tenant=line.place.tenant, deadline_s=10)
    finally:
        await channel.close()


async def test_an_835_that_does_not_balance_is_quarantined_with_its_segment(line: Line200) -> None:
    payment = ClaimPayment(control_number="NOBODYS1", status="1", charge_cents=10_000, paid_cents=8_000)
    answer = await receive(line, era(payment, amount_cents=8_000, trace=uuid.uuid4().hex[:12].upper()))
    (one,) = answer.remittances
    assert "CLP" in one.reason and "balance" in one.reason
    assert one.claims in (0, 1)


async def test_an_835_that_names_no_claim_of_ours_is_kept_for_a_person(line: Line200) -> None:
    payment = ClaimPayment(control_number="NOBODYS2", status="1", charge_cents=8_000, paid_cents=8_000)
    text = era(payment, amount_cents=8_000, trace=uuid.uuid4().hex[:12].upper())
    first, again = await receive(line, text), await receive(line, text)
    assert first.remittances[0].unmatched == 1 and not first.remittances[0].reason
    assert again.remittances[0].remittance_id == first.remittances[0].remittance_id


async def test_what_the_clearinghouse_sent_wrongly_waits_for_a_person_and_cost_nothing(line: Line200) -> None:
    files = await query(line.stack.owner_url, "select reason from claims_gateway.unmatched_file")
    assert "999-unknown-set" in {row["reason"] for row in files}
    kinds = await query(
        line.stack.owner_url,
        "select detail, reason from journey.fact where type = 'work.opened' and qualifier = 'unmatched-remittance'",
    )
    assert len(kinds) >= 2


async def test_an_event_of_an_unknown_version_is_a_dead_letter_with_that_reason(line: Line200) -> None:
    event_id = str(uuid.uuid4())
    envelope = EventEnvelope(
        event_id=event_id,
        type="encounter.finished",
        tenant="another-tenant",
        ordering_key="Encounter/none",
        schema_version=99,
        body=EncounterFinished().SerializeToString(),
    )
    client = await connect(line.stack.nats_url, "test")
    try:
        subject = subject_of("encounter.finished", envelope.ordering_key)
        await client.jetstream().publish(subject, envelope.SerializeToString())
    finally:
        await client.close()
    for service in ("coding", "journey"):
        sql = f"select reason from {service}.dead_letter where event_id = '{event_id}'"
        for _ in range(100):
            if rows := await query(line.stack.owner_url, sql):
                break
            await asyncio.sleep(0.1)
        assert [row["reason"] for row in rows] == ["event-version-unknown"]


def test_the_amounts_of_this_file_are_what_they_say() -> None:
    assert json.loads(claim_over("10.005"), parse_float=Decimal)["total"]["value"] == Decimal("10.005")
