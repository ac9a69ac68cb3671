"""Journeys for the tests and pictures of the console: one of each kind that the line knows, made from facts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from console_under_test import facts_of
from journey.model import Fact

PAYERS = (("PAYER-A", "medicare"), ("PAYER-B", "commercial"), ("PAYER-C", "medicaid"), ("PAYER-D", "commercial"))
PROVIDERS = ("1000000004", "1000000012", "1000000020")
FEEDS = ("north", "south")
DENIALS = (
    ("authorization", "197"),
    ("coding", "11"),
    ("eligibility", "27"),
    ("missing-data", "16"),
    ("duplicate", "18"),
)
DAY = timedelta(days=1)
Row = tuple[Any, ...]


def journey_id(number: int) -> str:
    """32 hex digits, the same for the same number."""
    return f"{number:08x}" * 4


def trace_id(number: int, burst: int) -> str:
    """The trace of a burst."""
    return f"{number:016x}{burst:016x}"


class Sample:
    """One encounter: its amounts and parties, and the facts that its way is made of."""

    def __init__(self, number: int, begin: datetime) -> None:
        chance = random.Random(number)
        self.number = number
        self.begin = begin
        self.payer, self.payer_class = PAYERS[number % len(PAYERS)]
        self.provider = PROVIDERS[number % len(PROVIDERS)]
        self.feed = FEEDS[number % len(FEEDS)]
        self.cents = chance.randrange(8_000, 480_000)
        self.claim = f"claim-{number:06}"
        self.lag = DAY * chance.uniform(6, 24)
        self.denial = DENIALS[chance.randrange(len(DENIALS))]

    def told(self, **more: Any) -> dict[str, Any]:
        """What most facts tell."""
        given = {
            "encounter": f"Encounter/{self.number}",
            "source": self.feed,
            "provider": self.provider,
            "service_on": self.begin.date().isoformat(),
        }
        return {**given, **more}

    def of_claim(self, **more: Any) -> dict[str, Any]:
        """What facts of the claim tell."""
        about = {"claim_id": self.claim, "payer_id": self.payer, "payer_class": self.payer_class, "responsibility": 1}
        return self.told(**about, billed_cents=self.cents, open_cents=self.cents, **more)

    def charges(self) -> list[Row]:
        """From the visit to its charges, in one burst of a few hundred milliseconds."""
        trace = {"trace_id": trace_id(self.number, 1)}
        return [
            ("encounter.started", "", 0, self.told()),
            ("encounter.finished", "", 2400, self.told(**trace)),
            ("encounter.coded", "", 2400.083, self.told(**trace)),
            ("charges.captured", "", 2400.151, self.told(gross_cents=self.cents, billed_cents=self.cents, **trace)),
        ]

    def sent(self, after: float = 2400.2) -> list[Row]:
        """Built, submitted, acknowledged."""
        trace = {"trace_id": trace_id(self.number, 1)}
        return [
            ("claim.built", "ready", after, self.of_claim(**trace)),
            ("claim.submitted", "submitted", after + 0.09, self.of_claim(**trace)),
            ("claim.acknowledged", "received", after + 41, self.of_claim(trace_id=trace_id(self.number, 2))),
            ("claim.acknowledged", "accepted", after + 5400, self.of_claim(trace_id=trace_id(self.number, 2))),
        ]

    def paid(self, after: timedelta, share: float = 0.62, qualifier: str = "paid", patient: float = 0.0) -> Row:
        """An 835 posted: what is paid, adjusted, the patient's, and open."""
        paid, owed = int(self.cents * share), int(self.cents * patient)
        money = {"paid_cents": paid, "patient_cents": owed, "patient_open_cents": owed, "open_cents": 0}
        money["adjusted_cents"] = money["contractual_cents"] = self.cents - paid - owed
        received = self.begin + after - timedelta(seconds=3)
        about = {"remittance_id": f"remit-{self.number:06}", "received_at": received.isoformat(), "settlement": "none"}
        told = {**self.of_claim(), **money, **about, "by_person": False, "trace_id": trace_id(self.number, 3)}
        return ("payment.posted", qualifier, after, told)

    def denied(self, after: timedelta) -> list[Row]:
        """An 835 that pays nothing, and the denial in it."""
        category, carc = self.denial
        nothing = {"paid_cents": 0, "patient_cents": 0, "adjusted_cents": 0, "open_cents": self.cents}
        received = (self.begin + after - timedelta(seconds=2)).isoformat()
        posted = {**self.of_claim(), **nothing, "remittance_id": f"remit-d-{self.number:06}", "received_at": received}
        denial = {"work_id": f"work-{self.number:06}", "category": category, "carc": [carc], "rarc": []}
        due = (self.begin + after + 120 * DAY).date().isoformat()
        denial |= {"denied_cents": self.cents, "due_on": due, "codes": ["99213"]}
        return [
            ("payment.posted", "denied", after, posted),
            (
                "claim.denied",
                "denied",
                after + timedelta(milliseconds=12),
                {**self.of_claim(), **denial, "reason": category},
            ),
        ]


