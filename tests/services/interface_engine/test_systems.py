"""Each system's template, played from its own sample messages, ends in the same claim as its twin in FHIR."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import fhir_r4
import hl7v2
import pytest
from charge_capture.handlers.pricing import reckon
from charge_capture.rules import load_site_charges
from charge_capture.wire.charges import charges_captured
from charge_capture.wire.visit import read_visit as read_charge_visit
from claims_gateway.wire.charges import read_charges
from claims_gateway.wire.visit import read_visit as read_claim_visit
from coding.handlers.coding import code_visit
from coding.rules import load_site_rules
from coding.wire.messages import coded_message
from coding.wire.snapshot import read_visit as read_coding_visit
from interface_engine.handlers.rehearsing import Rehearsal
from interface_engine.model import Edge, Graph
from interface_engine.rules import Channel, Source, load_channels
from interface_engine.rules.loading import SYSTEMS
from interface_engine.wire.facets import facets_of, plain
from interface_engine.wire.facts import coverages_of
from interface_engine.wire.hl7 import Mapped, bundle_of, map_message, map_rows
from interface_engine.wire.snapshot import make_snapshot
from kernel import codes
from rcm.billing.v1 import billing_pb2
from rcm.engine.v1 import engine_pb2

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SITE = "https://throughline.example/fhir"
MODIFIER = f"{codes.LINE}/StructureDefinition/procedure-modifier"
UNITS = f"{codes.LINE}/StructureDefinition/units"
Line = tuple[str, tuple[str, ...], int, tuple[str, ...]]  # code, modifiers, units, diagnoses


@dataclass(frozen=True)
class Facts:
    """What the visit was, in words of no system: the twin is made of this and of nothing else."""

    patient: tuple[str, str, str, str]  # family, given, birth date, gender
    address: tuple[str, str, str, str]
    coverages: tuple[tuple[str, str, str], ...]  # member, payer, relationship
    provider: tuple[str, str, str]  # npi, family, given
    day: str
    diagnoses: tuple[str, ...]
    lines: tuple[Line, ...]
    cents: int
    channel: str = ""
    samples: str = "samples"


CODING, PRICES = load_site_rules(None), load_site_charges(None)
SYNPA, SYNPB = "SYNPA", "SYNPB"
SYSTEM_FACTS: dict[str, Facts] = {
    "epic": Facts(
        ("Sample-Birch", "Jordan", "1979-02-14", "F"), ("12 Cedar Lane", "Austin", "TX", "78702"),
        (("SYN000700101", SYNPA, "self"),), ("1999000023", "Sample-Rowan", "Avery"), "2026-03-16", ("I10", "E11.9"),
        (("99214", ("25",), 1, ("I10", "E11.9")), ("96372", ("59", "RT"), 1, ("E11.9",))), 19200,
    ),
    "cerner": Facts(
        ("Sample-Clover", "Riley", "1985-05-09", "M"), ("9 Elm Court", "Denver", "CO", "80202"),
        (("SYN000800202", SYNPB, "self"),), ("1999000031", "Sample-Sage", "Morgan"), "2026-04-01", ("M17.12",
         "M25.562"),
        (("20610", ("LT",), 1, ()), ("J1885", (), 4, ())), 25500,
    ),
    "athenahealth": Facts(
        ("Sample-Dogwood", "Taylor", "2001-11-30", "M"), ("77 Pine Road", "Boston", "MA", "02108"),
        (("SYN000910010", SYNPA, "self"),), ("1999000056", "Sample-Fern", "Devon"), "2026-03-05", ("Z00.00", "Z23"),
        (("99396", ("25",), 1, ("Z00.00", "Z23")), ("90471", (), 1, ("Z23",))), 21500,
    ),
    "eclinicalworks": Facts(
        ("Sample-Elder", "Quinn", "1966-12-08", "F"), ("5 Oak Avenue", "Albany", "NY", "12207"),
        (("SYN000310070", SYNPB, "self"),), ("1999000064", "Sample-Linden", "Robin"), "2026-02-10", ("J01.90", "R05.9"),
        (("99213", ("25",), 1, ("J01.90", "R05.9")), ("94640", ("76", "59"), 2, ("J01.90",))), 18000,
    ),
    "nextgen": Facts(
        ("SAMPLE-FIR", "SKYLER", "1955-07-01", "M"), ("400 Bay Street", "Oakland", "CA", "94601"),
        (("SYN000550100", SYNPA, "self"),), ("1999000072", "Sample-Juniper", "Alex"), "2026-01-21", ("N40.1", "R33.9"),
        (("99215", ("25",), 1, ("N40.1", "R33.9")), ("51798", (), 1, ("R33.9",))), 29500,
    ),
    "tebra": Facts(
        ("Sample-Gorse", "Emerson", "1990-03-09", "F"), ("8 Mesa Drive, #4", "Phoenix", "AZ", "85004"),
        (("SYN000200110", SYNPB, "self"), ("SYN000200120", SYNPA, "self")), ("1999000080", "Sample-Maple", "Harper"),
        "2026-04-02", ("L70.0", "L30.9"),
        (("99203", ("25",), 1, ("L70.0", "L30.9")), ("10060", ("59", "LT"), 1, ("L30.9",))), 137550,
    ),
    "drchrono": Facts(
        ("Sample-Hazel", "Jamie Ray", "1972-10-31", "M"), ("14 Harbor Way", "Buffalo", "NY", "14201"),
        (("SYN000710010", SYNPA, "self"),), ("1999000098", "Sample-Willow", "Jamie"), "2026-02-26", ("M54.50",
         "G89.29"),
        (("99214", ("25", "95"), 1, ("M54.50", "G89.29")), ("J3301", (), 4, ("M54.50",))), 23000,
    ),
    "advancedmd": Facts(
        ("Sample-Ivy", "Reese", "1988-12-25", "F"), ("3 Canyon Road", "Provo", "UT", "84601"),
        (("SYN000400010", SYNPB, "self"),), ("1999000106", "Sample-Aspen", "Blake"), "2026-01-14", ("F41.1", "R45.0"),
        (("99213", ("25",), 1, ("F41.1", "R45.0")), ("96127", ("59", "76"), 2, ("F41.1",))), 15500,
    ),
    "modmed": Facts(
        ("Sample-Jasmine", "Kai", "1948-03-03", "F"), ("21 Gulf View", "Tampa", "FL", "33602"),
        (("SYN000600030", SYNPA, "spouse"),), ("1999000114", "Sample-Olive", "Noel"), "2026-02-19",
        ("D22.5", "D48.5", "L57.0"),
        (("99214", ("25",), 1, ("D22.5",)), ("11102", (), 1, ("D48.5",)), ("17000", ("59",), 1, ("L57.0",)),
         ("17003", (), 3, ("L57.0",))), 46000,
    ),
    "imd": Facts(
        ("Sample-Laurel", "Ellis", "1961-06-15", "F"), ("", "", "", ""), (("SYN000900010", SYNPB, "self"),),
        ("1999000031", "", ""), "2026-05-04", ("H40.1111", "H04.123"),
        (("92014", (), 1, ("H40.1111", "H04.123")), ("92134", ("RT",), 1, ("H40.1111",))), 23500,
    ),
    "legacy": Facts(
        ("SAMPLE-NUÑEZ", "PAT", "1938-04-17", "M"), ("66 RIVER ST", "WACO", "TX", "76701"),
        (("SYN000871010", SYNPA, "self"),), ("1999000064", "Sample-Linden", "Robin"), "2026-02-03",
        ("I10", "E78.5", "Z00.00"),
        (("99214", ("25",), 1, ("I10", "E78.5")), ("G0439", (), 1, ("Z00.00",))), 27750,
    ),
    "two-feeds/north": Facts(
        ("Sample-Elder", "Quinn", "1966-12-08", "F"), ("5 Oak Avenue", "Albany", "NY", "12207"),
        (("SYN000310070", SYNPB, "self"),), ("1999000064", "Sample-Linden", "Robin"), "2026-02-10", ("J01.90",),
        (("99213", (), 1, ("J01.90",)),), 13000, "north", "samples/north",
    ),
    "two-feeds/south": Facts(
        ("Sample-Elder", "Quinn", "1966-12-08", "F"), ("5 Oak Avenue", "Albany", "NY", "12207"),
        (("SYN000310070", SYNPB, "self"),), ("1999000098", "Sample-Willow", "Jamie"), "2026-02-12", ("J01.90",),
        (("99212", (), 1, ("J01.90",)),), 9500, "south", "samples/south",
    ),
}  # fmt: skip


def played(channel: Channel, samples: Path) -> list[Mapped]:
    """The samples in the order of their names, mapped; every one of them validates."""
    found: list[Any] = []
    for file in sorted(samples.iterdir()):
        if channel.csv is None:
            found.append(map_message(channel, hl7v2.read(file.read_bytes()), NOW))
            continue
        shape = channel.csv
        text = file.read_bytes().decode(shape.encoding)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=shape.delimiter)
        assert tuple(reader.fieldnames or ()) == shape.columns
        rows = [row for row in reader if row[shape.columns[0]] != shape.trailer.get("marker")]
        for _, group in groupby(rows, key=lambda row: [row[name] for name in shape.visit_columns]):
            found.append(map_rows(channel, list(group), NOW))
    for one in found:
        assert isinstance(one, Mapped)
        assert [issue for issue in fhir_r4.validate(bundle_of(one)) if issue.severity == "error"] == []
        assert one.flaws == ()
    return found


def twin(facts: Facts) -> dict[str, dict[str, Any]]:
    """The same visit as an EHR that speaks FHIR tells it."""
    family, given, born, gender = facts.patient
    line, city, state, postal_code = facts.address
    npi, last, first = facts.provider
    address = [{"line": [line], "city": city, "state": state, "postalCode": postal_code}] if line else []
    resources: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": "clinic", "name": "Synthetic Family Practice",
         "identifier": [{"system": codes.NPI, "value": "1999000015"}, {"system": codes.TAX_ID, "value": "990000001"}],
         "type": [{"coding": [{"system": codes.TAXONOMY, "code": "207Q00000X"}]}],
         "telecom": [{"system": "phone", "value": "5125550111"}],
         "address": [{"line": ["100 Example Street"], "city": "Austin", "state": "TX", "postalCode": "787010001"}]},
        {"resourceType": "Patient", "id": "p", "name": [{"family": family, "given": [given]}], "birthDate": born,
         "gender": {"F": "female", "M": "male"}[gender], "address": address},
        {"resourceType": "Practitioner", "id": "d", "identifier": [{"system": codes.NPI, "value": npi}],
         "name": [{"family": last, "given": [first]}] if last else []},
        {"resourceType": "Location", "id": "l", "type": [{"coding": [{"system": codes.POS, "code": "11"}]}],
         "managingOrganization": {"reference": "Organization/clinic"}},
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
         "subject": {"reference": "Patient/p"}, "period": {"start": facts.day},
         "participant": [{"individual": {"reference": "Practitioner/d"}}],
         "location": [{"location": {"reference": "Location/l"}}],
         "diagnosis": [{"condition": {"reference": f"Condition/c{n}"},
         "rank": n + 1} for n in range(len(facts.diagnoses))],
         "serviceProvider": {"reference": "Organization/clinic"}},
    ]  # fmt: skip
    for number, code in enumerate(facts.diagnoses):
        resources.append(
            {"resourceType": "Condition", "id": f"c{number}", "subject": {"reference": "Patient/p"},
             "encounter": {"reference": "Encounter/e"}, "code": {"coding": [{"system": codes.ICD10CM, "code": code}]}}
        )  # fmt: skip
    for order, (member, payer, relation) in enumerate(facts.coverages, 1):
        resources.append(
            {"resourceType": "Organization", "id": payer.lower(), "name": f"Synthetic Payer {payer[-1]}",
             "identifier": [{"system": codes.NAIC, "value": payer}]}
        )  # fmt: skip
        resources.append(
            {"resourceType": "Coverage", "id": f"v{order}", "status": "active", "subscriberId": member, "order": order,
             "beneficiary": {"reference": "Patient/p"}, "payor": [{"reference": f"Organization/{payer.lower()}"}],
             "relationship": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship",
                                          "code": relation}]}}
        )  # fmt: skip
    for number, (code, modifiers, units, reasons) in enumerate(facts.lines):
        extension = [{"url": MODIFIER, "valueCoding": {"code": one}} for one in modifiers]
        system = codes.CPT if codes.is_cpt(code) else codes.HCPCS
        resources.append(
            {"resourceType": "Procedure", "id": f"s{number}", "status": "completed",
             "subject": {"reference": "Patient/p"},
             "encounter": {"reference": "Encounter/e"}, "performedDateTime": facts.day,
             "extension": [*extension, {"url": UNITS, "valueDecimal": Decimal(units)}],
             "code": {"coding": [{"system": system, "code": code}]},
             "performer": [{"actor": {"reference": "Practitioner/d"}}],
             "reasonReference": [{"reference": f"Condition/c{facts.diagnoses.index(one)}"} for one in reasons]}
        )  # fmt: skip
    return {f"{one['resourceType']}/{one['id']}": one for one in resources}


def graph_of(resources: dict[str, dict[str, Any]]) -> Graph:
    edges = tuple(
        Edge(name, plain(link.path), link.to) for name, one in resources.items() for link in facets_of(one).links
    )
    return Graph.of({name: fhir_r4.write(one) for name, one in resources.items()}, edges)


def billed(graph: Graph, encounter: str, source: Source) -> dict[str, Any]:
    """All that the line reads of a visit, without names of resources."""
    patient = graph.out(encounter, "Patient", "Encounter.subject")[0]
    snapshot = make_snapshot(encounter, patient, coverages_of(graph, patient), graph, source, SITE)
    facts = billing_pb2.EncounterFacts(encounter=encounter, encounter_key="k", snapshot=snapshot.bundle)
    visit = read_coding_visit(engine_pb2.EncounterFinished(facts=facts, unmapped=snapshot.unmapped))
    claim, _ = read_claim_visit(snapshot.bundle, encounter)
    coded = code_visit(visit, CODING)
    lines = read_charge_visit(coded_message(coded, facts, reviewed=True))
    priced = reckon(lines, (), (), PRICES)
    draft = read_charges(charges_captured(lines, priced, NOW), "j", 1, "")
    conditions = dict(visit.diagnoses)
    by_id = {name.rpartition("/")[2]: code for name, code in conditions.items()}
    insurances = [one for one in (claim.insurance, *claim.other_insurance) if one is not None]
    person = claim.patient
    rendering = {one.npi: (one.last, one.first) for one in claim.practitioners}
    return {
        "claim lines": sorted(
            (one.code, one.modifiers, one.units, one.pointers, one.charge_cents, one.service_from, one.place_of_service,
             one.rendering_npi)
            for one in draft.lines
        ),
        "claim diagnoses": [one.code for one in draft.diagnoses],
        "findings": sorted((one.rule_id, one.severity, one.code) for one in coded.findings),
        "without a price": sorted(one.code for one in priced.missing),
        "unmapped": snapshot.unmapped,
        "without_code": visit.without_code,
        "day": visit.date,
        "class": visit.visit_class,
        "place": visit.place,
        "payer": visit.payer,
        "diagnoses": [code for _, code in visit.diagnoses],
        "services": sorted(
            (one.code, one.modifiers, one.units, one.service_from, one.rendering_npi or visit.rendering_npi,
             tuple(by_id[name.rpartition("/")[2]] for name in one.reasons) or one.reason_codes)
            for one in visit.services
        ),
        "person": (person.last, person.first, person.birth_date, person.gender),
        "address": (person.address.line1, person.address.city, person.address.state, person.address.postal_code),
        "insurance": [(one.member_id, one.payer_id, one.payer_name, one.relationship) for one in insurances],
        "billing": claim.billing and (claim.billing.name, claim.billing.npi, claim.billing.tax_id,
        claim.billing.taxonomy,
                                      claim.billing.phone, claim.billing.address),
        "rendering": {npi: rendering.get(npi) for npi in {one.rendering_npi for one in visit.services} if npi},
    }  # fmt: skip


@pytest.mark.parametrize("name", SYSTEM_FACTS)
async def test_a_system_ends_in_the_same_claim_as_its_twin(name: str) -> None:
    facts = SYSTEM_FACTS[name]
    folder = SYSTEMS / name.partition("/")[0]
    channel = load_channels(folder)[facts.channel or name]
    rehearsal = Rehearsal()
    for mapped in played(channel, folder / facts.samples):
        await rehearsal.play(mapped)
    (encounter,) = rehearsal.all("Encounter")
    assert encounter["status"] == "finished"
    made = billed(rehearsal.graph(), f"Encounter/{encounter['id']}", channel.source)
    wanted = billed(graph_of(twin(facts)), "Encounter/e", load_channels()["default"].source)
    assert made == wanted
    assert made["day"] == date.fromisoformat(facts.day)
    assert made["claim diagnoses"] == [code.replace(".", "") for code in facts.diagnoses]
    assert len(made["claim lines"]) + len(made["without a price"]) == len(facts.lines)


@pytest.mark.parametrize("name", SYSTEM_FACTS)
async def test_playing_the_samples_again_changes_nothing(name: str) -> None:
    facts = SYSTEM_FACTS[name]
    folder = SYSTEMS / name.partition("/")[0]
    channel = load_channels(folder)[facts.channel or name]
    rehearsal = Rehearsal()
    messages = played(channel, folder / facts.samples)
    assert [await rehearsal.play(mapped) for mapped in messages]
    assert all([await rehearsal.play(messages[-1]) == [] for _ in range(2)])


@pytest.mark.parametrize("name", SYSTEM_FACTS)
def test_every_charge_of_the_samples_is_accounted_for(name: str) -> None:
    facts = SYSTEM_FACTS[name]
    folder = SYSTEMS / name.partition("/")[0]
    channel = load_channels(folder)[facts.channel or name]
    lines = [line for mapped in played(channel, folder / facts.samples) for line in mapped.charges]
    kept = [line for line in lines if line.disposition == "charge"]
    cents = sum(line.amount_cents if line.kind == "charge" else -line.amount_cents for line in kept)
    assert cents == facts.cents
    assert all(line.reason for line in lines if line.disposition != "charge")


def test_there_is_a_template_for_each_system() -> None:
    assert {file.parent.name for file in SYSTEMS.glob("*/*.yaml")} == {one.partition("/")[0] for one in SYSTEM_FACTS}
