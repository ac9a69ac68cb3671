"""Published HL7 v2 samples: each message that is mapped maps or has a named reason, and what bills is what another
converter makes of it, or the difference is explained here."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import fhir_r4
import hl7v2
import pytest
from engine_world import CORPORA
from interface_engine.rules import Channel
from interface_engine.rules.loading import base_map, read_channel
from interface_engine.wire.hl7 import Filtered, Mapped, bundle_of, map_message
from kernel.errors import Unreadable

FOLDER = CORPORA / "hl7v2"
NOW = datetime(2026, 3, 20, tzinfo=UTC)
# Messages of the types that we map which nothing can be made of, and why: cases for one segment, without a patient.
NO_PATIENT = "patient-identifier-missing"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the corpora are not here")


@cache
def channel() -> Channel:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plain.yaml"
        file.write_text("name: plain\nformat: hl7v2\ntimezone: UTC\n")
        return read_channel(file, {})


def messages() -> list[tuple[str, bytes]]:
    found = []
    for file in sorted(FOLDER.glob("*/*.hl7")):
        for number, text in enumerate(hl7v2.split_batch(file.read_bytes()).messages):
            found.append((f"{file.stem}#{number}" if number else file.stem, text))
    return found


def test_every_message_of_a_mapped_type_maps_or_has_a_named_reason() -> None:
    outcomes: Counter[str] = Counter()
    unmapped_types: set[str] = set()
    for name, text in messages():
        message = hl7v2.read(text)
        kind = f"{message.message_type.code}^{message.message_type.trigger}"
        try:
            found = map_message(channel(), message, NOW)
        except Unreadable as error:
            assert error.code == NO_PATIENT and error.path == "PID-3", name
            assert not message.get("PID-3.1") and not message.get("PID-2.1"), name
            outcomes[error.code] += 1
            continue
        if isinstance(found, Filtered):
            assert found.reason_code == "message-type-unmapped" and kind not in base_map("hl7v2").messages
            unmapped_types.add(kind)
            outcomes["unmapped type"] += 1
            continue
        issues = [one for one in fhir_r4.validate(bundle_of(found)) if one.severity == "error"]
        assert issues == [], name
        outcomes["mapped"] += 1
    assert outcomes["mapped"] >= 60
    assert not unmapped_types & {f"{code}^{event}" for code, event in (("DFT", "P03"), ("ADT", "A01"), ("ORU", "R01"))}


def billing(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """What of these resources ends in a claim, in one form for every converter."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for one in resources:
        by_type.setdefault(one["resourceType"], []).append(one)
    patient = by_type["Patient"][0]
    return {
        "mrn": sorted(
            {one["value"] for one in patient.get("identifier", ()) if _typed(one, "MR") and one.get("value")}
        )[:1],
        "family": [one.get("family") for one in patient.get("name", ())][:1],
        "given": [one.get("given", [])[:1] for one in patient.get("name", ())][:1],
        "birth date": patient.get("birthDate"),
        "gender": patient.get("gender"),
        "city": [one.get("city", "").strip() for one in patient.get("address", ())][:1],
        "member ids": sorted(one["subscriberId"] for one in by_type.get("Coverage", ()) if "subscriberId" in one),
        "coverages": len(by_type.get("Coverage", ())),
        "payers": sorted(_payers(by_type)),
        "diagnoses": sorted({code for one in by_type.get("Condition", ()) for code in _codes(one.get("code"))}),
        "charge codes": sorted(_codes(one.get("code"))[0] for one in by_type.get("ChargeItem", ())),
        "quantities": sorted(Decimal(one["quantity"]["value"]) for one in by_type.get("ChargeItem", ())),
        "amounts": sorted(Decimal(one["priceOverride"]["value"]) for one in by_type.get("ChargeItem", ())),
        "service days": sorted(str(one.get("occurrenceDateTime"))[:10] for one in by_type.get("ChargeItem", ())),
        "visit": sorted(
            one["value"]
            for visit in by_type.get("Encounter", ())
            for one in visit.get("identifier", ())
            if _typed(one, "VN")
        ),
        "visit start": [one.get("period", {}).get("start", "")[:10] for one in by_type.get("Encounter", ())],
        "visit end": [one.get("period", {}).get("end", "")[:10] for one in by_type.get("Encounter", ())],
        "procedures": sorted({code for one in by_type.get("Procedure", ()) for code in _codes(one.get("code"))}),
    }


