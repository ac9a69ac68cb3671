"""Patients whose every field carries a mark, as their EHR tells of them in FHIR and as a feed does in HL7 v2 and CSV.

The members are those whom the simulator's payers know, so that a marked visit goes all the way to its payment. Their
names and numbers are drawn from a seed of this run and count as marks too; every other field carries one of ours.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from canary_marks import Marks
from feed_messages import FeedVisit, adt, dft, export_of
from kernel import codes
from simulator.ehr.table_visits import Visit

Resource = dict[str, Any]
SERVED = datetime.now(UTC).date() - timedelta(days=37)
SSN, LICENCE = "http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.3.48"
LARGE = 300_000  # bytes of a note that make a fact too large for the stream


@dataclass(frozen=True)
class Canary:
    """One marked patient: `key` begins the names of its marks."""

    key: str
    visit: FeedVisit
    marks: Marks

    @classmethod
    def of(cls, key: str, number: int, what: Visit, who: str, marks: Marks) -> Canary:
        """`who` is the payer's letter and the member's last digit, which says what the payer makes of the claim."""
        return cls(key, FeedVisit(number, what, who[0], who[1], "F", SERVED, marks.people_seed), marks)

    def _know(self, **more: str) -> None:
        """What the generator draws for this person is as rare as our own marks."""
        person = self.visit.person
        known = {"member": person.member_id, "last": person.last, **more}
        for field, value in known.items():
            self.marks.known(f"{self.key}.{field}", value)
        self.marks.known_day(f"{self.key}.born", person.birth_date)
        self.marks.known_day("served", SERVED)

    def word(self, field: str) -> str:
        return self.marks.word(f"{self.key}.{field}")

    def number(self, field: str, digits: int) -> str:
        return self.marks.number(f"{self.key}.{field}", digits)

    def email(self) -> str:
        return f"{self.word('e-mail')}@{self.word('e-mail host')}.example"

    def day(self, field: str) -> date:
        return self.marks.day(f"{self.key}.{field}")

    # FHIR

    def bundles(self) -> list[bytes]:
        """The visit's transactions, every resource of them marked."""
        (number,), (visit,) = (_identifiers(self.visit.story.bundles, kind) for kind in ("mrn", "visit"))
        self._know(fhir_mrn=number, fhir_visit=visit)
        return [self._marked(json.loads(one)) for one in self.visit.story.bundles]

    def _marked(self, bundle: Resource) -> bytes:
        for entry in bundle["entry"]:
            resource = entry["resource"]
            if change := CHANGES.get(resource["resourceType"]):
                change(self, resource)
            resource["text"] = {"status": "generated", "div": _div(self.word(f"{resource['resourceType']} narrative"))}
        return json.dumps(bundle).encode()

    @property
    def patient(self) -> Resource:
        """The marked patient as it stands in the bundle."""
        return next(
            entry["resource"]
            for one in self.bundles()
            for entry in json.loads(one)["entry"]
            if entry["resource"]["resourceType"] == "Patient"
        )

    def others(self) -> list[Resource]:
        """Resources that a claim does not need and that say much of a person."""
        subject = {"reference": f"Patient/{self.patient['id']}"}
        return [
            {
                "resourceType": "Appointment",
                "status": "booked",
                "description": self.word("appointment description"),
                "comment": self.word("appointment comment"),
                "patientInstruction": self.word("appointment instruction"),
                "participant": [{"actor": subject, "status": "accepted"}],
                "start": f"{SERVED}T09:00:00Z",
                "end": f"{SERVED}T09:30:00Z",
            },
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "intent": "order",
                "subject": subject,
                "code": {"coding": [{"system": codes.CPT, "code": "70551"}], "text": self.word("order text")},
                "note": [{"text": self.word("order note")}],
                "patientInstruction": self.word("order instruction"),
                "authoredOn": SERVED.isoformat(),
            },
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "subject": subject,
                "description": self.word("document description"),
                "content": [{"attachment": {"contentType": "text/plain", "title": self.word("document title"),
                                            "data": _base64(self.word("document text"))}}],
            },
            {
                "resourceType": "RelatedPerson",
                "patient": subject,
                "name": [{"family": self.word("guarantor family"), "given": [self.word("guarantor given")]}],
                "birthDate": self.day("guarantor born").isoformat(),
                "telecom": [{"system": "phone", "value": self.number("guarantor phone", 10)}],
            },
            {
                "resourceType": "Account",
                "status": "active",
                "identifier": [{"value": self.word("account number")}],
                "name": self.word("account name"),
                "subject": [subject],
            },
        ]  # fmt: skip

    # HL7 v2 and CSV

    def messages(self, local: str = "OV") -> list[bytes]:
        """Check-in, charges, end of the visit, with every field that may say who somebody is."""
        self._know(mrn=self.visit.mrn, visit=self.visit.visit_number)
        made = [adt(self.visit, "A04", 1, "0900"), dft(self.visit, local), adt(self.visit, "A03", 3, "0925")]
        return [self._filled(one, number) for number, one in enumerate(made, 1)]

    def _filled(self, raw: bytes, number: int) -> bytes:
        lines = raw.decode().strip("\r").split("\r")
        filled = [self._line(one) for one in lines]
        last = self.word("insured family")
        extra = [
            f"NK1|1|{self.word('next of kin')}^{self.word('next of kin given')}||{self.word('next of kin street')}"
            f"|{self.number('next of kin phone', 10)}",
            f"GT1|1||{self.word('guarantor')}^{self.word('guarantor given hl7')}||{self.word('guarantor street')}"
            f"|{self.number('guarantor phone hl7', 10)}||{self.day('guarantor born hl7'):%Y%m%d}||||"
            f"{self.number('guarantor ssn', 9)}||||{self.word('employer')}",
            f"NTE|1||{self.word('free note')} {last}",
            f"ZPI|{self.word('own segment')}",
        ]
        control = f"{self.word('control id')}{number}"
        return ("\r".join([*filled, *extra]) + "\r").replace(f"|{self.visit.number}-{number}|", f"|{control}|").encode()

    def _line(self, line: str) -> str:
        return _with(line, self._fields().get(line[:3], {}))

    def _fields(self) -> dict[str, dict[int, str]]:
        person = self.visit.person
        place = person.address
        return {
            "PID": {
                3: f"{self.visit.mrn}^^^CLINIC^MR~{self.word('second mrn')}^^^OTHER^MR",
                5: f"{person.last}^{person.first}^{self.word('middle')}^^{self.word('prefix')}",
                6: self.word("mother's name"),
                9: f"{self.word('alias')}^{self.word('alias given')}",
                11: f"{place.line1}^{self.word('address line')}^{self.word('city')}^{place.state}^{place.postal_code}",
                13: f"{self.number('phone', 10)}^PRN^PH~^NET^Internet^{self.email()}",
                14: self.number("work phone", 10),
                18: self.word("account"),
                19: self.number("ssn", 9),
                20: self.word("licence"),
                23: self.word("birth place"),
            },
            "IN1": {
                8: self.word("group"),
                9: self.word("group name"),
                11: self.word("insured employer"),
                14: self.word("authorization"),
                16: f"{self.word('insured family')}^{self.word('insured given')}",
                18: f"{self.day('insured born'):%Y%m%d}",
                19: self.word("insured street"),
            },
            "PV1": {50: self.word("other visit number")},
            "DG1": {4: self.word("diagnosis text")},
        }

    def export(self) -> bytes:
        """The visit as rows of an export, its numbers and street those of the person."""
        self._know(mrn=self.visit.mrn, visit=self.visit.visit_number)
        return export_of([self.visit])


