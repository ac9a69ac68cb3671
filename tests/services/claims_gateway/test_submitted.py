"""A submitted Claim at the gateway: what becomes of it, what it is refused for and where, and that it is one claim."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from claims_gateway.model import Answers, CoverageAnswer
from fhir_r4 import read, validate, write
from gateway_harness import Gateway, Make
from gateway_world import BILLING, ORDERING, RENDERING, SERVED, resources
from kernel.errors import Refused, Unavailable, Unreadable
from rcm.claims.v1 import claims_pb2
from submit_world import CPT, HCPCS, NDC, claim, concept, context, item, money, request
from x12 import transaction_sets
from x12.views.claim import read_837p


async def submit(gateway: Gateway, content: dict[str, Any] | None = None, **fields: Any) -> tuple[str, dict[str, Any]]:
    answer = await gateway.servicer.SubmitFhir(request(content, **fields), gateway.context())
    response = read(answer.resource)
    assert validate(response) == []
    assert answer.status == response["outcome"]
    return answer.status, response


async def the_837(gateway: Gateway, place: int = 0) -> Any:
    assert await gateway.submission.submit_ready(gateway.tenant) == 1
    return [one for ts in transaction_sets(gateway.box.sent[-1]) for one in read_837p(ts)][place]


def edits(response: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(e["code"]["coding"][0]["code"], e.get("itemSequence")) for e in response.get("error", ())]


async def test_a_clean_claim_is_ready_and_goes_out_as_its_sender_made_it(gateway: Gateway) -> None:
    status, response = await submit(gateway)
    assert status == "queued"
    assert response["identifier"] == claim()["identifier"]
    assert "error" not in response
    assert str(response["total"][0]["amount"]["value"]) == "215.00"
    [(name, built)] = await gateway.told()
    assert (name, built.state, built.total_cents, built.encounter) == ("claim.built", "ready", 21500, "")
    assert response["request"] == {"reference": f"Claim/{built.claim_id}"}
    assert validate(read(built.claim_json)) == []
    sent = await the_837(gateway)
    assert (sent.control_number, sent.total_cents, sent.billing.npi) == (built.control_number, 21500, BILLING)
    assert (sent.rendering.npi, sent.place_of_service) == (RENDERING, "11")
    assert [(one.code, one.charge_cents, one.date_from, one.pointers) for one in sent.lines] == [
        ("99213", 15500, SERVED, (1,)),
        ("80053", 6000, SERVED, (1,)),
    ]
    assert sent.lines[1].ordering.npi == ORDERING
    assert [row.code for row in sent.diagnoses] == ["E119"]
    assert await gateway.names() == ["claim.built", "claim.submitted"]


async def test_a_journey_begins_with_the_claim(gateway: Gateway) -> None:
    await submit(gateway)
    summary = await gateway.claim()
    assert len(summary.journey_id) == 32
    await submit(gateway, claim(identifier=[{"value": "C-2"}], patient={"reference": "Patient/p1"}))
    found = (await gateway.servicer.ListClaims(claims_pb2.ListClaimsRequest(), gateway.context())).claims
    assert len({one.journey_id for one in found}) == 2


async def test_modifiers_drug_units_and_authorization_reach_the_payer(gateway: Gateway) -> None:
    drug = {"sequence": 1, "productOrService": concept(NDC, "00093-0001-01"), "quantity": {"value": 2, "unit": "mL"}}
    lines = [
        item(1, "99213", "155.00", modifier=[concept(CPT, "25")]),
        item(2, "J1885", "10.50", unitPrice=money("3.50"), quantity={"value": Decimal("3")}, detail=[drug]),
        item(3, "96372", "40.00"),
    ]
    insurance = [
        {"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c1"}, "preAuthRef": ["AUTH0000007"]}
    ]
    await submit(gateway, claim(item=lines, insurance=insurance, total=money("205.50")))
    sent = await the_837(gateway)
    assert sent.prior_authorization == "AUTH0000007"
    assert sent.lines[0].modifiers == ("25",)
    line = sent.lines[1]
    assert (line.charge_cents, line.units, line.drug.ndc, line.drug.quantity, line.drug.unit) == (
        1050, "3", "00093000101", "2", "ML",
    )  # fmt: skip


async def test_a_claim_that_fails_an_edit_is_held_and_says_which_and_where(gateway: Gateway) -> None:
    lines = [
        item(4, "99213", "155.00"),
        item(9, "80053", "60.00", locationCodeableConcept=None, careTeamSequence=[1, 2]),
    ]
    status, response = await submit(gateway, claim(item=lines))
    assert (status, edits(response)) == ("error", [("data-place-of-service", 9)])
    assert [note for note in response["processNote"] if "data-place-of-service" in note["text"]]
    assert await gateway.names() == ["claim.built", "claim.held", "work.opened"]
    assert await gateway.submission.submit_ready(gateway.tenant) == 0


async def test_an_inactive_coverage_holds_it_too_and_a_later_answer_releases_it(gateway: Gateway) -> None:
    gateway.others.said = Answers(CoverageAnswer(status="inactive", on=SERVED, payer_id="SYNPA"))
    status, response = await submit(gateway)
    assert (status, edits(response)) == ("error", [("edit-01", None)])
    gateway.others.said = Answers(CoverageAnswer(status="active", on=SERVED, payer_id="SYNPA"))
    status, _ = await submit(gateway, idempotency_key="another")
    assert status == "queued"
    assert (await gateway.claim()).state == "ready"


async def test_a_mended_patient_releases_the_same_claim(gateway: Gateway) -> None:
    record = resources()
    del record["Patient"]["birthDate"]
    status, response = await submit(gateway, record=record)
    assert (status, edits(response)) == ("error", [("data-patient-birth-date", None)])
    before = await gateway.claim()
    assert (await submit(gateway))[0] == "queued"
    after = await gateway.claim()
    assert (before.claim_id, before.journey_id, after.state) == (after.claim_id, after.journey_id, "ready")
    assert await gateway.names() == ["claim.built", "claim.held", "work.opened", "claim.built", "work.closed"]


async def test_its_sender_corrects_a_held_claim_under_the_same_identifier(gateway: Gateway) -> None:
    visit = {"encounter": [{"reference": "Encounter/e1"}]}
    wrong = claim(item=[item(1, "99213", "155.00", locationCodeableConcept=None, **visit)], total=None)
    right = claim(item=[item(1, "99213", "155.00", **visit), item(2, "80053", "60.00", **visit)])
    assert (await submit(gateway, wrong))[0] == "error"
    before = await gateway.claim()
    for other in ({"client_id": "client-2"}, {"content": right | {"identifier": [{"value": "C-2"}]}}):
        with pytest.raises(Refused) as refused:
            await submit(gateway, **({"content": right} | other))
        assert refused.value.code == "claim-exists"
    status, response = await submit(gateway, right)
    assert (status, response["request"]) == ("queued", {"reference": f"Claim/{before.claim_id}"})
    sent = await the_837(gateway)
    assert (sent.control_number, sent.total_cents) == (before.control_number, 21500)
    assert (await submit(gateway, wrong, idempotency_key="late"))[0] == "error"
    assert (await gateway.claim()).total_cents == 21500
    assert await gateway.count("select count(*) from claim") == 1


async def test_what_does_not_go_to_the_payer_is_said(gateway: Gateway) -> None:
    info = [{"sequence": 1, "category": concept("urn:x", "info"), "valueString": "see the chart"}]
    _, response = await submit(gateway, claim(supportingInfo=info, accident={"date": "2026-03-01"}))
    texts = [note["text"] for note in response["processNote"]]
    assert texts == [
        "Claim.accident is kept and does not go to the payer",
        "Claim.supportingInfo[0] is kept and does not go to the payer",
    ]


async def test_the_same_claim_is_one_claim_whatever_key_it_comes_under(gateway: Gateway) -> None:
    one = await gateway.servicer.SubmitFhir(request(idempotency_key="k1"), gateway.context())
    for fields in ({"idempotency_key": "k1"}, {"idempotency_key": "k2"}, {}):
        again = await gateway.servicer.SubmitFhir(request(claim(id="other"), **fields), gateway.context())
        assert again.resource == one.resource
    assert await gateway.count("select count(*) from claim") == 1
    assert await gateway.names() == ["claim.built"]


async def test_a_hundred_different_keys_for_one_content_make_one_claim(make: Make, tenant: str) -> None:
    gateways = [await make(tenant), await make(tenant)]

    async def send(number: int) -> bytes:
        gateway = gateways[number % 2]
        answer = await gateway.servicer.SubmitFhir(request(idempotency_key=f"k{number}"), gateway.context())
        return bytes(answer.resource)

    answers = await asyncio.gather(*map(send, range(100)))
    assert len(set(answers)) == 1
    assert await gateways[0].count("select count(*) from claim") == 1
    assert await gateways[0].submission.submit_ready(tenant) == 1
    assert await gateways[1].submission.submit_ready(tenant) == 0


async def test_another_claim_under_the_same_identifier_or_encounter_is_refused(gateway: Gateway) -> None:
    await submit(gateway)
    standing = (await gateway.claim()).claim_id
    with pytest.raises(Refused) as refused:
        await submit(gateway, claim(created="2026-03-21"))
    assert (refused.value.code, refused.value.kind) == ("claim-exists", "already_exists")
    assert standing in refused.value.reason
    assert await gateway.count("select count(*) from claim") == 1
    assert await gateway.count("select count(*) from submission") == 1


async def test_a_claim_of_an_encounter_that_the_line_bills_is_refused(gateway: Gateway) -> None:
    await gateway.take()
    standing = (await gateway.claim()).claim_id
    of_visit = [item(1, "99213", "155.00", encounter=[{"reference": "Encounter/e1"}])]
    with pytest.raises(Refused) as refused:
        await submit(gateway, claim(item=of_visit, total=None))
    assert (refused.value.kind, standing in refused.value.reason) == ("already_exists", True)


async def test_the_lines_claim_for_what_was_submitted_already_is_held_as_a_duplicate(gateway: Gateway) -> None:
    await submit(gateway)
    await gateway.take()
    found = (await gateway.servicer.ListClaims(claims_pb2.ListClaimsRequest(), gateway.context())).claims
    assert sorted(one.state for one in found) == ["held", "ready"]


@pytest.mark.parametrize("attempt", range(8))
async def test_charges_and_a_submitted_claim_of_one_visit_never_both_go_out(
    make: Make, tenant: str, attempt: int
) -> None:
    line, door = await make(tenant), await make(tenant)
    lines = [
        item(number, code, net, encounter=[{"reference": "Encounter/e1"}])
        for number, code, net in ((1, "99213", "155.00"), (2, "80053", "60.00"))
    ]
    _, answer = await asyncio.gather(line.take(), submit(door, claim(item=lines)), return_exceptions=True)
    found = (await line.servicer.ListClaims(claims_pb2.ListClaimsRequest(), line.context())).claims
    states = sorted(one.state for one in found)
    assert states == (["ready"] if isinstance(answer, Refused) else ["held", "ready"])


async def test_a_held_claim_that_waits_for_others_is_looked_at_again(gateway: Gateway) -> None:
    gateway.others.said = Answers(CoverageAnswer(status="unknown", on=SERVED, payer_id="SYNPA"))
    await submit(gateway)
    assert await gateway.count("select count(*) from timer where kind = 'claims-gateway.look-again'") == 1


async def test_a_key_stands_for_one_content(gateway: Gateway) -> None:
    await submit(gateway, idempotency_key="k1")
    with pytest.raises(Refused) as refused:
        await submit(gateway, claim(identifier=[{"value": "C-2"}]), idempotency_key="k1")
    assert refused.value.code == "idempotency-key-reused"


async def test_when_the_others_are_away_nothing_is_left_and_the_next_try_goes_through(gateway: Gateway) -> None:
    gateway.others.away = True
    with pytest.raises(Unavailable):
        await submit(gateway)
    assert await gateway.count("select count(*) from submission") == 0
    gateway.others.away = False
    assert (await submit(gateway))[0] == "queued"


async def test_contained_people_are_nobody_of_ours(gateway: Gateway) -> None:
    patient = resources()["Patient"] | {"id": "pt"}
    status, response = await submit(gateway, claim(contained=[patient], patient={"reference": "#pt"}))
    assert (status, response["patient"], response["contained"]) == ("queued", {"reference": "#pt"}, [patient])
    [(_, built)] = await gateway.told()
    assert built.patient not in ("Patient/pt", "Patient/p1", "#pt")


async def test_a_practitioner_bills_under_the_own_name(gateway: Gateway) -> None:
    record = resources()
    clinic = record["Organization"]
    tax = clinic["identifier"][1]
    record["Practitioner"] |= {"address": clinic["address"], "identifier": [*record["Practitioner"]["identifier"], tax]}
    alone = claim(provider={"reference": "Practitioner/dr1"}, careTeam=None, item=[
        item(1, "99213", "215.00", careTeamSequence=None)
    ])  # fmt: skip
    assert (await submit(gateway, alone, record=record))[0] == "queued"
    sent = await the_837(gateway)
    assert (sent.billing.npi, sent.billing.name) == (RENDERING, "Rendra Test-Birch")


async def test_a_member_of_the_team_may_be_named_by_npi_alone_or_by_role(gateway: Gateway) -> None:
    npi = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": RENDERING}}
    one = item(1, "99213", "155.00")
    await submit(gateway, claim(careTeam=[{"sequence": 1, "provider": npi}], item=[one], total=None))
    record = resources()
    record["Role"] = {
        "resourceType": "PractitionerRole",
        "id": "role1",
        "practitioner": {"reference": "Practitioner/dr1"},
        "specialty": [concept("http://nucc.org/provider-taxonomy", "207Q00000X")],
    }
    team = [{"sequence": 1, "provider": {"reference": "PractitionerRole/role1"}}]
    named = claim(careTeam=team, item=[one], total=None, identifier=[{"value": "C-2"}], patient=OTHER)
    record["Patient"] |= {"id": "p2"}
    await submit(gateway, named, record=record)
    bodies = [body for name, body in await gateway.told() if name == "claim.built"]
    assert [[line.rendering_npi for line in body.lines] for body in bodies] == [[RENDERING]] * 2
    sent = await the_837(gateway, -1)
    assert (sent.rendering.npi, sent.rendering.taxonomy) == (RENDERING, "207Q00000X")


OTHER = {"reference": "Patient/p2"}
TEAM = {"sequence": 1, "provider": {"reference": "Practitioner/dr1"}}
ELSEWHERE = {"reference": "Practitioner/none"}
STRANGERS = [TEAM, {"sequence": 2, "provider": ELSEWHERE}]
MODIFIED = [{"url": "https://x.example/not", "valueBoolean": True}]
SECOND = [
    {"sequence": 1, "focal": False, "coverage": {"reference": "Coverage/c1"}},
    {"sequence": 2, "focal": True, "coverage": {"reference": "Coverage/c1"}},
]
EUROS = item(1, "99213", "1") | {"net": {"value": 155, "currency": "EUR"}}
CHANGED = item(1, "99213", "1", modifierExtension=MODIFIED)
PART = {"sequence": 1, "productOrService": concept(CPT, "80048"), "net": money("5.00")}


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"patient": {"reference": "Patient/none"}}, "reference-unresolved", "Claim.patient"),
        ({"careTeam": STRANGERS}, "reference-unresolved", "Claim.careTeam[1].provider"),
        ({"item": [item(1, "99213", "155.00", servicedDate="2026-03")]}, "date-partial", "Claim.item[0].servicedDate"),
        (
            {"item": [item(1, "99213", "155.00", unitPrice=money("150.00"))]},
            "amount-inconsistent",
            "Claim.item[0].net",
        ),
        ({"item": [item(1, "99213", "155.001")]}, "fhir-money-decimals", "Claim.item[0].net"),
        ({"item": [item(1, "99213", "-5.00")], "total": None}, "amount-negative", "Claim.item[0].net.value"),
        ({"total": money("214.99")}, "total-differs", "Claim.total"),
        (
            {"item": [EUROS], "total": None},
            "currency",
            "Claim.item[0].net.currency",
        ),
        ({"insurance": [SECOND[0]]}, "insurance-focal", "Claim.insurance"),
        ({"item": None, "total": None}, "items-missing", "Claim.item"),
        ({"item": [item(1, "80053", "60.00", detail=[PART])]}, "detail-not-carried", "Claim.item[0].detail[0]"),
        ({"item": [CHANGED]}, "modifier-extension", "Claim.item[0].modifierExtension"),
        (
            {"diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"text": "unwell"}}]},
            "diagnosis-code",
            "Claim.diagnosis[0]",
        ),
        ({"item": [item(1, "J1885", "1", detail=[{"sequence": 1, "productOrService": concept(NDC, "93")}])]},
         "ndc-format", "Claim.item[0].productOrService"),
        ({"status": "banana"}, "fhir-binding", "Claim.status"),
    ],
)  # fmt: skip
async def test_what_cannot_be_understood_is_refused_with_its_place(
    gateway: Gateway, changes: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises(Unreadable) as unreadable:
        await submit(gateway, claim(**changes))
    assert unreadable.value.code == code
    assert unreadable.value.path.startswith(path)
    assert await gateway.count("select count(*) from claim") == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"use": "predetermination"}, "use-not-taken"),
        ({"status": "draft"}, "claim-not-active"),
        (
            {"type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "institutional")},
            "claim-type-not-taken",
        ),
        ({"related": [{"claim": {"reference": "Claim/1"}}]}, "related-claim-not-taken"),
        ({"insurance": SECOND}, "secondary-claim-not-taken"),
    ],
)
async def test_what_is_not_taken_here_is_refused(gateway: Gateway, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        await submit(gateway, claim(**changes))
    assert refused.value.code == code
    assert "Claim." in refused.value.reason
    assert await gateway.told() == []


async def test_no_error_repeats_what_it_read(gateway: Gateway) -> None:
    record = resources()
    record["Patient"] |= {"name": [{"family": "Canary-Yew"}], "birthDate": "1999-12"}
    wrong = claim(item=[item(1, "99213", "1", servicedDate="Canary-Day")])
    with pytest.raises(Unreadable) as unreadable:
        await submit(gateway, wrong, record=record)
    assert "Canary" not in str(unreadable.value) + unreadable.value.path
    _, response = await submit(gateway, record=record)
    assert "Canary" not in write(response).decode()


async def test_a_bundle_or_another_resource_is_refused(gateway: Gateway) -> None:
    for content in (context(), write(resources()["Patient"])):
        with pytest.raises(Unreadable) as unreadable:
            await gateway.servicer.SubmitFhir(claims_pb2.SubmitFhirRequest(resource=content), gateway.context())
        assert unreadable.value.code == "submit-type"


def test_hcpcs_lines_are_read_by_their_own_system() -> None:
    assert item(1, "J1885", "1")["productOrService"]["coding"][0]["system"] == HCPCS
