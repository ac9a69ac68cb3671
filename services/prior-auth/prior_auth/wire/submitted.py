"""A Claim that was submitted for preauthorization, alone or as a Da Vinci PAS Bundle -> one order for each item."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fhir_r4 import Resource
from fhir_r4.elements import code_in, codes_in, has_code, identity
from fhir_r4.parties import read_members, read_payer_id
from fhir_r4.submission import Submission, full_day, period_days, serviced
from kernel.codes import CPT, HCPCS, ICD10CM, POS, icd10cm_plain, is_procedure_code
from kernel.errors import Refused, Unreadable

from prior_auth.model import Order, Payers, SubmittedItem, SubmittedRequest
from prior_auth.wire.resources import Parties, member_key, obstacle_of, read_requester, subject_key

REQUEST = "Claim"
PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition"
_REQUESTS = uuid.UUID("b1d9b0ad-7a44-5a2b-8d0c-13f7c7f6a0c4")
_MOST_ITEMS = 25
_LACKS_CODE = "service-code-missing"
_URGENT_LEVELS = frozenset({"U", "03"})


@dataclass(frozen=True, slots=True)
class Submitted:
    """The items in the sender's order, and what the request is kept and found by."""

    request_id: str
    items: tuple[SubmittedItem, ...]
    subject_key: str
    member_key: str


def read_submitted(submission: Submission, tenant: str, payers: Payers, window_days: int) -> Submitted:
    """Refused: use-not-taken, claim-not-active, related-claim-not-taken. Unreadable with a FHIRPath.

    The ids are derived from sender and content, so that the same request names the same authorizations.
    """
    claim, path = submission.request, submission.path
    _refuse_foreign(submission)
    parties = _parties(submission)
    subscriber, dependent = read_members(parties.patient, parties.coverage)
    payer_id = read_payer_id(parties.payor, parties.coverage, payers)
    member = member_key(payer_id, subscriber, dependent)
    ours = subject_key(parties.patient, parties.coverage)
    request_id = str(uuid.uuid5(_REQUESTS, f"{tenant}|{submission.client_id}|{submission.digest}"))
    subject = (member or ours) if submission.bundle else ours
    shared: dict[str, Any] = {
        "subject_key": subject,
        "patient": identity(parties.patient),
        "coverage": identity(parties.coverage),
        "payer_id": payer_id,
        "subscriber": subscriber,
        "dependent": dependent,
        "urgent": _urgent(claim),
    }
    read = _Reader(submission, parties, payers, request_id, shared, window_days, _diagnoses(submission))
    items = tuple(SubmittedItem(item["sequence"], read.order(at, item)) for at, item in enumerate(claim["item"]))
    if len({item.sequence for item in items}) != len(items):
        raise Unreadable("item-sequence", f"{path}.item", "two items share a sequence")
    return Submitted(request_id, items, subject, member)


def _refuse_foreign(submission: Submission) -> None:
    claim, path = submission.request, submission.path
    refusals = (
        ("use-not-taken", "use", claim.get("use") != "preauthorization"),
        ("claim-not-active", "status", claim.get("status") != "active"),
        ("related-claim-not-taken", "related", bool(claim.get("related"))),
    )
    for code, element, refused in refusals:
        if refused:
            raise Refused(code, f"{path}.{element}: only new and active preauthorization requests are taken here")
    count = len(claim.get("item", ()))
    if not 1 <= count <= _MOST_ITEMS:
        code = "items-too-many" if count else "items-missing"
        raise Unreadable(code, f"{path}.item", f"a request has 1 to {_MOST_ITEMS} items")


def _parties(submission: Submission) -> Parties:
    claim = submission.request
    rows = list(enumerate(claim.get("insurance", ())))
    focal = [(at, row) for at, row in rows if row.get("focal")] or rows
    if len(focal) != 1:
        raise Unreadable("insurance-focal", f"{submission.path}.insurance", "exactly one insurance is focal")
    at, row = focal[0]
    coverage = submission.coverage(row["coverage"], f"insurance[{at}].coverage")
    organization, practitioner = submission.provider(claim["provider"], "provider")
    return Parties(
        patient=submission.needed(claim["patient"], "patient"),
        coverage=coverage,
        payor=submission.payor(coverage),
        provider=organization,
        requester=practitioner or next(_care_team(submission), {}),
    )


def _care_team(submission: Submission) -> Iterator[Resource]:
    for at, row in enumerate(submission.request.get("careTeam", ())):
        _, practitioner = submission.provider(row["provider"], f"careTeam[{at}].provider")
        if practitioner:
            yield practitioner


def _urgent(claim: Resource) -> bool:
    levels = codes_with(claim, "extension-levelOfServiceCode")
    return has_code(claim.get("priority"), ("stat",)) or bool(_URGENT_LEVELS.intersection(levels))


def codes_with(element: Mapping[str, Any], extension: str) -> list[str]:
    """The codes of a PAS extension whose value is a CodeableConcept."""
    values = [
        one.get("valueCodeableConcept") for one in element.get("extension", ()) if one["url"] == f"{PAS}/{extension}"
    ]
    return [coding["code"] for value in values for coding in (value or {}).get("coding", ()) if "code" in coding]