def _with(line: str, fields: dict[int, str]) -> str:
    parts = line.split("|")
    for number, value in fields.items():
        parts += [""] * (number + 1 - len(parts))
        parts[number] = value
    return "|".join(parts)


def _identifiers(bundles: Sequence[bytes], system: str) -> list[str]:
    found = [
        one["value"]
        for bundle in bundles
        for entry in json.loads(bundle)["entry"]
        for one in entry["resource"].get("identifier", ())
        if str(one.get("system", "")).endswith(f"/{system}")
    ]
    return list(dict.fromkeys(found))


def _div(text: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _mark_patient(one: Canary, resource: Resource) -> None:
    name = resource["name"][0]
    name["given"].append(one.word("second given"))
    name["prefix"], name["suffix"] = [one.word("fhir prefix")], [one.word("fhir suffix")]
    resource["name"].append({"use": "maiden", "family": one.word("maiden name")})
    resource["telecom"] = [
        {"system": "phone", "value": one.number("fhir phone", 10)},
        {"system": "email", "value": one.email()},
    ]
    address = resource["address"][0]
    address["line"].append(one.word("fhir address line"))
    address["city"], address["district"] = one.word("fhir city"), one.word("fhir district")
    resource["identifier"] += [
        {"system": SSN, "value": one.number("fhir ssn", 9)},
        {"system": LICENCE, "value": one.word("fhir licence")},
    ]
    resource["contact"] = [
        {
            "name": {"family": one.word("emergency family"), "given": [one.word("emergency given")]},
            "telecom": [{"system": "phone", "value": one.number("emergency phone", 10)}],
            "address": {"line": [one.word("emergency street")]},
        }
    ]
    resource["maritalStatus"] = {"text": one.word("marital text")}


def _mark_coverage(one: Canary, resource: Resource) -> None:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": "group"}]}
    resource["class"] = [{"type": kind, "value": one.word("fhir group"), "name": one.word("fhir group name")}]
    resource["identifier"].append({"system": "https://ehr.example/policy", "value": one.word("fhir policy")})
    resource["network"] = one.word("fhir network")


def _mark_encounter(one: Canary, resource: Resource) -> None:
    resource["identifier"].append({"system": "https://ehr.example/account", "value": one.word("fhir account")})
    resource["reasonCode"] = [{"text": one.word("visit reason")}]


def _mark_condition(one: Canary, resource: Resource) -> None:
    resource["code"]["text"] = one.word("fhir diagnosis text")
    resource["note"] = [{"text": one.word("fhir diagnosis note")}]
    if one.key == "large":
        resource["note"].append({"text": (one.word("large note") + " ") * (LARGE // 13)})


def _mark_procedure(one: Canary, resource: Resource) -> None:
    resource["note"] = [{"text": one.word("procedure note")}]


def _mark_observation(one: Canary, resource: Resource) -> None:
    resource["note"] = [{"text": one.word("observation note")}]


CHANGES: dict[str, Callable[[Canary, Resource], None]] = {
    "Patient": _mark_patient,
    "Coverage": _mark_coverage,
    "Encounter": _mark_encounter,
    "Condition": _mark_condition,
    "Procedure": _mark_procedure,
    "Observation": _mark_observation,
}
