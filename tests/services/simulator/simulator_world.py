"""Claims, inquiries and a memory for the tests of the outside world."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from kernel.period import Period
from simulator.adjudicate import Case
from simulator.model import Authorization
from simulator.people import find_person, member_id
from simulator.rules.load import load_payers
from x12.views.claim import BillingProvider, Claim837, ClaimLine, Coverage, Receiver, Submitter
from x12.views.eligibility import EligibilityInquiry, build_270
from x12.views.envelope import Envelope
from x12.views.parties import Address, Contact, Diagnosis, Member, Payer, Provider

RULES = load_payers()
TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
MAILBOX = "THROUGHLINE"
CLINIC = BillingProvider(
    npi="1999901014",
    tax_id="990000101",
    name="SYNTHETIC CLINIC NORTH",
    address=Address("101 Fixture Avenue", "Austin", "TX", "787010101"),
)
DOCTOR = Provider("1999910122", "Example-North-2", "Doctor")


def a_member(letter: str = "A", digit: str = "0", index: int = 1, gender: str = "F", lapsed: bool = False) -> Member:
    person = find_person(member_id(letter, 7, index, gender=gender, digit=digit, lapsed=lapsed), letter)
    assert person is not None
    return person.as_member()


def a_line(code: str = "99213", cents: int = 15500, **more: object) -> ClaimLine:
    values: dict[str, object] = {"units": "1", "date_from": TODAY, "pointers": (1,), "line_control": f"L{code}"}
    return ClaimLine(code=code, charge_cents=cents, **(values | more))  # type: ignore[arg-type]


def a_claim(*lines: ClaimLine, letter: str = "A", digit: str = "0", control: str = "B0001", **more: object) -> Claim837:
    payer = RULES.payers[f"SYNP{letter}"]
    lines = lines or (a_line(),)
    values: dict[str, object] = {
        "control_number": control,
        "total_cents": sum(line.charge_cents for line in lines),
        "place_of_service": "11",
        "submitter": Submitter(id=MAILBOX, name="SYNTHETIC BILLING", contact=Contact("BILLING", "5125550111")),
        "receiver": Receiver(id="SYNCLEAR", name="SYNTHETIC CLEARINGHOUSE"),
        "billing": CLINIC,
        "subscriber": a_member(letter, digit),
        "payer": Payer(payer.id, payer.name.upper()),
        "diagnoses": (Diagnosis("I10"),),
        "lines": tuple(lines),
        "coverage": Coverage(filing_indicator=payer.filing_indicator),
        "rendering": DOCTOR,
    }
    return Claim837(**(values | more))  # type: ignore[arg-type]


def an_envelope(number: int = 1) -> Envelope:
    return Envelope(sender_id=MAILBOX, receiver_id="SYNCLEAR", control_number=number, group_control=number, created=NOW)


def a_question(number: int = 1) -> str:
    inquiry = EligibilityInquiry(
        payer_id="SYNPA",
        payer_name="SYNTHETIC PAYER A",
        provider_npi=CLINIC.npi,
        provider_name=CLINIC.name,
        subscriber=a_member(),
        trace_number=f"T{number}",
        service_date=TODAY,
    )
    return build_270(inquiry, an_envelope(number))


@dataclass
class Memory:
    """A payer's memory in plain dictionaries."""

    authorizations: dict[str, Authorization] = field(default_factory=dict)
    services: dict[tuple[str, str, str], str] = field(default_factory=dict)
    deductible: int = 0
    times: int = 0

    def authorization(self, number: str) -> Authorization | None:
        return self.authorizations.get(number)

    def paid_under(self, payer_id: str, member_id: str, service: str) -> str | None:
        return self.services.get((payer_id, member_id, service))

    def deductible_used_cents(self, payer_id: str, member_id: str, year: int) -> int:
        return self.deductible

    def asked(self, payer_id: str, member_id: str, code: str) -> int:
        self.times += 1
        return self.times

    def granted(self, payer_id: str, member_id: str, code: str, on: date) -> Authorization | None:
        key = (payer_id, member_id, code)
        found = (a for a in self.authorizations.values() if (a.payer_id, a.member_id, a.code) == key)
        return next((a for a in found if a.valid.contains(on)), None)

    def grant(self, payer_id: str, member_id: str, code: str, valid: Period) -> Authorization:
        given = Authorization(f"AUTH{len(self.authorizations) + 1:08d}", payer_id, member_id, code, valid)
        self.authorizations[given.number] = given
        return given


def a_case(claim: Claim837, memory: Memory | None = None, received: date = TODAY) -> Case:
    return Case(claim, RULES.payers[claim.payer.id], RULES, received, memory or Memory())


__all__ = [
    "CLINIC", "DOCTOR", "MAILBOX", "NOW", "RULES", "TODAY", "Memory",
    "a_case", "a_claim", "a_line", "a_member", "a_question", "an_envelope",
]  # fmt: skip