def _clean(one: Sample) -> list[Row]:
    return [*one.charges(), *one.sent(), one.paid(one.lag)]


def _open(one: Sample) -> list[Row]:
    return [*one.charges(), *one.sent()]


def _patient(one: Sample) -> list[Row]:
    return [*one.charges(), *one.sent(), one.paid(one.lag, 0.5, "partly_paid", 0.2)]


def _rejected(one: Sample) -> list[Row]:
    rejected = ("claim.rejected", "rejected", 9000, one.of_claim(reason="A7-562"))
    return [*one.charges(), *one.sent()[:3], rejected, *one.sent(9000 + 86400 * 1.4), one.paid(one.lag + 3 * DAY)]


def _appealed(one: Sample) -> list[Row]:
    appeal = (
        "claim.appealed",
        "",
        one.lag + 2.2 * DAY,
        one.of_claim(work_id=f"work-{one.number:06}", reason=one.denial[0]),
    )
    return [*one.charges(), *one.sent(), *one.denied(one.lag), appeal, one.paid(one.lag + 16 * DAY, 0.55)]


def _denied(one: Sample) -> list[Row]:
    return [*one.charges(), *one.sent(), *one.denied(one.lag)]


def _reviewed(one: Sample) -> list[Row]:
    work = {"work_id": f"work-r-{one.number:06}", "owner": "coder", "dollars_cents": 0, "kind": "coder-review"}
    return [*one.charges()[:2], ("work.opened", "coder-review", 2400.4, one.told(**work, reason="em-undercoded"))]


def _held(one: Sample) -> list[Row]:
    work = {"work_id": f"work-h-{one.number:06}", "owner": "biller", "dollars_cents": one.cents, "kind": "claim-hold"}
    return [
        *one.charges(),
        ("claim.built", "held", 2400.3, one.of_claim(reason="authorization-missing", edits=["AUTH-1"])),
        ("claim.held", "held", 2400.31, one.of_claim(reason="authorization-missing")),
        ("work.opened", "claim-hold", 2400.32, {**one.of_claim(**work), "reason": "authorization-missing"}),
    ]


def _taken_back(one: Sample) -> list[Row]:
    back = {**one.of_claim(), "paid_cents": 0, "adjusted_cents": 0, "patient_cents": 0}
    reversed_ = ("payment.reversed", "", one.lag + 20 * DAY, back)
    return [*_clean(one), reversed_, one.paid(one.lag + 20 * DAY + timedelta(seconds=4), 0.48)]


WAYS = (
    _clean,
    _clean,
    _open,
    _clean,
    _rejected,
    _patient,
    _denied,
    _clean,
    _appealed,
    _clean,
    _held,
    _reviewed,
    _taken_back,
)
# Kind -> the least number of a journey of that kind.
KINDS = {way.__name__[1:]: place or len(WAYS) for place, way in reversed(list(enumerate(WAYS)))}


def sample_facts(count: int, now: datetime, over: timedelta = 80 * DAY) -> Iterator[Fact]:
    """Facts of so many journeys, the last one begun an hour ago, told only as far as time has come."""
    for number in range(1, count + 1):
        begin = now - timedelta(hours=1) - over * (count - number) / max(1, count)
        one = Sample(number, begin)
        rows = WAYS[number % len(WAYS)](one)
        for fact in facts_of(journey_id(number), begin, rows):
            if fact.occurred_at <= now:
                yield fact