def _typed(identifier: dict[str, Any], code: str) -> bool:
    return any(one.get("code") == code for one in identifier.get("type", {}).get("coding", ()))


def _codes(concept: dict[str, Any] | None) -> list[str]:
    return [one["code"] for one in (concept or {}).get("coding", ()) if "code" in one] or [""]


def _payers(by_type: dict[str, list[dict[str, Any]]]) -> list[str]:
    names = {f"Organization/{one.get('id')}": one.get("name", "") for one in by_type.get("Organization", ())}
    found = [
        names.get(payor.get("reference", "")) for one in by_type.get("Coverage", ()) for payor in one.get("payor", ())
    ]
    return [name for name in found if name]


def ours(name: str) -> dict[str, Any] | None:
    file = next(FOLDER.glob(f"*/{name}.hl7"))
    found = map_message(channel(), hl7v2.read(file.read_bytes()), NOW)
    if not isinstance(found, Mapped):
        return None
    resources = []
    for entry in found.entries:
        made = json.loads(fhir_r4.write(entry.resource).replace(b"urn:uuid:", b"Organization/"))
        resources.append({"id": entry.full_url.removeprefix("urn:uuid:"), **made})
    return billing(resources)


def theirs(name: str) -> dict[str, Any]:
    bundle = fhir_r4.read((FOLDER / "expected" / f"{name}-expected.json").read_bytes())
    return billing([entry["resource"] for entry in bundle["entry"]])


def compared() -> list[str]:
    found = [file.name.removesuffix("-expected.json") for file in sorted((FOLDER / "expected").glob("*.json"))]
    kinds = base_map("hl7v2").messages
    kept = []
    for name in found:
        file = next(FOLDER.glob(f"*/{name}.hl7"), None)
        if file is None:
            continue
        kind = hl7v2.read(file.read_bytes()).message_type
        if f"{kind.code}^{kind.trigger}" in kinds:
            kept.append(name)
    return kept


