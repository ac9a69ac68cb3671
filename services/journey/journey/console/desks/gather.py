"""What belongs to a work item, gathered from the services that own it; one that is away leaves a gap that says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from kernel.codes import LINE
from kernel.errors import Refused, Unreadable
from rcm.charge.v1 import charge_pb2
from rcm.claims.v1 import claims_pb2
from rcm.coding.v1 import coding_pb2
from rcm.engine.v1 import messages_pb2, persons_pb2
from rcm.remittance.v1 import remittance_pb2

from journey.console.desks.clients import Away, Owners

MESSAGE_ID = f"{LINE}/identifier/message"
PATIENT_PAIR = f"{LINE}/identifier/patient-pair"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What a service said, or in words why it said nothing. `away` names the service that did not answer."""

    value: T | None = None
    problem: str = ""
    away: str = ""


NOTHING: Part[Any] = Part()


async def part_of(asked: Awaitable[T]) -> Part[T]:
    """The answer as a part of a page: an error becomes its words."""
    try:
        return Part(await asked)
    except Away as error:
        return Part(problem=error.reason, away=error.service)
    except (Refused, Unreadable) as error:
        return Part(problem=error.reason)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a work item is about, as its FHIR Task says: references, and the identifiers that some kinds bring."""

    focus: str = ""
    patient: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, type_name: str) -> str:
        """The id of the focus when it is of this type, else an empty text."""
        kind, _, id = self.focus.partition("/")
        return id if kind == type_name else ""

    @property
    def pair(self) -> tuple[str, str]:
        """The two Patients that may be one."""
        first, _, second = self.identifiers.get(PATIENT_PAIR, "").partition("|")
        return first, second


def subject_of(task: bytes) -> Subject:
    """Read from the Task's JSON; what is not there is empty."""
    found = json.loads(task)
    return Subject(
        focus=str((found.get("focus") or {}).get("reference", "")),
        patient=str((found.get("for") or {}).get("reference", "")),
        identifiers={
            str(one.get("system", "")): str(one.get("value", "")) for one in found.get("identifier") or () if one
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that a work item's page shows besides the item itself."""

    subject: Part[Subject] = NOTHING
    review: Part[coding_pb2.Review | None] = NOTHING
    missing: Part[charge_pb2.MissingCharge | None] = NOTHING
    claim: Part[claims_pb2.GetClaimResponse] = NOTHING
    claims: Part[claims_pb2.ListClaimsResponse] = NOTHING
    denial: Part[remittance_pb2.GetDenialResponse] = NOTHING
    message: Part[messages_pb2.GetMessageResponse] = NOTHING
    patients: tuple[Part[persons_pb2.GetPersonResponse], ...] = ()

    @property
    def away(self) -> list[str]:
        """The services that did not answer, each once."""
        parts: tuple[Part[Any], ...] = (
            self.subject,
            self.review,
            self.missing,
            self.claim,
            self.claims,
            self.denial,
            self.message,
        )
        return list(dict.fromkeys(part.away for part in (*parts, *self.patients) if part.away))


@dataclass(frozen=True, slots=True)
class About:
    """The work item as gathering needs it."""

    work_id: str
    journey_id: str
    claim_id: str


Gather = Callable[[Owners, About], Awaitable[Gathered]]


async def gather(owners: Owners, kind: str, about: About) -> Gathered:
    """What belongs to this kind of work."""
    return await GATHERERS.get(kind, _subject_alone)(owners, about)


async def _subject(owners: Owners, about: About) -> Part[Subject]:
    async def asked() -> Subject:
        return subject_of(await owners.resource(f"Task/{about.work_id}"))

    return await part_of(asked())


async def _subject_alone(owners: Owners, about: About) -> Gathered:
    return Gathered(subject=await _subject(owners, about))


async def _of_review(owners: Owners, about: About) -> Gathered:
    return Gathered(review=await part_of(owners.review(about.work_id)))


async def _of_missing(owners: Owners, about: About) -> Gathered:
    return Gathered(missing=await part_of(owners.missing_charge(about.work_id)))


async def _of_late(owners: Owners, about: About) -> Gathered:
    """Coding and charge capture both know late charges; the item is one of theirs."""
    review, missing = await asyncio.gather(
        part_of(owners.review(about.work_id)), part_of(owners.missing_charge(about.work_id))
    )
    return Gathered(review=review, missing=missing)


async def _of_claim(owners: Owners, about: About) -> Gathered:
    subject = await _subject(owners, about)
    claim_id = (subject.value.id_of("Claim") if subject.value else "") or about.claim_id
    if not claim_id:
        return Gathered(subject=subject)
    return Gathered(subject=subject, claim=await part_of(owners.claim(claim_id, masked=False)))


async def _of_denial(owners: Owners, about: About) -> Gathered:
    denial = await part_of(owners.denial(about.work_id))
    claim_id = (denial.value.denial.claim_id if denial.value else "") or about.claim_id
    claim = await part_of(owners.claim(claim_id, masked=False)) if claim_id else NOTHING
    return Gathered(denial=denial, claim=claim)


async def _of_need(owners: Owners, about: About) -> Gathered:
    """A gap that is closed elsewhere: the claims that it holds up are worth a look."""
    request = claims_pb2.ListClaimsRequest(journey_id=about.journey_id, limit=10)
    asked = part_of(owners.claims(request)) if about.journey_id else _none()
    subject, claims = await asyncio.gather(_subject(owners, about), asked)
    return Gathered(subject=subject, claims=claims)


async def _none() -> Part[Any]:
    return NOTHING


async def _of_message(owners: Owners, about: About) -> Gathered:
    subject = await _subject(owners, about)
    message_id = subject.value.identifiers.get(MESSAGE_ID, "") if subject.value else ""
    if not message_id:
        return Gathered(subject=subject)
    return Gathered(subject=subject, message=await part_of(owners.message(message_id)))


async def _of_pair(owners: Owners, about: About) -> Gathered:
    subject = await _subject(owners, about)
    pair = subject.value.pair if subject.value else ("", "")
    found = await asyncio.gather(*(part_of(owners.person(one)) for one in pair if one))
    return Gathered(subject=subject, patients=tuple(found))


GATHERERS: Mapping[str, Gather] = {
    "coder-review": _of_review,
    "unmapped-code": _of_review,
    "late-charge": _of_late,
    "missing-charge": _of_missing,
    "claim-hold": _of_claim,
    "rejection": _of_claim,
    "underpayment": _of_claim,
    "denial": _of_denial,
    "coverage-gap": _of_need,
    "authorization-needed": _of_need,
    "message-failed": _of_message,
    "duplicate-patient": _of_pair,
}
