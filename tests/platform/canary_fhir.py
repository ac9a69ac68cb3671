"""Marked patients at the FHIR door: what succeeds, and every way in which a request fails with a mark in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from canary_marks import Place
from canary_people import Canary, Resource
from cli.access import Credentials, TokenSource, new_key, public_set
from cli.client import Line
from cli.client import Place as Address
from cli.stack import Stack
from kernel import codes
from rcm.engine.v1 import access_pb2

FHIR, FORM = "application/fhir+json", "application/x-www-form-urlencoded"
PATCH = "application/json-patch+json"
HL7 = "application/hl7-v2"
LONGEST_KEPT = 1_000_000
UNSEEN = ("location", "content-location", "etag", "last-modified", "content-type", "date", "www-authenticate")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `said` tells whether its answer may be checked for echoes: a resource that comes back may not."""

    label: str
    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset()


def wanted(label: str, method: str, path: str, body: Any = None, *statuses: int, **headers: str) -> Request:
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(label, method, path, raw, named, frozenset(statuses))


@dataclass
class FhirDoor:
    """A client of the door that keeps what errors say and which headers come back."""

    stack: Stack
    http: httpx.AsyncClient
    said: list[Place] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens: dict[str, TokenSource] = {}

    def token_source(self, credentials: Credentials) -> TokenSource:
        return self._tokens.setdefault(credentials.client_id, TokenSource(credentials, self.http))

    async def ask(self, request: Request, credentials: Credentials | None = None) -> httpx.Response:
        who = credentials or self.stack.clients["default"]
        headers = {"Content-Type": FHIR, **request.headers}
        headers.setdefault("Authorization", f"Bearer {await self.token_source(who).token()}")
        url = self.stack.fhir_url.removesuffix("/fhir") + request.path
        self.sent.append(f"{request.method} {request.path} {headers}".encode() + (request.body or b"")[:LONGEST_KEPT])
        answer = await self.http.request(request.method, url, content=request.body, headers=headers)
        self._keep(request, answer)
        return answer

    def _keep(self, request: Request, answer: httpx.Response) -> None:
        self.statuses[request.label] = answer.status_code
        if request.statuses and answer.status_code not in request.statuses:
            self.surprises.append(f"{request.label}: {answer.status_code} {answer.text[:300]}")
        texts = list(_texts(answer)) if answer.status_code >= 400 or "OperationOutcome" in answer.text else []
        self.said.append(Place("error text", request.label, "\n".join(texts).encode()))
        headers = [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() not in UNSEEN]
        self.said.append(Place("answer header", request.label, "\n".join(headers).encode()))


def _texts(answer: httpx.Response) -> Iterator[str]:
    """What an error says in words. `expression` names paths and the sender's own element names, never values."""
    try:
        body = answer.json()
    except ValueError:
        yield answer.text
        return
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        if answer.status_code >= 400:
            yield answer.text
        return
    for issue in body["issue"]:
        if "fhir-unknown-element" in json.dumps(issue):
            continue  # it names the element, which the sender has named
        yield json.dumps({name: value for name, value in issue.items() if name not in ("expression", "location")})


async def feed_client(stack: Stack, source: str) -> Credentials:
    """A client that speaks for a feed."""
    key = new_key()
    line = Line(Address.read(stack.folder / "stack.json"))
    try:
        asked = access_pb2.RegisteredClient(name=source, source=source, scopes="system/*.cruds", jwks=public_set(key))
        added = await line.add_client(asked)
    finally:
        await line.close()
    return Credentials(added.client.client_id, key, added.token_url)


