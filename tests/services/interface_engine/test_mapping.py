"""HL7 v2 to FHIR: what each message makes, and what null and absence mean."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from feed_world import BASIC, CHARGED, MRN, NOW, PID, PV1, channel, mapped, message, only, types
from interface_engine.handlers.rehearsing import Rehearsal
from interface_engine.wire.hl7 import Filtered, map_message, subject_of
from kernel import codes
from kernel.errors import Refused, Unreadable


@pytest.mark.parametrize(
    ("event", "status"),
    [("A01", "in-progress"), ("A03", "finished"), ("A04", "in-progress"), ("A05", "planned"), ("A08", "in-progress"),
     ("A11", "cancelled"), ("A13", "in-progress")],
)  # fmt: skip
def test_an_event_says_how_the_visit_stands(tmp_path: Path, event: str, status: str) -> None:
    found = mapped(channel(tmp_path), f"ADT^{event}", PID, PV1)
    visit = only(found, "Encounter")
    assert visit["status"] == status
    assert visit["period"]["start"] == "2026-03-16T09:00:00-05:00"
    assert visit["participant"][0]["type"][0]["coding"][0]["code"] == "ATND"
    assert found.keys.visit == "V1" and found.subject == f"{MRN}|100"


@pytest.mark.parametrize("event", ["A28", "A31"])
def test_a_person_without_a_visit(tmp_path: Path, event: str) -> None:
    assert types(mapped(channel(tmp_path), f"ADT^{event}", PID)) == ["Patient"]


def test_a_patient_is_what_pid_says(tmp_path: Path) -> None:
    found = mapped(channel(tmp_path), "ADT^A28", PID, "NK1|1|Sample-Kin^Kim|SPO^Spouse^HL70063||5125550109")
    patient = only(found, "Patient")
    assert patient["identifier"][0]["system"] == MRN and patient["identifier"][0]["value"] == "100"
    assert patient["name"] == [{"family": "Sample-Alder", "given": ["Testa", "B"]}]
    assert (patient["birthDate"], patient["gender"]) == ("1980-05-06", "female")
    assert patient["address"][0] == {"line": ["1 Elm St"], "city": "Austin", "state": "TX", "postalCode": "78701"}
    assert patient["telecom"] == [{"system": "phone", "value": "5125550100", "use": "home"}]
    assert patient["contact"][0]["name"]["family"] == "Sample-Kin"
    sources = {one.element: one.source for one in found.provenance}
    assert sources["Patient.birthDate"] == "PID-7" and sources["Patient.contact"].startswith("NK1-")


async def test_null_deletes_absence_keeps_and_older_never_overwrites(tmp_path: Path) -> None:
    feed, world = channel(tmp_path), Rehearsal()
    await world.play(mapped(feed, "ADT^A28", PID))
    bare = PID.replace("1 Elm St^^Austin^TX^78701", "").replace("5125550100", '""')
    await world.play(mapped(feed, "ADT^A31", bare, at="20260316100000"))
    (patient,) = world.all("Patient")
    assert "telecom" not in patient and patient["address"][0]["city"] == "Austin"
    stale = PID.replace("Austin", "Boston")
    assert await world.play(mapped(feed, "ADT^A31", stale, at="20260316093000")) == []
    assert world.all("Patient")[0]["address"][0]["city"] == "Austin"
    assert await world.play(mapped(feed, "ADT^A31", stale, at="20260316110000")) == ["Patient/r1"]
    assert world.all("Patient")[0]["address"][0]["city"] == "Boston"


async def test_an_update_that_comes_first_creates_and_the_late_registration_changes_nothing(tmp_path: Path) -> None:
    feed, world = channel(tmp_path), Rehearsal()
    await world.play(mapped(feed, "ADT^A08", PID, PV1, at="20260316100000"))
    assert await world.play(mapped(feed, "ADT^A04", PID.replace("Testa", "Old"), PV1)) == []
    assert world.all("Patient")[0]["name"][0]["given"][0] == "Testa"


async def test_a_finished_visit_stays_finished_until_the_discharge_is_cancelled(tmp_path: Path) -> None:
    feed, world = channel(tmp_path), Rehearsal()
    ended = PV1 + "|202603161000"
    await world.play(mapped(feed, "ADT^A03", PID, ended))
    await world.play(mapped(feed, "ADT^A08", PID, PV1, at="20260316110000"))
    await world.play(mapped(feed, "ADT^A04", PID, PV1, at="20260316120000"))
    (visit,) = world.all("Encounter")
    assert visit["status"] == "finished" and visit["period"]["end"] == "2026-03-16T10:00:00-05:00"
    await world.play(mapped(feed, "ADT^A13", PID, PV1, at="20260316130000"))
    (visit,) = world.all("Encounter")
    assert visit["status"] == "in-progress" and "end" not in visit["period"]
    await world.play(mapped(feed, "ADT^A11", PID, PV1, at="20260316140000"))
    assert world.all("Encounter")[0]["status"] == "cancelled"


async def test_a_merge_links_both_ways_and_touches_nothing_else(tmp_path: Path) -> None:
    feed, world = channel(tmp_path), Rehearsal()
    await world.play(mapped(feed, "ADT^A28", PID.replace("100^", "90^")))
    found = mapped(feed, "ADT^A40", PID, "MRG|90^^^H^MR", at="20260317")
    kinds = [(one.kind, bool(one.merged_from), bool(one.merged_into)) for one in found.entries]
    assert kinds == [("merge", True, False), ("merge", False, True)]
    await world.play(found)
    prior, survivor = sorted(world.all("Patient"), key=lambda one: one["id"])
    assert prior["active"] is False and prior["name"][0]["family"] == "Sample-Alder"
    assert prior["link"] == [{"other": {"reference": f"Patient/{survivor['id']}"}, "type": "replaced-by"}]
    assert survivor["link"] == [{"other": {"reference": f"Patient/{prior['id']}"}, "type": "replaces"}]
    assert await world.play(found) == []
    with pytest.raises(Unreadable):
        map_message(feed, message("ADT^A40", PID), NOW)
    with pytest.raises(Unreadable):
        map_message(feed, message("ADT^A40", PID, "MRG|100^^^H^MR"), NOW)


async def test_diagnoses_keep_their_order_and_can_be_taken_back(tmp_path: Path) -> None:
    feed, world = channel(tmp_path), Rehearsal()
    rows = ("DG1|1||J20.9^^I10|||F|||||||||2", "DG1|2||R05.9^^I10|||F|||||||||1", "DG1|3||Z99^^I10|||A")
    found = mapped(feed, "BAR^P12", PID, PV1, *rows)
    await world.play(found)
    (visit,) = world.all("Encounter")
    named = [world.resources[one["condition"]["reference"]] for one in visit["diagnosis"]]
    assert [one["code"]["coding"][0]["code"] for one in named] == ["R05.9", "J20.9", "Z99"]
    assert [one["verificationStatus"]["coding"][0]["code"] for one in named] == [
        "confirmed",
        "confirmed",
        "provisional",
    ]
    gone = "DG1|1||J20.9^^I10|||F|||||||||2||||||D"
    await world.play(mapped(feed, "BAR^P12", PID, PV1, gone, at="20260318"))
    status = {
        one["code"]["coding"][0]["code"]: one["verificationStatus"]["coding"][0]["code"]
        for one in world.all("Condition")
    }
    assert status["J20.9"] == "entered-in-error" and status["R05.9"] == "confirmed"


@pytest.mark.parametrize(
    ("event", "status"),
    [("S12", "booked"), ("S13", "booked"), ("S14", "booked"), ("S15", "cancelled"), ("S26", "noshow")],
)
def test_a_booking(tmp_path: Path, event: str, status: str) -> None:
    sch = "SCH|P1|F1^APP||||ROUTINE|CHECK^Checkup|NORMAL|30|min|^^30^202604010930^202604011000"
    found = mapped(
        channel(tmp_path), f"SIU^{event}", PID, sch, "AIP|1||1999000015^Sample-Doc^Ada", "AIL|1||ROOM1^^^MAIN"
    )
    booking = only(found, "Appointment")
    assert (booking["status"], booking["start"], booking["end"]) == (
        status, "2026-04-01T09:30:00-05:00", "2026-04-01T10:00:00-05:00",
    )  # fmt: skip
    assert len(booking["participant"]) == 3
    proposed = mapped(channel(tmp_path), f"SIU^{event}", PID, "SCH|P1|F1^APP")
    assert only(proposed, "Appointment")["status"] in ("proposed", "cancelled")
    with pytest.raises(Unreadable):
        map_message(channel(tmp_path), message(f"SIU^{event}", PID), NOW)


@pytest.mark.parametrize(
    ("kind", "control", "order_status", "status"),
    [("ORM^O01", "NW", "", "active"), ("OML^O21", "CA", "", "revoked"), ("ORM^O01", "SC", "CM", "completed"),
     ("ORM^O01", "HD", "", "on-hold"), ("ORM^O01", "XX", "", "active")],
)  # fmt: skip
def test_an_order(tmp_path: Path, kind: str, control: str, order_status: str, status: str) -> None:
    rows = (f"ORC|{control}|P7^EHR|F7^LAB||{order_status}||||202603160905|||1999000023^Sample-Doc^Bo",
            "OBR|1|P7^EHR|F7^LAB|72148^^C4|||202603170800" + "|" * 20 + "^^^^^S")  # fmt: skip
    found = mapped(channel(tmp_path), kind, PID, PV1, *rows)
    order = only(found, "ServiceRequest")
    assert (order["status"], order["intent"], order["authoredOn"]) == (status, "order", "2026-03-16T09:05:00-05:00")
    assert [one["value"] for one in order["identifier"]] == ["P7", "F7"]
    charged = only(mapped(channel(tmp_path, CHARGED), kind, PID, PV1, *rows), "ServiceRequest")
    assert charged["status"] == ("active" if status == "completed" else status)


def test_a_result(tmp_path: Path) -> None:
    rows = ("ORC|RE|P7|F7", "OBR|1|P7|F7|80053^^C4|||202603160800||||||||1999000015^D|||||||202603161200|||F",
            "OBX|1|NM|2345-7^Glucose^LN||105|mg/dL|70-99|H|||F|||202603160800", "NTE|1||fasting",
            "OBX|2|SN|2160-0^Creatinine^LN||<^0.2|mg/dL||||F", "OBX|3|ST|x^Note^L||see text||||||P")  # fmt: skip
    found = mapped(channel(tmp_path), "ORU^R01", PID, *rows)
    assert types(found) == [
        "Patient",
        "DiagnosticReport",
        "Practitioner",
        "Observation",
        "Observation",
        "Observation",
    ] or (types(found).count("Observation") == 3)
    values = [one.resource for one in found.entries if one.resource["resourceType"] == "Observation"]
    assert values[0]["valueQuantity"] == {"value": Decimal(105), "unit": "mg/dL"}
    assert values[0]["note"] == [{"text": "fasting"}] and values[0]["status"] == "final"
    assert values[1]["valueQuantity"]["comparator"] == "<" and values[2]["valueString"] == "see text"
    assert values[2]["status"] == "preliminary"
    assert len(only(found, "DiagnosticReport")["result"]) == 3


def test_a_document_and_a_prescription(tmp_path: Path) -> None:
    found = mapped(channel(tmp_path), "MDM^T02", PID, PV1,
    "TXA|1|DS^Discharge|TX|20260316||202603161000||||||DOC1|||||AU||AV",
                   "OBX|1|TX|x^Note||first line||||||F", "OBX|2|TX|x^Note||second line||||||F")  # fmt: skip
    document = only(found, "DocumentReference")
    assert document["content"][0]["attachment"]["data"] == "Zmlyc3QgbGluZQpzZWNvbmQgbGluZQ=="
    assert document["docStatus"] == "final" and document["date"].startswith("2026-03-16")
    rx = mapped(
        channel(tmp_path), "RDE^O11", PID, "ORC|NW|RX1^EHR", "RXE||313782^Acetaminophen^RXNORM|325||mg|||||20|TAB|2"
    )
    order = only(rx, "MedicationRequest")
    assert order["medicationCodeableConcept"]["coding"][0]["system"] == codes.RXNORM
    assert order["dispenseRequest"] == {"quantity": {"value": Decimal(20), "unit": "TAB"}, "numberOfRepeatsAllowed": 2}


def test_coverages_accounts_and_who_insures(tmp_path: Path) -> None:
    rows = ("IN1|1|PLAN|PAY1|Payer One||||GRP||||20260101|||PPO|Sample-Other^Pat|SPO|19790101" + "|" * 18 + "M100",
            "IN2|1", "IN1|2|PLAN2|PAY2|Payer Two" + "|" * 32 + "M200",
            "GT1|1|G9|Sample-Gran^Gil||5 Oak^^Austin^TX^78701||||||PAR")  # fmt: skip
    found = mapped(channel(tmp_path), "BAR^P05", PID.replace("|5125550100", "|5125550100|||||ACC1"), PV1, *rows)
    first, second = [one.resource for one in found.entries if one.resource["resourceType"] == "Coverage"]
    assert (first["subscriberId"], first["order"], first["relationship"]["coding"][0]["code"]) == ("M100", 1, "spouse")
    assert (second["subscriberId"], second["order"], second["relationship"]["coding"][0]["code"]) == ("M200", 2, "self")
    account = only(found, "Account")
    assert [one["priority"] for one in account["coverage"]] == [1, 2] and len(account["guarantor"]) == 1
    assert found.keys.account == "ACC1"


def test_what_is_filtered_ignored_or_not_mapped_says_so(tmp_path: Path) -> None:
    text = (
        BASIC + "filters:\n  - {name: tests, when: {place: PID-5.1, starts_with: [ZZ]}}\nmessages: {ADT^A05: ignore}\n"
    )
    feed = channel(tmp_path, text)
    for kind, person, reason in (
        ("ADT^A04", PID.replace("Sample", "ZZ"), "filtered:tests"),
        ("ADT^A05", PID, "filtered:message-ignored"),
        ("VXU^V04", PID, "message-type-unmapped"),
    ):
        found = map_message(feed, message(kind, person, PV1), NOW)
        assert isinstance(found, Filtered) and found.reason_code == reason and found.keys.mrn == "100"


def test_a_message_without_a_patient_is_unreadable_and_says_where(tmp_path: Path) -> None:
    feed = channel(tmp_path)
    with pytest.raises(Unreadable) as caught:
        map_message(feed, message("ADT^A04", "PID|1||||Sample^X", PV1), NOW)
    assert (caught.value.code, caught.value.path) == ("patient-identifier-missing", "PID-3")
    assert subject_of(feed, message("ADT^A04", "PID|1||||Sample^X")).patient == ""


def test_what_cannot_be_read_is_left_out_and_noted(tmp_path: Path) -> None:
    found = mapped(channel(tmp_path), "ADT^A04", PID.replace("19800506", "in May"), PV1.replace("| V1", "|"))
    assert "birthDate" not in only(found, "Patient")
    assert ("PID-7", "date-unreadable") in {(one.path, one.code) for one in found.flaws}
    # Without a number of its own the visit is the patient's of that day.
    assert only(found, "Encounter")["identifier"][0]["value"] == "100-20260316"


async def test_two_owners_of_a_number_are_a_persons_to_decide(tmp_path: Path) -> None:
    feed, world = channel(tmp_path), Rehearsal()
    await world.play(mapped(feed, "ADT^A28", PID))
    twin = world.all("Patient")[0] | {"id": "other"}
    world.resources["Patient/other"] = twin
    world._by_key[("Patient", MRN, "100")].append("Patient/other")
    world._versions["Patient/other"] = 1
    with pytest.raises(Refused) as caught:
        await world.play(mapped(feed, "ADT^A31", PID, at="20260320"))
    assert caught.value.code == "identifier-ambiguous"


def test_numbers_with_marks_of_a_search_are_found_as_they_are(tmp_path: Path) -> None:
    found = mapped(channel(tmp_path), "ADT^A28", PID.replace("100^", r"1,0$\T\0^"))
    assert found.entries[0].key == (MRN, "1,0$&0")
    assert found.entries[0].condition == f"Patient?identifier={MRN}|1%5C%2C0%5C%240".replace("%240", "%24%260")
