"""A FHIR R4 Claim that was submitted -> the draft of a claim. What it lacks, the edits find; nothing is guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fhir_r4 import write
from fhir_r4.elements import code_in, codes_in, has_code, identifier_of, identity, reference_of
from fhir_r4.parties import best_name
from fhir_r4.submission import Submission, cents_of, period_days, serviced
from kernel.codes import CPT, HCPCS, ICD10CM, NDC, NPI, POS, icd10cm_plain, ndc11
from kernel.errors import Refused, Unreadable

from claims_gateway.model import Diagnosis, Draft, Insurance, Line, Sources, Visit
from claims_gateway.wire.visit import (
    Resource,
    payor_of,
    read_insurance,
    read_organization,
    read_person,
    read_practitioner,
    read_subscriber,
)

REQUEST = "Claim"
_RENDERING = frozenset({"primary", "performing", "rendering", ""})
_ORDERING = frozenset({"ordering", "referring", "referrer"})
_STAYS = frozenset({"hospitalized", "admissionperiod"})
_MINUTES = "min"
_NDC_UNITS = frozenset({"UN", "ML", "GR", "ME", "F2"})
_MOST_LINES = 50  # of one professional claim (loop 2400)
_CENT = Decimal("0.01")
# What the 837P of this gateway has no place for: kept with the claim, and said to the sender.
_KEPT_BACK = ("accident", "payee", "prescription", "originalPrescription", "referral", "procedure")


@dataclass(frozen=True, slots=True)
class Submitted:
    """The draft, the authorization number that the claim brings, and the paths that do not go to the payer."""

    draft: Draft
    authorization: str
    kept_back: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Team:
    """NPIs by careTeam.sequence, split by what the member did; `first` stands in where an item names nobody."""

    rendering: Mapping[int, str]
    ordering: Mapping[int, str]
    first: str


def read_submitted(submission: Submission, tenant: str, journey_id: str, trace: str) -> Submitted:
    """Refused: use-not-taken, claim-not-active, claim-type-not-taken, related-claim-not-taken,
    secondary-claim-not-taken. Unreadable with a FHIRPath for what cannot be understood.
    """
    claim = submission.request
    _refuse_foreign(submission)
    focal = _focal(submission)
    visit, sources = _visit(submission, focal)
    encounters = {reference_of(row) for item in _items(claim) for row in item.get("encounter", ())}
    encounter = _encounter(submission, encounters)
    team = _team(submission)
    facility = code_place(submission.at(claim.get("facility")))
    draft = Draft(
        encounter=encounter,
        encounter_key=_key(submission, tenant, encounter),
        journey_id=journey_id,
        version=1,
        trace=trace,
        visit=visit,
        diagnoses=tuple(_diagnoses(submission)),
        lines=tuple(_line(submission, at, item, team, facility) for at, item in enumerate(_items(claim))),
        sources=sources,
        submitter=_submitter(submission),
    )
    _check_total(submission, draft)
    numbers = claim["insurance"][focal].get("preAuthRef") or [""]
    return Submitted(draft, str(numbers[0]), tuple(_kept_back(submission, focal)))


def _items(claim: Resource) -> list[dict[str, Any]]:
    return list(claim.get("item", ()))


def _refuse_foreign(submission: Submission) -> None:
    claim, path = submission.request, submission.path
    kinds = claim.get("type")
    refusals = (
        ("use-not-taken", "use", claim.get("use") != "claim"),
        ("claim-not-active", "status", claim.get("status") != "active"),
        ("claim-type-not-taken", "type", not has_code(kinds, ("professional",))),
        ("related-claim-not-taken", "related", bool(claim.get("related"))),
    )
    for code, element, refused in refusals:
        if refused:
            raise Refused(code, f"{path}.{element}: only new, active, professional claims are taken here")
    if not 1 <= len(_items(claim)) <= _MOST_LINES:
        code = "items-too-many" if _items(claim) else "items-missing"
        raise Unreadable(code, f"{path}.item", f"a professional claim has 1 to {_MOST_LINES} lines")


def _focal(submission: Submission) -> int:
    """The place of the insurance that the claim goes to: the first payer, because no other has paid yet."""
    rows = submission.request.get("insurance", [])
    focal = [at for at, row in enumerate(rows) if row.get("focal")]
    if len(focal) != 1:
        raise Unreadable("insurance-focal", f"{submission.path}.insurance", "exactly one insurance is focal")
    if any(row["sequence"] < rows[focal[0]]["sequence"] for row in rows):
        path = f"{submission.path}.insurance[{focal[0]}].focal"
        raise Refused("secondary-claim-not-taken", f"{path}: a claim to a later payer needs the first one's answer")
    return focal[0]


def _visit(submission: Submission, focal: int) -> tuple[Visit, Sources]:
    claim = submission.request
    patient = submission.needed(claim["patient"], "patient")
    coverages = [
        (row["sequence"], at, submission.needed(row["coverage"], f"insurance[{at}].coverage"))
        for at, row in enumerate(claim["insurance"])
    ]
    coverages.sort(key=lambda row: (row[1] != focal, row[0]))
    insurances = [_insurance(submission, found, sequence) for sequence, _, found in coverages]
    primary = coverages[0][2]
    billing, practitioner = submission.provider(claim["provider"], "provider")
    stay = _stay(submission)
    visit = Visit(
        patient=read_person(patient),
        subscriber=read_subscriber(submission, primary, patient),
        insurance=insurances[0],
        other_insurance=tuple(insurances[1:]),
        billing=read_organization(billing or _as_organization(practitioner)),
        practitioners=tuple(read_practitioner(submission, found) for found in _practitioners(submission)),
        started_on=stay[0] if stay else None,
        ended_on=stay[1] if stay else None,
    )
    payor = payor_of(submission, primary) or submission.at(claim.get("insurer"))
    given = (patient, primary, payor, billing or _as_organization(practitioner))
    return visit, Sources(*(write(dict(found)) if found else b"" for found in given))


def _insurance(submission: Submission, coverage: Resource, sequence: int) -> Insurance:
    found = replace(read_insurance(submission, coverage, sequence), order=sequence)
    if found.payer_id:
        return found
    insurer = submission.at(submission.request.get("insurer"))
    named = read_insurance(submission, dict(coverage) | {"payor": [submission.request.get("insurer") or {}]}, sequence)
    return replace(named, order=sequence) if insurer else found


def _as_organization(practitioner: Resource) -> Resource:
    """A practitioner who bills under the own name."""
    if not practitioner:
        return {}
    name = best_name(practitioner)
    written = " ".join(part for part in (*name.get("given", [])[:1], name.get("family", "")) if part)
    return dict(practitioner) | {"name": written, "type": []}


def _practitioners(submission: Submission) -> Iterator[Resource]:
    claim = submission.request
    members = [(row["provider"], f"careTeam[{at}].provider") for at, row in enumerate(claim.get("careTeam", ()))]
    for reference, path in [*members, (claim["provider"], "provider")]:
        _, practitioner = submission.provider(reference, path)
        if practitioner:
            yield practitioner


def _team(submission: Submission) -> _Team:
    rendering: dict[int, str] = {}
    ordering: dict[int, str] = {}
    for at, row in enumerate(submission.request.get("careTeam", ())):
        organization, practitioner = submission.provider(row["provider"], f"careTeam[{at}].provider")
        npi = identifier_of(practitioner or organization, NPI)
        roles = {coding.get("code", "") for coding in row.get("role", {}).get("coding", ())} or {""}
        if roles & _ORDERING:
            ordering[row["sequence"]] = npi
        elif roles & _RENDERING:
            rendering[row["sequence"]] = npi
    _, alone = submission.provider(submission.request["provider"], "provider")
    return _Team(rendering, ordering, next(iter(rendering.values()), identifier_of(alone, NPI)))


def _encounter(submission: Submission, references: set[str]) -> str:
    """The one visit of the repository that all items name; "" when they name none."""
    if len(references) > 1:
        raise Unreadable("encounter-several", f"{submission.path}.item", "the items of a claim belong to one encounter")
    reference = next(iter(references), "")
    if not reference:
        return ""
    return identity(submission.needed({"reference": reference}, "item[0].encounter[0]"))


def _key(submission: Submission, tenant: str, encounter: str) -> str:
    """What makes a claim one claim: its encounter, else the sender's own identifier for it, else its content."""
    named = encounter or _submitter(submission) or f"{submission.client_id}|{submission.digest}"
    return _opaque("submitted", tenant, named)[:40]