def good(one: Canary) -> Iterator[Request]:
    """What is taken in: transactions, single resources, updates, patches, searches, operations."""
    for number, bundle in enumerate(one.bundles()):
        yield wanted(f"transaction {one.key} {number}", "POST", "/fhir", bundle, 200)
    for resource in one.others():
        name = resource["resourceType"]
        yield wanted(f"create {name}", "POST", f"/fhir/{name}", resource, 201)
        yield wanted(f"validate {name}", "POST", f"/fhir/{name}/$validate", resource, 200)
    patient = one.patient
    place = f"/fhir/Patient/{patient['id']}"
    named = {"use": "nickname", "family": one.word("nickname")}
    yield wanted("update", "PUT", place, patient | {"name": [*patient["name"], named]}, 200)
    patch = [{"op": "replace", "path": "/address/0/city", "value": one.word("patched city")}]
    yield wanted("patch", "PATCH", place, patch, 200, Content_Type=PATCH)
    email = f"telecom={one.email()}".replace("@", "%40")
    searches = (
        f"name={one.word('maiden name')}", f"family={one.word('nickname')}", email,
        f"identifier={one.marks.by_name[one.key + '.fhir_mrn'].value}", f"birthdate={one.day('searched')}",
        f"address-city={one.word('fhir city')}", f"_id={one.word('unknown id')}",
    )  # fmt: skip
    for asked in searches:
        yield wanted(f"search GET {asked.partition('=')[0]}", "GET", f"/fhir/Patient?{asked}", None, 200)
        yield wanted(
            f"search POST {asked.partition('=')[0]}", "POST", "/fhir/Patient/_search", asked.encode(), 200,
            Content_Type=FORM,
        )  # fmt: skip
    yield wanted("everything", "GET", f"{place}/$everything", None, 200)
    yield wanted("history", "GET", f"{place}/_history", None, 200)
    condition = f"identifier=https://ehr.example/mrn|{one.word('conditional number')}"
    bare = {"resourceType": "Patient", "name": [{"family": one.word("conditional family")}],
            "identifier": [{"system": "https://ehr.example/mrn", "value": one.word("conditional number")}]}  # fmt: skip
    yield wanted("conditional create", "POST", "/fhir/Patient", bare, 200, 201, If_None_Exist=condition)
    yield wanted("conditional update", "PUT", f"/fhir/Patient?{condition}", bare, 200, 201)
    yield wanted(
        "create with own id", "PUT", f"/fhir/Patient/{one.word('own id')}", bare | {"id": one.word("own id")}, 201
    )
    yield wanted("export", "GET", "/fhir/$export?_type=Patient", None, 202, Prefer="respond-async")
    yield wanted(
        "delete", "DELETE", f"/fhir/Patient?identifier={one.word('number to delete')}", None, 200, 204, 404, 412
    )


def bad(one: Canary) -> Iterator[Request]:
    """What is refused, each with a mark in the place that is wrong."""
    yield from _bad_bodies(one)
    yield from _bad_places(one)
    yield from _bad_questions(one)
    yield from _bad_headers(one)


def _bad_bodies(one: Canary) -> Iterator[Request]:
    patient, mark = one.patient, one.word
    own = {name: value for name, value in patient.items() if name != "id"}
    yield wanted("unknown code", "POST", "/fhir/Patient", own | {"gender": mark("bad gender")}, 400, 422)
    yield wanted("unreadable date", "POST", "/fhir/Patient", own | {"birthDate": mark("bad birth date")}, 400, 422)
    yield wanted("wrong type of value", "POST", "/fhir/Patient", own | {"active": mark("bad active")}, 400, 422)
    yield wanted(
        "unknown element", "POST", "/fhir/Patient", own | {mark("unknown element"): mark("its value")}, 400, 422
    )
    yield wanted(
        "unknown reference",
        "POST",
        "/fhir/Patient",
        own | {"managingOrganization": {"reference": f"Organization/{mark('bad reference')}"}},
        400,
        422,
    )
    yield wanted("unknown type", "POST", f"/fhir/{mark('unknown type')}", own, 400, 404)
    yield wanted("resource of unknown type", "POST", "/fhir/Patient", {"resourceType": mark("resource type")}, 400, 422)
    yield wanted(
        "bad json", "POST", "/fhir/Patient", f'{{"resourceType":"Patient","name":{mark("bad json")}'.encode(), 400
    )
    yield wanted(
        "not utf-8", "POST", "/fhir/Patient", b'{"resourceType":"Patient","id":"\xff' + mark("latin").encode(), 400
    )
    yield wanted("too large", "POST", "/fhir/Patient", (mark("too large") * 800_000).encode(), 413)
    yield wanted(
        "wrong content type", "POST", "/fhir/Patient", own, 400, 415, Content_Type=f"text/{mark('content type')}"
    )


