"""The two public Python clients against a door that listens: fhirpy and fhirclient, as their users write them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from engine_records import BASICS, PATIENT
from engine_served import Served, served
from engine_smart import assertion, register
from engine_world import TOKENS
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle, BundleEntry, BundleEntryRequest
from fhirclient.models.coverage import Coverage
from fhirclient.models.humanname import HumanName
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, MultipleResourcesFound, OperationOutcome, ResourceNotFound
from platform_fixture import Platform

NAME = [{"family": "Sample-Beech", "given": ["Testo"]}]
MRN = [{"system": "https://ehr.example/mrn", "value": "M1"}]


@pytest.fixture
async def open_door(platform: Platform, tenant: str) -> AsyncIterator[Served]:
    async with served(platform.url_for("interface-engine"), tenant, page_size=3) as opened:
        yield opened


def fhirpy_client(door: Served, token: str = TOKENS["default"]) -> AsyncFHIRClient:
    return AsyncFHIRClient(door.base, authorization=f"Bearer {token}")


# fhirpy


async def test_fhirpy_creates_reads_changes_and_deletes(open_door: Served) -> None:
    client = fhirpy_client(open_door)
    patient = await client.resource("Patient", name=NAME, gender="female").save()
    assert patient.id and patient["meta"]["versionId"] == "1"
    patient["birthDate"] = "1980-05-06"
    await patient.save()
    again = await client.reference("Patient", patient.id).to_resource()
    assert (again["birthDate"], again["meta"]["versionId"]) == ("1980-05-06", "2")
    await again.patch(active=False)
    assert again["active"] is False and again["meta"]["versionId"] == "3"
    await again.save(fields=["gender"])
    await again.refresh()
    assert again["gender"] == "female"
    assert await again.is_valid()
    await again.delete()
    with pytest.raises(ResourceNotFound):
        await client.get("Patient", patient.id)


async def test_fhirpy_condition_by_condition(open_door: Served) -> None:
    client = fhirpy_client(open_door)
    body = {"resourceType": "Patient", "identifier": MRN, "name": NAME}
    patients = client.resources("Patient").search(identifier="https://ehr.example/mrn|M1")
    first, created = await patients.get_or_create(client.resource(**{"resource_type": "Patient"} | body))
    second, created_again = await patients.get_or_create(client.resource(**{"resource_type": "Patient"} | body))
    assert (created, created_again) == (True, False) and first.id == second.id
    raw = await client.execute("Patient", "post", body, {"identifier": "https://ehr.example/mrn|M1"})
    assert raw["id"] == first.id
    updated, made = await patients.update(client.resource("Patient", identifier=MRN, name=NAME, gender="male"))
    assert (updated.id, updated["gender"], made) == (first.id, "male", False)
    patched = await patients.patch(active=True)
    assert patched.id == first.id and patched["active"] is True
    await client.resource("Patient", identifier=MRN, name=NAME, gender="other").save()
    with pytest.raises(MultipleResourcesFound):
        await patients.patch(active=False)


async def test_fhirpy_searches_and_turns_pages(open_door: Served) -> None:
    client = fhirpy_client(open_door)
    await open_door.world.post(*BASICS, *(PATIENT | {"id": f"q{n}", "gender": "male"} for n in range(7)))
    men = client.resources("Patient").search(gender="male").sort("_id")
    assert [one.id for one in await men.fetch_all()] == [f"q{n}" for n in range(7)]
    assert [one.id async for one in men] == [f"q{n}" for n in range(7)]
    assert await men.count() == 7 and (await men.first()).id == "q0"
    assert (await client.resources("Patient").search(_id="p1").get()).id == "p1"
    named = client.resources("Patient").search(name__contains="alder", birthdate__lt="1981", _id="p1")
    assert [one.id for one in await named.fetch()] == ["p1"]
    bundle = await client.resources("Coverage").include("Coverage", "beneficiary").fetch_raw()
    assert {entry.resource["resourceType"] for entry in bundle.entry} == {"Coverage", "Patient"}
    back = await client.resources("Patient").search(_id="p1").revinclude("Coverage", "beneficiary").fetch_raw()
    assert {entry.resource["resourceType"] for entry in back.entry} == {"Coverage", "Patient"}
    by_chain = client.resources("Coverage").search(beneficiary__Patient__gender="female")
    assert [one.id for one in await by_chain.fetch()] == ["c1"]


async def test_fhirpy_is_told_why_not(open_door: Served) -> None:
    client = fhirpy_client(open_door)
    with pytest.raises(OperationOutcome) as caught:
        await client.resource("Patient", gender="x").save()
    assert caught.value.resource["issue"][0]["expression"] == ["Patient.gender"]
    assert not await client.resource("Patient", gender="x").is_valid()
    with pytest.raises(OperationOutcome):
        await client.resources("Patient").search(color="red").fetch()
    with pytest.raises(AuthorizationError):
        await fhirpy_client(open_door, "nobody").resources("Patient").fetch()


# fhirclient


def fhirclient_of(door: Served, token: str = TOKENS["default"]) -> FHIRClient:
    """It asks /metadata first; the token is put in by hand, for it knows no backend services."""
    client = FHIRClient(settings={"app_id": "test", "api_base": door.base})
    client.prepare()
    client.server.session.headers["Authorization"] = f"Bearer {token}"
    return client


def use_fhirclient(door: Served) -> list[Any]:
    """What a script with fhirclient does from its first line to its last."""
    client = fhirclient_of(door)
    server = client.server
    statement = server.capabilityStatement
    assert statement.fhirVersion == "4.0.1" and client.ready
    patient = Patient({"name": NAME, "gender": "female", "identifier": MRN})
    made = patient.create(server)
    read = Patient.read(made["id"], server)
    assert read.name[0].family == "Sample-Beech"
    read.name.append(HumanName({"family": "Sample-Elm", "use": "old"}))
    assert read.update(server)["meta"]["versionId"] == "2"
    found = Patient.where({"identifier": "https://ehr.example/mrn|M1"}).perform_resources(server)
    assert [one.id for one in found] == [made["id"]] and len(found[0].name) == 2
    coverage = Coverage(
        {"status": "active", "beneficiary": {"reference": f"Patient/{made['id']}"}, "payor": [{"display": "Payer"}]}
    )
    covered = coverage.create(server)
    bundle = Coverage.where({"_id": covered["id"], "_include": "Coverage:beneficiary"}).perform(server)
    assert {entry.resource.resource_type for entry in bundle.entry} == {"Coverage", "Patient"}
    return [made["id"], covered["id"]]


def transact_with_fhirclient(door: Served) -> Any:
    entry = BundleEntry({"fullUrl": "urn:uuid:1", "resource": PATIENT | {"managingOrganization": {"display": "x"}}})
    entry.request = BundleEntryRequest({"method": "POST", "url": "Patient"})
    bundle = Bundle({"type": "transaction"})
    bundle.entry = [entry]
    return bundle.create(fhirclient_of(door).server)


def turn_pages_with_fhirclient(door: Served) -> list[str]:
    found = Patient.where({"gender": "male", "_sort": "_id"}).perform_resources_iter(fhirclient_of(door).server)
    return [one.id for one in found]


def delete_with_fhirclient(door: Served, patient: str, coverage: str) -> None:
    server = fhirclient_of(door).server
    Coverage.read(coverage, server).delete()
    Patient.read(patient, server).delete()
    Patient.read(patient, server)


async def test_fhirclient_asks_for_metadata_and_goes_on(open_door: Served) -> None:
    patient, coverage = await asyncio.to_thread(use_fhirclient, open_door)
    answer = await asyncio.to_thread(transact_with_fhirclient, open_door)
    assert answer["entry"][0]["response"]["status"] == "201 Created"
    with pytest.raises(Exception) as caught:
        await asyncio.to_thread(delete_with_fhirclient, open_door, patient, coverage)
    assert caught.value.response.status_code == 410  # type: ignore[attr-defined]


async def test_fhirclient_turns_pages(open_door: Served) -> None:
    await open_door.world.post(*BASICS, *(PATIENT | {"id": f"q{n}", "gender": "male"} for n in range(7)))
    assert await asyncio.to_thread(turn_pages_with_fhirclient, open_door) == [f"q{n}" for n in range(7)]


async def test_fhirclient_is_told_why_not(open_door: Served) -> None:
    client = await asyncio.to_thread(fhirclient_of, open_door)
    with pytest.raises(FHIRNotFoundException):
        await asyncio.to_thread(Patient.read, "none", client.server)
    stranger = await asyncio.to_thread(fhirclient_of, open_door, "nobody")
    with pytest.raises(FHIRUnauthorizedException):
        await asyncio.to_thread(Patient.read, "none", stranger.server)


# With tokens of their own


def use_backend_services(door: Served, signed: str) -> str:
    """fhirclient finds the token endpoint in the CapabilityStatement and signs in by itself."""
    settings = {"app_id": "test", "api_base": door.base, "jwt_token": signed, "scope": "system/*.cruds"}
    client = FHIRClient(settings=settings)
    client.wants_patient = False
    client.prepare()
    assert not client.ready
    client.authorize()
    assert client.ready
    made = Patient({"name": NAME}).create(client.server)
    found = Patient.read(made["id"], client.server)
    assert found.name[0].family == "Sample-Beech"
    return str(client.server.auth.access_token)


async def test_fhirclient_and_fhirpy_with_tokens_of_a_registered_client(platform: Platform, tenant: str) -> None:
    async with served(platform.url_for("interface-engine"), tenant, smart=True) as door:
        await register(door.world)
        token = await asyncio.to_thread(use_backend_services, door, assertion(door.world))
        client = fhirpy_client(door, token)
        assert len(await client.resources("Patient").search(family="sample-beech").fetch_all()) == 1
        events = await client.resources("AuditEvent").fetch_raw()
        kinds = [entry.resource["subtype"][0]["code"] for entry in events.entry]
        assert {"create", "read", "search-type"} <= set(kinds)
        with pytest.raises(AuthorizationError):
            await fhirpy_client(door, TOKENS["default"]).resources("Patient").fetch()