def _submitter(submission: Submission) -> str:
    """The sender and the sender's identifier for the claim; "" for a claim without one."""
    named = next((row for row in submission.request.get("identifier", ()) if row.get("value")), None)
    return _opaque(submission.client_id, str(named.get("system", "")), str(named["value"])) if named else ""


def _opaque(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _stay(submission: Submission) -> tuple[date, date] | None:
    """Admission and discharge (supportingInfo), which an inpatient place of service asks for."""
    for at, row in enumerate(submission.request.get("supportingInfo", ())):
        if has_code(row.get("category"), _STAYS) and "timingPeriod" in row:
            return period_days(row["timingPeriod"], f"{submission.path}.supportingInfo[{at}].timingPeriod")
    return None


def _kept_back(submission: Submission, focal: int) -> Iterator[str]:
    claim, path = submission.request, submission.path
    yield from (f"{path}.{name}" for name in _KEPT_BACK if claim.get(name))
    for at, row in enumerate(claim.get("supportingInfo", ())):
        if not (has_code(row.get("category"), _STAYS) and "timingPeriod" in row):
            yield f"{path}.supportingInfo[{at}]"
    for at in range(1, len(claim["insurance"][focal].get("preAuthRef", ()))):
        yield f"{path}.insurance[{focal}].preAuthRef[{at}]"


def _diagnoses(submission: Submission) -> Iterator[Diagnosis]:
    rows = list(enumerate(submission.request.get("diagnosis", ())))
    for at, row in sorted(rows, key=lambda pair: int(pair[1]["sequence"])):
        condition = submission.needed(row.get("diagnosisReference"), f"diagnosis[{at}].diagnosisReference")
        code = code_in(row.get("diagnosisCodeableConcept") or condition.get("code"), (ICD10CM,))
        if not code:
            raise Unreadable("diagnosis-code", f"{submission.path}.diagnosis[{at}]", "an ICD-10-CM code is needed")
        yield Diagnosis(row["sequence"], icd10cm_plain(code), identity(condition))


def _line(submission: Submission, at: int, item: dict[str, Any], team: _Team, facility: str) -> Line:
    path = f"{submission.path}.item[{at}]"
    days = serviced(item, path) or _billable_day(submission)
    quantity = item.get("quantity") or {}
    ndc, ndc_quantity, ndc_unit = _drug(item, path)
    return Line(
        line_id=hashlib.sha256(f"{submission.client_id}|{submission.digest}|{item['sequence']}".encode()).hexdigest()[
            :32
        ],
        code=code_in(item["productOrService"], (CPT, HCPCS)),
        charge_cents=_charge(item, path),
        units=format(Decimal(quantity.get("value", 1)), "f"),
        unit="MJ" if quantity.get("code") == _MINUTES else "UN",
        modifiers=tuple(_modifiers(item)),
        pointers=tuple(item.get("diagnosisSequence", ())),
        service_from=days[0] if days else None,
        service_to=days[1] if days else None,
        place_of_service=_place(submission, item) or facility,
        rendering_npi=_member(item, team.rendering) or team.first,
        ordering_npi=_member(item, team.ordering),
        ndc=ndc,
        ndc_quantity=ndc_quantity,
        ndc_unit=ndc_unit,
        unit_charge_cents=cents_of(item.get("unitPrice"), f"{path}.unitPrice") or 0,
    )


def _billable_day(submission: Submission) -> tuple[date, date] | None:
    """Claim.billablePeriod says an item's day only when it is one day."""
    days = period_days(submission.request.get("billablePeriod"), f"{submission.path}.billablePeriod")
    return days if days and days[0] == days[1] else None


def _charge(item: dict[str, Any], path: str) -> int:
    """Item.net, which must be unit price times quantity where both are told; without it, that product to the cent."""
    net, price = cents_of(item.get("net"), f"{path}.net"), cents_of(item.get("unitPrice"), f"{path}.unitPrice")
    if price is None:
        return net or 0
    count = Decimal(item.get("quantity", {}).get("value", 1)) * Decimal(item.get("factor", 1))
    product = int((Decimal(price) * count).to_integral_value(ROUND_HALF_UP))
    if net is not None and net != product:
        raise Unreadable("amount-inconsistent", f"{path}.net", "net is not unit price times quantity")
    return product


def _check_total(submission: Submission, draft: Draft) -> None:
    total = cents_of(submission.request.get("total"), f"{submission.path}.total")
    if total is not None and total != draft.total_cents:
        raise Unreadable("total-differs", f"{submission.path}.total", "the total is not the sum of the items")


def _modifiers(item: dict[str, Any]) -> Iterator[str]:
    for concept in item.get("modifier", ()):
        code = next((coding["code"] for coding in concept.get("coding", ()) if coding.get("code")), "")
        if code:
            yield str(code).upper()


def _place(submission: Submission, item: dict[str, Any]) -> str:
    place = code_in(item.get("locationCodeableConcept"), (POS,))
    return place or code_place(submission.at(item.get("locationReference")))


def code_place(location: Resource) -> str:
    """The place of service of a Location; "" when it does not say."""
    return next(codes_in(location.get("type", ()), (POS,)), "")


def _member(item: dict[str, Any], npis: Mapping[int, str]) -> str:
    return next((npis[sequence] for sequence in item.get("careTeamSequence", ()) if npis.get(sequence)), "")


def _drug(item: dict[str, Any], path: str) -> tuple[str, str, str]:
    """(NDC, quantity, unit) of the item's code or of its one detail. A detail of another kind is a line of its own."""
    given = code_in(item["productOrService"], (NDC,))
    quantity: dict[str, Any] = {}
    for at, detail in enumerate(item.get("detail", ())):
        found = code_in(detail["productOrService"], (NDC,))
        if not found or given or detail.get("subDetail"):
            raise Unreadable("detail-not-carried", f"{path}.detail[{at}]", "a detail other than the drug is no line")
        given, quantity = found, detail.get("quantity") or {}
    if not given:
        return "", "", ""
    number = ndc11(given)
    if number is None:
        raise Unreadable("ndc-format", f"{path}.productOrService", "an NDC has eleven digits, or hyphens")
    unit = str(quantity.get("code") or quantity.get("unit") or "").upper()
    amount = format(Decimal(quantity["value"]), "f") if "value" in quantity else ""
    return number, amount, unit if unit in _NDC_UNITS else ""