def _bad_places(one: Canary) -> Iterator[Request]:
    patient, mark = one.patient, one.word
    yield wanted("wrong accept", "GET", f"/fhir/Patient/{patient['id']}", None, 200, 406, Accept=f"a/{mark('accept')}")
    yield wanted("no such resource", "GET", f"/fhir/Patient/{mark('no such id')}", None, 404)
    yield wanted("no such place", "GET", f"/{mark('no such place')}/{mark('deeper')}?q={mark('query')}", None, 404)
    yield wanted("no such operation", "POST", f"/fhir/Patient/${mark('operation')}", patient, 404, 405, 400)
    yield wanted("no such version", "GET", f"/fhir/Patient/{patient['id']}/_history/{mark('version')}", None, 400, 404)
    yield wanted("method", mark("method").upper(), f"/fhir/Patient/{mark('of method')}", None, 400, 404, 405, 501)
    yield wanted(
        "bad token", "GET", f"/fhir/Patient/{mark('of bad token')}", None, 401, Authorization=f"Bearer {mark('token')}"
    )


def _bad_questions(one: Canary) -> Iterator[Request]:
    mark = one.word
    yield wanted("bad parameter", "GET", f"/fhir/Patient?{mark('parameter')}={mark('parameter value')}", None, 400)
    yield wanted("bad search value", "GET", f"/fhir/Patient?birthdate={mark('bad search date')}", None, 400)
    form = f"birthdate={mark('bad form date')}".encode()
    yield wanted("bad search by form", "POST", "/fhir/Patient/_search", form, 400, Content_Type=FORM)
    yield wanted("bad cursor", "GET", f"/fhir/Patient?_cursor={mark('cursor')}", None, 400)


def _bad_headers(one: Canary) -> Iterator[Request]:
    patient, mark = one.patient, one.word
    yield wanted(
        "bad precondition",
        "PUT",
        f"/fhir/Patient/{patient['id']}",
        patient,
        400,
        409,
        412,
        If_Match=f'W/"{mark("etag")}"',
    )
    yield wanted(
        "bad patch path",
        "PATCH",
        f"/fhir/Patient/{patient['id']}",
        [{"op": "replace", "path": f"/{mark('patch path')}/0", "value": mark("patch value")}],
        400,
        422,
        Content_Type=PATCH,
    )
    yield wanted(
        "bad idempotency key", "POST", "/fhir", b'{"resourceType":"Bundle"}', 400, 422, Idempotency_Key=mark("key")
    )
    yield wanted("bad export", "GET", f"/fhir/$export?_type={mark('exported type')}", None, 400, Prefer="respond-async")
    yield wanted("no such export", "GET", f"/fhir/{mark('export place')}/x/y/z", None, 400, 404)
    own = {name: value for name, value in patient.items() if name != "id"}
    yield wanted(
        "validate bad",
        "POST",
        "/fhir/Patient/$validate",
        own | {"gender": mark("validated gender"), "birthDate": mark("validated date")},
        200,
    )
    yield wanted(
        "baggage",
        "GET",
        f"/fhir/Patient/{patient['id']}",
        None,
        200,
        baggage=f"patient={mark('baggage')}",
        tracestate=f"x={mark('trace state').lower()}",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        X_Request_Id=mark("request id"),
        User_Agent=mark("agent"),
        Referer=f"https://x.example/{mark('referer')}",
    )
    yield wanted("open door", "GET", f"/fhir/metadata?name={mark('open query')}", None, 200, 400, Authorization="")
    yield wanted("transaction that fails", "POST", "/fhir", _broken_transaction(one), 400, 422)