# Where we differ, by field: the messages, and why ours is right for a claim, or what theirs reads more than bills.
_EMPTY_CODE = (
    "they make a Condition or Procedure without a code of other segments (PDA, DB1, family history); none bills"
)
_ORDERS = "FT1 and PR1 in an order or a result: ours posts charges by DFT alone, and names each such FT1 as refused"
_REASON = "DG1 of an order is the order's reason (ServiceRequest.reasonCode) and no diagnosis of a visit"
_TYPE_ABSENT = "the number has no type MR in CX-5: ours knows by the channel which number is the patient's"
_PERSON = "A28 and A31 tell of a person: a PV1 beside them makes no visit"
_EXPECTED = "they take PV2-8 and PV2-9, when somebody was expected to come and go, for when they did"
_NO_NUMBER = "a PV1 without a visit number: ours names the visit by patient and day, or makes none when there is no day"
EXPLAINED: dict[str, dict[str, str]] = {
    "diagnoses": {
        **dict.fromkeys(("ADT-A01-01", "ADT-A03-01", "ADT-A04-01", "ADT-A05-01", "ADT-A08-01", "ADT-A13-01",
        "BAR-P01-01",
                         "BAR-P12-01"), _EMPTY_CODE),
        **dict.fromkeys(("ADT-A28-01", "ADT-A31-01"), _PERSON),
        "DFT-P11-01": "FT1-19 of the second charge is a diagnosis too, though no DG1 repeats it",
        **dict.fromkeys(("OML-O21-01", "OML-O21-03", "ORM-O01-01", "ORM-O01-03", "ORM-O01-04", "ORM-O01-05",
                         "ORM-O01-06"), _REASON),
        "SIU-S12-01": "DG1 of a booking is its reason: there is no visit yet",
    },
    "procedures": {
        **dict.fromkeys(("ADT-A01-01", "ADT-A03-01", "ADT-A04-01", "ADT-A05-01", "ADT-A08-01", "ADT-A13-01",
        "BAR-P01-01",
                         "BAR-P12-01"), _EMPTY_CODE),
        **dict.fromkeys(("ADT-A28-01", "ADT-A31-01"), _PERSON),
        **dict.fromkeys(("DFT-P03-01", "DFT-P11-01"),
        "they make a second Procedure of FT1-25; ours is the ChargeItem, once"),
        **dict.fromkeys(("OML-O21-01", "ORM-O01-01", "ORM-O01-03", "ORM-O01-04", "ORM-O01-05", "ORM-O01-06",
        "ORU-R01-01",
                         "RDE-O11-01"), _ORDERS),
    },
    "charge codes": {
        "DFT-P03-01": "FT1-7 has an old diagnosis code and FT1-25 the CPT: ours takes FT1-25 first",
        **dict.fromkeys(("OML-O21-01", "ORM-O01-01", "ORM-O01-03", "ORM-O01-04", "ORM-O01-05", "ORM-O01-06",
        "ORU-R01-01",
                         "RDE-O11-01"), _ORDERS),
    },
    **{
        field: dict.fromkeys(("OML-O21-01", "ORM-O01-01", "ORM-O01-03", "ORM-O01-04", "ORM-O01-05", "ORM-O01-06",
                              "ORU-R01-01", "RDE-O11-01"), _ORDERS)
        for field in ("quantities", "amounts", "service days")
    },
    "mrn": dict.fromkeys(("ADT04-28", "MDHHS-OML-O21-1", "MDHHS-OML-O21-2", "MDM-T02-01", "MDM-T02-03", "ORU-R01-01",
                          "ORU-R01-RMGEAD"), _TYPE_ABSENT),
    "member ids": {
        "ADT01-23": "a blank behind the number is no part of it",
        **dict.fromkeys(("ADT04-28", "MDHHS-OML-O21-1", "MDHHS-OML-O21-2"),
                        "they do not read IN1-36, the policy number"),
    },
    "payers": {"ADT04-23": "they leave out the payer's name of IN1-4"},
    "visit": {
        **dict.fromkeys(("ADT-A28-01", "ADT-A31-01"), _PERSON),
        "ADT04-251": _NO_NUMBER,
        "OML-O21-03": "the visits of prior results are not this patient's visit",
        "SIU-S12-01": "a booking makes no visit until somebody comes",
    },
    "visit start": {
        **dict.fromkeys(("ADT-A28-01", "ADT-A31-01"), _PERSON),
        **dict.fromkeys(("ADT01-28", "MDM-T02-03"), _NO_NUMBER),
        "OML-O21-03": "the visits of prior results are not this patient's visit",
        "SIU-S12-01": "a booking makes no visit until somebody comes",
    },
    "visit end": {
        **dict.fromkeys(("ADT-A04-01", "ADT-A05-01", "ADT-A11-01"), _EXPECTED),
        **dict.fromkeys(("ADT-A28-01", "ADT-A31-01"), _PERSON),
        **dict.fromkeys(("ADT01-28", "MDM-T02-03"), _NO_NUMBER),
        "OML-O21-03": "the visits of prior results are not this patient's visit",
        "SIU-S12-01": "a booking makes no visit until somebody comes",
    },
}  # fmt: skip
# They make no Patient of a merge at all, so that there is nothing to compare.
NOT_COMPARED = {"FHIR-Converter--ADT-A40-01"}


@pytest.mark.parametrize("name", [one for one in compared() if one not in NOT_COMPARED] if FOLDER.is_dir() else [])
def test_what_bills_is_what_another_converter_makes_or_the_difference_is_explained(name: str) -> None:
    made, wanted = ours(name), theirs(name)
    assert made is not None
    different = {field for field in wanted if made[field] != wanted[field]}
    short = name.removeprefix("FHIR-Converter--")
    assert different == {field for field, rows in EXPLAINED.items() if short in rows}


def test_charges_in_orders_and_results_are_named_and_not_lost() -> None:
    file = next(FOLDER.glob("*/FHIR-Converter--ORM-O01-03.hl7"))
    found = map_message(channel(), hl7v2.read(file.read_bytes()), NOW)
    assert isinstance(found, Mapped)
    assert [(one.disposition, one.reason, one.amount_cents) for one in found.charges] == [
        ("rejected", "message-posts-no-charges", 10000), ("rejected", "message-posts-no-charges", 12000),
    ]  # fmt: skip
