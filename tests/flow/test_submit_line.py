"""$submit through the whole line, over two engines on one database: one answer, one claim, one 837, one payment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhir_r4
import httpx
import pytest
from cli.access import TokenSource
from cli.client import Line, Place
from cli.stack import PROGRAMS, Stack
from feed_messages import FeedVisit, free_port
from kernel import codes
from rcm.remittance.v1 import remittance_pb2
from simulator.ehr import table_visits as table
from stack import doubled, query

PARALLEL = 100
DAY = datetime.now(UTC).date() - timedelta(days=2)
ENGINE = next(program for program in PROGRAMS if program.name == "interface-engine")
FHIR = "application/fhir+json"
PEOPLE = frozenset({"Organization", "Practitioner", "Patient", "Coverage", "Location"})
REVIEW = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction"


@dataclass
class Doors:
    """Two engines on one database, and a client of both."""

    stack: Stack
    urls: tuple[str, str]
    http: httpx.AsyncClient | None = None
    tokens: TokenSource | None = None
    seen: list[int] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place.read(self.stack.folder / "stack.json")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Doors]:
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=PARALLEL)) as http:
            self.http, self.tokens = http, TokenSource(self.place.clients["default"], http)
            yield self

    async def ask(self, method: str, path: str, body: Any = None, door: int = 0, **headers: str) -> httpx.Response:
        assert self.http is not None and self.tokens is not None
        token = await self.tokens.token()
        sent = {"Authorization": f"Bearer {token}", "Content-Type": FHIR, **headers}
        content = fhir_r4.write(body) if body is not None else None
        return await self.http.request(method, f"{self.urls[door]}{path}", content=content, headers=sent)

    async def ask_all(self, method: str, path: str, body: Any, **headers: str) -> list[httpx.Response]:
        """The same a hundred times at once, half of them at each door."""
        asked = (self.ask(method, path, body, number % 2, **headers) for number in range(PARALLEL))
        return list(await asyncio.gather(*asked))


@contextmanager
def second_engine(stack: Stack, folder: Path) -> Iterator[str]:
    """Another replica with ports of its own; its FHIR address."""
    run = folder / "run"
    run.mkdir(parents=True)
    http, grpc = free_port(), free_port()
    ports = {"RCM_HTTP_PORT": str(http), "RCM_GRPC_PORT": str(grpc), "RCM_METRICS_PORT": str(free_port())}
    own = ports | {"RCM_RUN_DIR": str(run)}
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", ENGINE.module],
            env=stack.environment(ENGINE) | own,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(run / "interface-engine.json", process)
        yield f"http://127.0.0.1:{http}/fhir"
    finally:
        process.terminate()
        process.wait(20)


def wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while not file.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("submit")
    folder.chmod(0o711)
    with Stack(folder / "line", trace=False) as stack, second_engine(stack, folder / "second") as second:
        yield Doors(stack, (stack.fhir_url, second))


def people_of(one: FeedVisit) -> dict[str, dict[str, Any]]:
    """Who the visit is about, as its EHR has them: by type; Organization is the clinic, `payer` the payer."""
    found: dict[str, dict[str, Any]] = {}
    for entry in json.loads(one.story.bundles[-1])["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] in PEOPLE:
            name = "payer" if resource["id"].startswith("payer-") else resource["resourceType"]
            found[name] = resource
    return found


async def keep_people(doors: Doors, one: FeedVisit) -> dict[str, dict[str, Any]]:
    found = people_of(one)
    for resource in found.values():
        answer = await doors.ask("PUT", f"/{resource['resourceType']}/{resource['id']}", resource)
        assert answer.status_code in (200, 201), answer.text
    return found


def reference(resource: dict[str, Any]) -> dict[str, str]:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def claim_of(one: FeedVisit, people: dict[str, dict[str, Any]], use: str = "claim", **more: Any) -> dict[str, Any]:
    """The visit as a Claim that its sender made."""
    items = []
    for number, line in enumerate(one.lines, 1):
        system = codes.CPT if codes.is_cpt(line.code) else codes.HCPCS
        items.append(
            {
                "sequence": number,
                "careTeamSequence": [1],
                "diagnosisSequence": [1],
                "productOrService": concept(system, line.code),
                "modifier": [concept(codes.CPT if code.isdigit() else codes.HCPCS, code) for code in line.modifiers],
                "servicedDate": DAY.isoformat(),
                "locationCodeableConcept": concept(codes.POS, "11"),
                "quantity": {"value": int(line.units)},
                "net": {"value": Decimal(line.charge_cents) / 100, "currency": "USD"},
            }
        )
    for item in items:
        if not item["modifier"]:
            del item["modifier"]
    diagnoses = enumerate(one.visit.diagnoses, 1)
    made = {
        "resourceType": "Claim",
        "identifier": [{"system": "https://ehr.example/claim", "value": f"{use}-{one.visit_number}"}],
        "status": "active",
        "type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": use,
        "patient": reference(people["Patient"]),
        "created": DAY.isoformat(),
        "insurer": reference(people["payer"]),
        "provider": reference(people["Organization"]),
        "priority": concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "careTeam": [
            {
                "sequence": 1,
                "provider": reference(people["Practitioner"]),
                "role": concept("http://terminology.hl7.org/CodeSystem/claimcareteamrole", "primary"),
            }
        ],
        "diagnosis": [
            {"sequence": number, "diagnosisCodeableConcept": concept(codes.ICD10CM, code)} for number, code in diagnoses
        ],
        "insurance": [{"sequence": 1, "focal": True, "coverage": reference(people["Coverage"])}],
        "item": items,
        "total": {"value": Decimal(sum(line.charge_cents for line in one.lines)) / 100, "currency": "USD"},
    }
    return made | more


def pas_bundle(claim: dict[str, Any], people: dict[str, dict[str, Any]], number: str) -> dict[str, Any]:
    base = "https://ehr.example/fhir"
    sent = [claim, *people.values()]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "https://ehr.example/transactions", "value": number},
        "type": "collection",
        "timestamp": f"{DAY.isoformat()}T10:00:00Z",
        "entry": [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in sent],
    }


async def balance(doors: Doors, claim_id: str, within_s: float = 60) -> remittance_pb2.Balance:
    """What the ledger says of a claim, once nothing of it is open."""
    line = Line(doors.place)
    try:
        async with asyncio.timeout(within_s):
            while True:
                answer = await line.ledger(claim_id, totals_only=False)
                settled = [one for one in answer.claims if one.key == claim_id and one.paid_cents]
                if settled and not settled[0].open_cents:
                    return settled[0]
                await asyncio.sleep(0.3)
    finally:
        await line.close()


def the_one(answers: list[httpx.Response]) -> dict[str, Any]:
    """All were answered, with the same resource."""
    assert Counter(answer.status_code for answer in answers) == {200: PARALLEL}, answers[0].text
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 1
    return dict(answers[0].json())


async def test_eligibility_is_answered_from_the_payer_and_can_be_read_again(doors: Doors) -> None:
    one = FeedVisit(501, table.OFFICE[2], "A", "0", "F", DAY)
    async with doors.open():
        people = await keep_people(doors, one)
        request = {
            "resourceType": "CoverageEligibilityRequest",
            "id": "asked-501",
            "status": "active",
            "purpose": ["benefits"],
            "patient": reference(people["Patient"]),
            "created": DAY.isoformat(),
            "servicedDate": DAY.isoformat(),
            "provider": reference(people["Organization"]),
            "insurer": reference(people["payer"]),
            "insurance": [{"focal": True, "coverage": reference(people["Coverage"])}],
        }
        answer = the_one(await doors.ask_all("POST", "/CoverageEligibilityRequest/$submit", request))
        assert (answer["resourceType"], answer["outcome"]) == ("CoverageEligibilityResponse", "complete"), answer
        assert answer["request"]["reference"].endswith("CoverageEligibilityRequest/asked-501")
        assert [insurance["inforce"] for insurance in answer["insurance"]] == [True]
        for door in (0, 1):
            kept = await doors.ask("GET", f"/CoverageEligibilityResponse/{answer['id']}", door=door)
            assert kept.status_code == 200 and kept.json()["outcome"] == "complete"
            asked = await doors.ask("GET", "/CoverageEligibilityRequest/asked-501", door=door)
            assert asked.status_code == 200
        patient = people["Patient"]["id"]
        found = await doors.ask("GET", f"/CoverageEligibilityResponse?patient={patient}&_total=accurate")
        assert found.json()["total"] == 1


async def test_a_hundred_submits_over_two_engines_are_one_claim_one_837_and_one_payment(doors: Doors) -> None:
    one = FeedVisit(511, table.PROCEDURES[0], "B", "0", "F", DAY)
    async with doors.open():
        people = await keep_people(doors, one)
        claim = claim_of(one, people)
        answer = the_one(await doors.ask_all("POST", "/Claim/$submit", claim))
        assert (answer["resourceType"], answer["outcome"]) == ("ClaimResponse", "queued"), answer
        claim_id = answer["request"]["reference"].rpartition("/")[2]
        paid = await balance(doors, claim_id)
        wanted = one.story.expected
        assert (paid.billed_cents, paid.paid_cents) == (wanted.billed_cents, wanted.paid_cents)
        assert paid.patient_cents == wanted.patient_cents
        for door in (0, 1):
            kept = await doors.ask("GET", f"/Claim/{claim_id}", door=door)
            assert kept.status_code == 200 and kept.json()["use"] == "claim"
        assert (await doors.ask("GET", f"/ClaimResponse/{answer['id']}")).status_code == 200
        once_more = await doors.ask("POST", "/Claim/$submit", claim, 1)
        assert once_more.status_code == 200 and once_more.json()["request"] == answer["request"]
        other = await doors.ask("POST", "/Claim/$submit", claim | {"created": (DAY - timedelta(days=1)).isoformat()})
        assert other.status_code == 409 and other.json()["resourceType"] == "OperationOutcome"
    rows = await query(
        doors.stack.owner_url, f"select control_number from claims_gateway.claim where claim_id = '{claim_id}'"
    )
    (number,) = [row["control_number"] for row in rows]
    sent = await query(
        doors.stack.owner_url,
        f"select count(*) as n from claims_gateway.interchange where content like '%CLM*{number}*%'",
    )
    assert sent[0]["n"] == 1
    assert await doubled(doors.stack.owner_url) == []


async def test_a_request_for_authorization_as_a_pas_bundle_is_answered_once(doors: Doors) -> None:
    one = FeedVisit(521, table.ADVANCED_IMAGING[0], "A", "0", "F", DAY)
    people = people_of(one)
    claim = claim_of(one, people, "preauthorization", id="pa-521")
    async with doors.open():
        answers = await doors.ask_all("POST", "/Claim/$submit", pas_bundle(claim, people, "B-521"))
        answer = the_one(answers)
        assert answer["resourceType"] == "Bundle"
        response = answer["entry"][0]["resource"]
        assert (response["resourceType"], response["use"], response["outcome"]) == (
            "ClaimResponse",
            "preauthorization",
            "complete",
        )
        (reviewed,) = [
            extension
            for part in response["item"][0]["adjudication"]
            for extension in part.get("extension", ())
            if extension["url"] == REVIEW
        ]
        said = {part["url"]: part for part in reviewed["extension"]}
        code = next(part for url, part in said.items() if url.endswith("extension-reviewActionCode"))
        assert code["valueCodeableConcept"]["coding"][0]["code"] == "A1"
        asked = await doors.ask("POST", "/Claim/$inquire", pas_bundle(claim, people, "B-521-again"), 1)
        assert asked.status_code == 200
        standing = await doors.ask("GET", f"/ClaimResponse/{response['id']}", door=1)
        bundle = await doors.ask("GET", f"/Bundle/{answer['id']}", door=1)
        assert 200 in (standing.status_code, bundle.status_code)
    rows = await query(doors.stack.owner_url, "select count(*) as n from prior_auth.submitted_request")
    assert rows[0]["n"] == 1


async def test_a_hundred_conditional_creates_over_two_engines_make_one_resource(doors: Doors) -> None:
    one = FeedVisit(531, table.OFFICE[2], "A", "0", "F", DAY)
    patient = people_of(one)["Patient"]
    patient = {name: value for name, value in patient.items() if name not in ("id", "managingOrganization")}
    named = patient["identifier"][0]
    condition = f"identifier={named['system']}|{named['value']}"
    async with doors.open():
        answers = await doors.ask_all("POST", "/Patient", patient, **{"If-None-Exist": condition})
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {200, 201} and statuses.total() == PARALLEL, (statuses, answers[0].text)
        assert statuses[201] >= 1
        found = await doors.ask("GET", f"/Patient?{condition}&_total=accurate", door=1)
        assert found.json()["total"] == 1
        assert {answer.headers["location"].partition("/_history")[0] for answer in answers} == {
            f"{doors.stack.fhir_url}/Patient/{found.json()['entry'][0]['resource']['id']}"
        }