def _broken_transaction(one: Canary) -> Resource:
    def entry(resource: Resource, url: str) -> Resource:
        return {"resource": resource, "request": {"method": "POST", "url": url}}

    name = {"resourceType": "Patient", "name": [{"family": one.word("transaction family")}]}
    note = {"resourceType": "Condition", "subject": {"reference": f"Patient/{one.word('lost patient')}"},
            "code": {"text": one.word("transaction text")}}  # fmt: skip
    entries = [entry(name, f"Patient?identifier={one.word('transaction url')}"), entry(note, "Condition")]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def submissions(one: Canary) -> Iterator[Request]:
    """$submit and $inquire, taken and refused."""
    coverage = next(
        entry["resource"] for bundle in one.bundles() for entry in json.loads(bundle)["entry"]
        if entry["resource"]["resourceType"] == "Coverage"
    )  # fmt: skip
    patient = {"reference": f"Patient/{one.patient['id']}"}
    insurer, provider = coverage["payor"][0], {"reference": "Organization/org-north"}
    insurance = {"sequence": 1, "focal": True, "coverage": {"reference": f"Coverage/{coverage['id']}"}}
    asked = {
        "resourceType": "CoverageEligibilityRequest", "status": "active", "purpose": ["benefits"], "patient": patient,
        "created": "2026-10-01", "provider": provider, "insurer": insurer,
        "insurance": [{"focal": True, "coverage": insurance["coverage"]}],
        "identifier": [{"value": one.word("question number")}],
    }  # fmt: skip
    concept = {"coding": [{"code": "professional", "system": "http://terminology.hl7.org/CodeSystem/claim-type"}]}
    item = {
        "sequence": 1,
        "productOrService": {"coding": [{"system": codes.CPT, "code": "70551"}], "text": one.word("item text")},
        "servicedDate": "2026-10-01", "quantity": {"value": 1}, "net": {"value": 100, "currency": "USD"},
        "locationCodeableConcept": {"coding": [{"system": codes.POS, "code": "11"}]},
        "diagnosisSequence": [1],
    }  # fmt: skip
    reason = {"coding": [{"system": codes.ICD10CM, "code": "L57.0"}], "text": one.word("claim diagnosis text")}
    claim = {
        "resourceType": "Claim", "status": "active", "type": concept, "patient": patient, "created": "2026-10-01",
        "identifier": [{"system": "https://ehr.example/claim", "value": one.word("claim number")}],
        "use": "claim", "insurer": insurer, "provider": provider,
        "priority": {"coding": [{"code": "normal"}]}, "insurance": [insurance], "item": [item],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": reason}],
        "total": {"value": 100, "currency": "USD"},
    }  # fmt: skip
    place, eligibility = "/fhir/Claim/$submit", "/fhir/CoverageEligibilityRequest/$submit"
    yield wanted("submit eligibility", "POST", eligibility, asked)
    yield wanted("submit claim", "POST", place, claim, Idempotency_Key=one.word("submit key"))
    yield wanted("submit prior auth", "POST", place, claim | {"use": "preauthorization"})
    yield wanted("inquire", "POST", "/fhir/Claim/$inquire", claim | {"use": "preauthorization"})
    yield wanted("submit unknown use", "POST", place, claim | {"use": one.word("bad use")})
    yield wanted(
        "submit lost patient", "POST", place, claim | {"patient": {"reference": f"Patient/{one.word('lost')}"}}
    )
    yield wanted("submit bad code", "POST", place, claim | {"status": one.word("bad status")})
    yield wanted("submit bad eligibility", "POST", eligibility, asked | {"purpose": [one.word("bad purpose")]})
    yield wanted(
        "submit bundle", "POST", place, {"resourceType": "Bundle", "type": one.word("bundle type"), "entry": []}
    )
    yield wanted(
        "submit twice with one key",
        "POST",
        place,
        claim | {"created": "2026-10-02"},
        Idempotency_Key=one.word("submit key"),
    )


def tokens(one: Canary, path: str) -> Iterator[Request]:
    """The token endpoint with marks where a client should be."""
    forms = (
        f"grant_type={one.word('grant type')}",
        f"grant_type=client_credentials&client_assertion={one.word('assertion')}.{one.word('claims')}.x&scope={one.word('scope')}",
        f"grant_type=client_credentials&client_id={one.word('client')}&client_secret={one.word('secret')}",
    )
    for number, form in enumerate(forms):
        yield wanted(f"token {number}", "POST", path, form.encode(), 400, 401, Content_Type=FORM, Authorization="")
