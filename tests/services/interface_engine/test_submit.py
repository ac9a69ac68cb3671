"""$submit and $inquire: what owners are told and asked, what is kept, and how often, with owners over real gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from chassis import SettingsError, call_of
from chassis.grpc_client import open_channel
from chassis.grpc_server import GrpcServer
from engine_records import BASICS, CLINIC, COVERAGE, PATIENT
from engine_world import CORPORA, SITE, World, open_world
from fhir_r4 import read, validate
from interface_engine.clients.owners import DEADLINES_S, GrpcOwners
from kernel.errors import Refused, Unavailable, Unreadable
from platform_fixture import Platform
from rcm.claims.v1 import claims_pb2, claims_pb2_grpc
from rcm.eligibility.v1 import eligibility_pb2, eligibility_pb2_grpc
from rcm.priorauth.v1 import priorauth_pb2, priorauth_pb2_grpc

PARALLEL = 100
PAS_EXAMPLES = sorted((CORPORA / "fhir" / "pas" / "examples").glob("Bundle-*.json"))
CLAIM: dict[str, Any] = {
    "resourceType": "Claim",
    "identifier": [{"system": "https://ehr.example/claim", "value": "C1"}],
    "status": "active",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
    "use": "claim",
    "patient": {"reference": "Patient/p1"},
    "created": "2026-03-16",
    "provider": {"reference": f"{SITE}/Organization/clinic"},
    "priority": {"coding": [{"code": "normal"}]},
    "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c1"}}],
    "total": {"value": 100.10, "currency": "USD"},
}
REQUEST: dict[str, Any] = {
    "resourceType": "CoverageEligibilityRequest",
    "status": "active",
    "purpose": ["benefits"],
    "patient": {"reference": "Patient/p1"},
    "created": "2026-03-16",
    "insurer": {"reference": "Organization/payer"},
    "insurance": [{"coverage": {"reference": "Coverage/c1"}}],
}
AUTHORIZATION = CLAIM | {"use": "preauthorization"}


def pas_bundle(claim: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A PAS request: the Claim first, with what it refers to under the sender's own ids."""
    base = "https://ehr.example/fhir"
    sent = [claim | {"id": "1"}, PATIENT, COVERAGE, CLINIC, CLINIC | {"id": "payer"}]
    entries = [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in sent]
    made = {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-03-16T10:00:00Z", "entry": entries}
    return made | {"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}} | more


@dataclass
class Office:
    """An owner of answers: the same key or content has one effect; `raises` is what it says instead."""

    kind: str
    asked: list[Any] = field(default_factory=list)
    effects: dict[Any, bytes] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    tenants: set[str] = field(default_factory=set)
    remaining: list[float] = field(default_factory=list)
    raises: Exception | None = None

    async def take(self, request: Any, context: Any) -> bytes:
        self.asked.append(request)
        call = call_of(context)
        self.tenants.add(call.tenant)
        self.keys.append(call.idempotency_key)
        self.remaining.append(context.time_remaining())
        if self.raises is not None:
            raise self.raises
        await asyncio.sleep(0)
        effect = (request.client_id, request.idempotency_key or request.resource)
        return self.effects.setdefault(effect, self._answer(request.resource))

    def _answer(self, resource: bytes) -> bytes:
        number = len(self.effects) + 1
        sent = read(resource)
        if sent["resourceType"] == "Bundle":
            inner = {"resourceType": "ClaimResponse", "id": "1", "status": "active", "outcome": "partial"}
            return json.dumps({"resourceType": "Bundle", "id": f"{self.kind}-{number}", "type": "collection",
                               "entry": [{"resource": inner}]}).encode()  # fmt: skip
        answer = {"resourceType": self.kind, "id": f"answer-{number}", "status": "active", "outcome": "queued",
                  "request": {"reference": "Claim/of-the-line"}}  # fmt: skip
        return json.dumps(answer).encode()


class Eligibility(eligibility_pb2_grpc.EligibilityServiceServicer):
    def __init__(self, office: Office) -> None:
        self.office = office

    async def SubmitFhir(self, request: Any, context: Any) -> Any:
        answer = await self.office.take(request, context)
        return eligibility_pb2.SubmitFhirResponse(resource=answer, status="complete")


class Claims(claims_pb2_grpc.ClaimsServiceServicer):
    def __init__(self, office: Office) -> None:
        self.office = office

    async def SubmitFhir(self, request: Any, context: Any) -> Any:
        return claims_pb2.SubmitFhirResponse(resource=await self.office.take(request, context), status="queued")


class PriorAuth(priorauth_pb2_grpc.PriorAuthServiceServicer):
    def __init__(self, office: Office) -> None:
        self.office = office

    async def SubmitFhir(self, request: Any, context: Any) -> Any:
        return priorauth_pb2.SubmitFhirResponse(resource=await self.office.take(request, context), status="queued")

    async def InquireFhir(self, request: Any, context: Any) -> Any:
        self.office.asked.append(request)
        newer, single = {"resourceType": "Parameters"}, {"resourceType": "Bundle", "type": "collection"}
        return priorauth_pb2.InquireFhirResponse(
            resource=json.dumps(newer).encode(), single=json.dumps(single).encode(), status="none"
        )


@dataclass
class Street:
    """The three owners and how to reach them."""

    eligibility: Office
    claims: Office
    prior_auth: Office
    addresses: dict[str, str]

    def owners(self) -> GrpcOwners:
        return GrpcOwners(lambda service: open_channel(self.addresses[service]))

    @property
    def calls(self) -> int:
        return sum(len(office.asked) for office in (self.eligibility, self.claims, self.prior_auth))


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    """Owners of this test, each behind a server of its own."""
    made = Street(Office("CoverageEligibilityResponse"), Office("ClaimResponse"), Office("ClaimResponse"), {})
    rows = (
        ("eligibility", eligibility_pb2_grpc.add_EligibilityServiceServicer_to_server, Eligibility(made.eligibility)),
        ("claims-gateway", claims_pb2_grpc.add_ClaimsServiceServicer_to_server, Claims(made.claims)),
        ("prior-auth", priorauth_pb2_grpc.add_PriorAuthServiceServicer_to_server, PriorAuth(made.prior_auth)),
    )
    servers = []
    for name, add, servicer in rows:
        server = GrpcServer(((add, servicer),), ())
        made.addresses[name] = f"127.0.0.1:{await server.start('127.0.0.1', 0)}"
        servers.append(server)
    yield made
    for server in servers:
        await server.stop(0)


@asynccontextmanager
async def office_hours(platform: Platform, tenant: str, street: Street) -> AsyncIterator[World]:
    async with open_world(platform.url_for("interface-engine"), tenant, owners=street.owners()) as world:
        yield world


@pytest.fixture
async def busy(platform: Platform, tenant: str, street: Street) -> AsyncIterator[World]:
    """A world with owners and the basics in it."""
    async with office_hours(platform, tenant, street) as world:
        assert (await world.post(*BASICS)).status_code == 200
        yield world


def context_of(request: Any) -> set[str]:
    found = read(request.context)
    assert validate(found) == [] and found["type"] == "collection"
    assert all(one["fullUrl"].startswith(f"{SITE}/") for one in found["entry"])
    return {one["fullUrl"].removeprefix(f"{SITE}/") for one in found["entry"]}


async def test_a_claim_goes_to_its_owner_with_what_it_refers_to_and_both_are_kept(busy: World, street: Street) -> None:
    sent = json.dumps(CLAIM).encode().replace(b"100.1", b"100.10")
    answer = await busy.send("POST", "/Claim/$submit", sent)
    assert (answer.status_code, answer.json()["id"]) == (200, "answer-1")
    (asked,) = street.claims.asked
    assert asked.resource == sent and asked.client_id == "default" and asked.idempotency_key == ""
    assert context_of(asked) == {"Patient/p1", "Coverage/c1", "Organization/clinic", "Organization/payer"}
    assert street.claims.tenants == {busy.tenant}
    assert 0 < street.claims.remaining[0] <= DEADLINES_S["claims-gateway"]
    assert (await busy.send("GET", "/ClaimResponse/answer-1")).json()["outcome"] == "queued"
    (kept,) = (await busy.send("GET", "/Claim?identifier=https://ehr.example/claim|C1")).json()["entry"]
    stored = await busy.send("GET", f"/Claim/{kept['resource']['id']}")
    assert b"100.10" in stored.content
    assert street.eligibility.asked == street.prior_auth.asked == []


async def test_the_same_again_is_asked_again_and_kept_once(busy: World, street: Street) -> None:
    for _ in range(2):
        answer = await busy.send("POST", "/CoverageEligibilityRequest/$submit", REQUEST)
        assert (answer.status_code, answer.json()["id"]) == (200, "answer-1")
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": REQUEST}]}
    assert (await busy.send("POST", "/CoverageEligibilityRequest/$submit", wrapped)).status_code == 200
    assert len(street.eligibility.asked) == 3
    assert (await busy.send("GET", "/CoverageEligibilityResponse/answer-1/_history")).json()["entry"][1:] == []
    own = REQUEST | {"id": "mine"}
    await busy.send("POST", "/CoverageEligibilityRequest/$submit", own)
    assert (await busy.send("GET", "/CoverageEligibilityRequest/mine")).status_code == 200


async def test_an_idempotency_key_is_one_clients_own(busy: World, street: Street) -> None:
    for token in ("default", "synthea"):
        await busy.send("POST", "/Claim/$submit", CLAIM, token, Idempotency_Key="same")
    first, second = street.claims.asked
    assert first.idempotency_key and first.idempotency_key != second.idempotency_key
    assert "same" not in first.idempotency_key and street.claims.keys == [first.idempotency_key, second.idempotency_key]
    assert (first.client_id, second.client_id) == ("default", "synthea")


async def test_a_hundred_at_once_over_two_engines_have_one_effect(
    platform: Platform, tenant: str, street: Street
) -> None:
    async with office_hours(platform, tenant, street) as one, office_hours(platform, tenant, street) as two:
        await one.post(*BASICS)
        before = await one.count("resource")
        engines = (one, two)
        sends = (engines[n % 2].send("POST", "/Claim/$submit", CLAIM) for n in range(PARALLEL))
        answers = await asyncio.gather(*sends)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert len(street.claims.effects) == 1 and await one.count("resource") == before + 2
        assert await one.count("resource_version") == before + 2


async def test_a_preauthorization_and_a_pas_bundle_go_to_prior_auth(busy: World, street: Street) -> None:
    single = await busy.send("POST", "/Claim/$submit", AUTHORIZATION)
    assert single.json()["resourceType"] == "ClaimResponse"
    bundled = await busy.send("POST", "/Claim/$submit", pas_bundle(AUTHORIZATION))
    assert bundled.json()["entry"][0]["resource"]["resourceType"] == "ClaimResponse"
    first, second = street.prior_auth.asked
    assert context_of(first) >= {"Patient/p1", "Coverage/c1"}
    assert second.context == b"" and read(second.resource)["type"] == "collection"
    assert street.claims.asked == []
    kept = (await busy.send("GET", "/Bundle")).json()
    assert kept["total"] == 2 and (await busy.send("GET", "/Claim/1")).status_code == 404
    assert 0 < street.prior_auth.remaining[0] <= 15


@pytest.mark.parametrize(
    ("url", "body", "expected"),
    [
        ("/Claim/$submit", {k: v for k, v in CLAIM.items() if k != "use"}, (422, "fhir-required", "Claim.use")),
        ("/Claim/$submit", CLAIM | {"use": "predetermination"}, (422, "use-not-taken", "Claim.use")),
        ("/Claim/$submit", REQUEST, (400, "fhir-resource-type", "Resource.resourceType")),
        (
            "/Claim/$submit",
            pas_bundle(AUTHORIZATION, entry=[]),
            (400, "fhir-resource-type", "Bundle.entry[0].resource"),
        ),
        ("/Claim/$submit", {"resourceType": "Parameters"}, (400, "fhir-operation", "Parameters.parameter")),
        ("/Claim/$submit", b"[]", (400, "json_not_resource", "")),
        (
            "/Claim/$submit",
            pas_bundle(AUTHORIZATION | {"status": "x"}),
            (422, "fhir-binding", "Bundle.entry[0].resource.status"),
        ),
        (
            "/Claim/$submit",
            pas_bundle(CLAIM | {"use": "predetermination"}),
            (422, "use-not-taken", "Bundle.entry[0].resource.use"),
        ),
        ("/CoverageEligibilityRequest/$submit", CLAIM, (400, "fhir-resource-type", "Resource.resourceType")),
        ("/Claim/$inquire", PATIENT, (400, "fhir-resource-type", "Resource.resourceType")),
    ],
)
async def test_what_is_wrong_reaches_no_owner_and_is_one_outcome(
    busy: World, street: Street, url: str, body: Any, expected: tuple[int, str, str]
) -> None:
    before = await busy.count("resource")
    answer = await busy.send("POST", url, body)
    found = answer.json()
    assert found["resourceType"] == "OperationOutcome" and validate(read(answer.content)) == []
    issue = found["issue"][0]
    where = next(iter(issue.get("expression", ())), "")
    assert (answer.status_code, issue["details"]["coding"][0]["code"], where) == expected
    assert street.calls == 0 and await busy.count("resource") == before


@pytest.mark.parametrize(
    ("raises", "expected"),
    [
        (Refused("claim-exists", "another claim of this visit is here", "already_exists"), (409, "claim-exists")),
        (Refused("claim-not-active", "Claim.status: active is needed"), (409, "claim-not-active")),
        (Unreadable("total-differs", "Claim.total", "the lines add up to something else"), (400, "total-differs")),
        (Unavailable("payer_away", "try again", 7.0), (503, "payer_away")),
        (RuntimeError("patient Sample-Alder"), (503, "internal")),
    ],
)
async def test_what_an_owner_refuses_is_told_and_nothing_is_kept(
    busy: World, street: Street, raises: Exception, expected: tuple[int, str]
) -> None:
    street.claims.raises = raises
    before = await busy.count("resource")
    answer = await busy.send("POST", "/Claim/$submit", CLAIM)
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["details"]["coding"][0]["code"]) == expected
    assert "Sample" not in answer.text and await busy.count("resource") == before
    if expected[0] == 503:
        assert int(answer.headers["retry-after"]) >= 1
    if isinstance(raises, Unreadable):
        assert issue["expression"] == ["Claim.total"]
    street.claims.raises = None
    assert (await busy.send("POST", "/Claim/$submit", CLAIM)).status_code == 200


async def test_how_requests_stand_in_both_versions_of_pas(busy: World, street: Street) -> None:
    asked = pas_bundle(AUTHORIZATION)
    older = await busy.send("POST", "/Claim/$inquire", asked)
    assert (older.status_code, older.json()["resourceType"]) == (200, "Bundle")
    profile = {"meta": {"profile": ["http://hl7.org/fhir/us/davinci-pas/StructureDefinition/x|2.2.1"]}}
    newer = await busy.send("POST", "/Claim/$inquire", asked | profile)
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": asked}]}
    again = await busy.send("POST", "/Claim/$inquire", wrapped)
    assert newer.json()["resourceType"] == again.json()["resourceType"] == "Parameters"
    assert len(street.prior_auth.asked) == 3
    single = await busy.send("POST", "/Claim/$inquire", AUTHORIZATION)
    assert single.status_code == 200 and context_of(street.prior_auth.asked[-1]) >= {"Patient/p1"}


async def test_what_is_served_says_so(busy: World) -> None:
    rest = (await busy.http.get("/fhir/metadata")).json()["rest"][0]
    named = {one["type"]: [row["name"] for row in one["operation"]] for one in rest["resource"]}
    assert named["Claim"] == ["submit", "inquire", "validate"]
    assert named["CoverageEligibilityRequest"] == ["submit", "validate"]
    definitions = {row["definition"] for one in rest["resource"] for row in one["operation"] if one["type"] == "Claim"}
    assert "http://hl7.org/fhir/OperationDefinition/Claim-submit" in definitions


async def test_an_owner_that_is_away_is_a_503(platform: Platform, tenant: str, street: Street) -> None:
    street.addresses["claims-gateway"] = "127.0.0.1:1"
    async with office_hours(platform, tenant, street) as world:
        await world.post(*BASICS)
        answer = await world.send("POST", "/Claim/$submit", CLAIM)
        assert answer.status_code == 503 and answer.headers["retry-after"]


async def test_an_owner_without_an_address_is_not_served(platform: Platform, tenant: str) -> None:
    def nowhere(service: str) -> Any:
        raise SettingsError("no address")

    async with open_world(platform.url_for("interface-engine"), tenant, owners=GrpcOwners(nowhere)) as world:
        await world.post(*BASICS)
        assert (await world.send("POST", "/Claim/$submit", CLAIM)).status_code == 404


@pytest.mark.skipif(not PAS_EXAMPLES, reason="the corpora are not there")
async def test_the_published_requests_reach_their_owner_byte_for_byte(busy: World, street: Street) -> None:
    requests = [text for text in (file.read_bytes() for file in PAS_EXAMPLES) if first_entry(text) == "Claim"]
    for text in requests:
        operation = "$inquire" if b"inquiry" in text else "$submit"
        answer = await busy.send("POST", f"/Claim/{operation}", text)
        assert answer.status_code == 200, answer.text
        assert street.prior_auth.asked[-1].resource == text
    assert len(street.prior_auth.asked) == len(requests) > 2


def first_entry(text: bytes) -> str:
    return str(read(text)["entry"][0]["resource"]["resourceType"])