def _diagnoses(submission: Submission) -> dict[int, str]:
    """ICD-10-CM without the point, by Claim.diagnosis.sequence."""
    found: dict[int, str] = {}
    for at, row in enumerate(submission.request.get("diagnosis", ())):
        condition = submission.needed(row.get("diagnosisReference"), f"diagnosis[{at}].diagnosisReference")
        code = code_in(row.get("diagnosisCodeableConcept") or condition.get("code"), (ICD10CM,))
        if not code:
            raise Unreadable("diagnosis-code", f"{submission.path}.diagnosis[{at}]", "an ICD-10-CM code is needed")
        found[row["sequence"]] = icd10cm_plain(code)
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads items of one request; `shared` is what all of their orders have in common."""

    submission: Submission
    parties: Parties
    payers: Payers
    request_id: str
    shared: Mapping[str, Any]
    window_days: int
    diagnoses: Mapping[int, str]

    def order(self, at: int, item: Resource) -> Order:
        path = f"{self.submission.path}.item[{at}]"
        on, until = self._days(item, path)
        row = self.payers.get(self.shared["payer_id"])
        known = row is not None and row.in_force(on)
        npi, name = read_requester(self.parties)
        code = next(filter(is_procedure_code, codes_in((item["productOrService"],), (CPT, HCPCS))), "")
        obstacle = obstacle_of(self.parties, known, self.shared["subscriber"], npi)
        pointed = item.get("diagnosisSequence") or sorted(self.diagnoses)
        requested = self._requested(item)
        return Order(
            authorization_id=str(uuid.uuid5(_REQUESTS, f"{self.request_id}|{item['sequence']}")),
            request_id=self.request_id,
            order=identity(requested) or f"{REQUEST}/{self.request_id}",
            encounter=self._encounter(item),
            on=on,
            until=until,
            code=code,
            payer_name=row.name if row is not None else "",
            requester_npi=npi,
            requester_name=name,
            units=_units(item),
            diagnoses=tuple(dict.fromkeys(self.diagnoses[one] for one in pointed if one in self.diagnoses)),
            place_of_service=code_in(item.get("locationCodeableConcept"), (POS,)),
            obstacle=obstacle or ("" if code else _LACKS_CODE),
            **self.shared,
        )

    def _days(self, item: Resource, path: str) -> tuple[date, date]:
        """The item's own days, else the claim's, else a window from the day of the request."""
        claim, whole = self.submission.request, self.submission.path
        days = serviced(item, path) or period_days(claim.get("billablePeriod"), f"{whole}.billablePeriod")
        if days:
            return days
        on = full_day(str(claim["created"]), f"{whole}.created")
        return on, on + timedelta(days=self.window_days)

    def _requested(self, item: Resource) -> Resource:
        """The order of the repository that the item is for; what came in a Bundle is no order of ours."""
        url = f"{PAS}/extension-requestedService"
        named = [one.get("valueReference") for one in item.get("extension", ()) if one["url"] == url]
        return self.submission.at(named[0]) if named and not self.submission.bundle else {}

    def _encounter(self, item: Resource) -> str:
        return identity(self.submission.at(next(iter(item.get("encounter", ())), None)))


def _units(item: Resource) -> str:
    value = (item.get("quantity") or {}).get("value", 1)
    return format(Decimal(value), "f") if value > 0 else "1"


def kept(submission: Submission, submitted: Submitted, resource: bytes, context: bytes) -> SubmittedRequest:
    """The request as it is stored for $inquire."""
    return SubmittedRequest(
        request_id=submitted.request_id,
        client_id=submission.client_id,
        subject_key=submitted.subject_key,
        member_key=submitted.member_key,
        identifiers=identifiers_of(submission.request),
        codes=codes_of(submission.request),
        resource=resource,
        context=context,
    )


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Whose requests are asked about, and what narrows them: an empty criterion narrows nothing."""

    subject_key: str
    member_key: str
    identifiers: tuple[str, ...]
    codes: tuple[str, ...]
    numbers: tuple[str, ...]

    def matches(self, request: SubmittedRequest, numbers: set[str]) -> bool:
        """Every criterion that is given must meet: identifier, procedure code, authorization number."""
        pairs = ((self.identifiers, request.identifiers), (self.codes, request.codes), (self.numbers, numbers))
        return all(not asked or set(asked) & set(known) for asked, known in pairs)


def read_inquiry(submission: Submission, payers: Payers) -> Inquiry:
    """Refused: use-not-taken. Unreadable with a FHIRPath."""
    claim = submission.request
    if claim.get("use") != "preauthorization":
        raise Refused("use-not-taken", f"{submission.path}.use: only preauthorizations are inquired about here")
    parties = _parties(submission)
    payer_id = read_payer_id(parties.payor, parties.coverage, payers)
    member = member_key(payer_id, *read_members(parties.patient, parties.coverage))
    ours = subject_key(parties.patient, parties.coverage)
    return Inquiry(ours, member, identifiers_of(claim), codes_of(claim), numbers_of(claim))


def identifiers_of(claim: Resource) -> tuple[str, ...]:
    named = (one for one in claim.get("identifier", ()) if one.get("value"))
    return tuple(f"{one.get('system', '')}|{one['value']}" for one in named)


def codes_of(claim: Resource) -> tuple[str, ...]:
    """The procedure codes of the items."""
    return tuple(dict.fromkeys(codes_in((item["productOrService"] for item in claim.get("item", ())), (CPT, HCPCS))))


def numbers_of(claim: Resource) -> tuple[str, ...]:
    """The authorization numbers that an inquiry names."""
    return tuple(str(number) for row in claim.get("insurance", ()) for number in row.get("preAuthRef", ()))
