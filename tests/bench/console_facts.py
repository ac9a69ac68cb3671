"""A year of an invented health system as facts of the journey ledger: the same seed tells the same year.

Nothing here is a person: ids are random digits, payers, feeds and providers are made up. Each journey is told as its
services would tell it, with the waits of the trade (payers answer in days, a few in months), and is cut off at `now`,
so that what is recent is still on its way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

FACT_COLUMNS = (
    "tenant",
    "event_id",
    "journey_id",
    "type",
    "producer",
    "occurred_at",
    "qualifier",
    "reason",
    "detail",
    "trace_id",
    "causation_id",
    "heard_at",
    "folded",
    "remittance_id",
)
FactRow = tuple[Any, ...]
DAYS = 365
FEEDS = ("default", "synthea", "north-clinic", "river-hospital", "lab-orders")
# payer, class, share of the encounters, median days to adjudicate, share denied, share of the charge that is paid
PAYERS = (
    ("PAYA", "medicare", 0.30, 14, 0.06, 0.42),
    ("PAYB", "commercial", 0.22, 18, 0.11, 0.61),
    ("PAYC", "commercial", 0.14, 27, 0.16, 0.55),
    ("PAYD", "medicaid", 0.16, 31, 0.13, 0.31),
    ("PAYE", "commercial", 0.08, 12, 0.05, 0.66),
    ("PAYF", "tricare", 0.05, 22, 0.08, 0.47),
    ("PAYG", "other", 0.05, 45, 0.21, 0.50),
)
PROVIDERS = tuple(str(1_000_000_000 + 97 * number) for number in range(120))
# category, CARC, RARC, how often
DENIALS = (
    ("missing-data", "16", "N290", 0.32),
    ("eligibility", "27", "N30", 0.24),
    ("coding", "97", "M15", 0.17),
    ("documentation", "252", "N706", 0.12),
    ("prior-authorization", "197", "M62", 0.09),
    ("duplicate", "18", "N522", 0.05),
    ("timely-filing", "29", "N211", 0.01),
)
EDITS = ("edit-01", "edit-06", "edit-12", "edit-23", "edit-31")
CODES = ("99213", "99214", "99203", "36415", "80053", "85025", "71046", "93000", "99283", "45378")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NO_TRACE = ("", "")  # of a burst, and of a cause


@dataclass
class Remittance:
    """An 835 as it came in: one for each payer and day, with the claims that were decided on it."""

    remittance_id: str
    payer_id: str
    received_at: datetime
    settlement: str
    claims: int = 0
    zero_paid: int = 0
    paid_cents: int = 0


Remittances = dict[str, Remittance]


@dataclass
class Tale:
    """One journey while it is told: its clock, what every fact of it carries, and the rows so far."""

    chance: Random
    now: datetime
    tenant: str
    journey_id: str
    at: datetime
    payer: tuple[str, str, float, int, float, float]
    gross_cents: int
    shared: dict[str, Any]
    remittances: Remittances
    works: int = 0
    rows: list[FactRow] = field(default_factory=list)

    def hex(self, digits: int) -> str:
        return f"{self.chance.getrandbits(digits * 4):0{digits}x}"

    def wait(self, low_s: float, high_s: float) -> None:
        """Time passes: anything between the two, more often little than much."""
        share = self.chance.random() ** 2
        self.at += timedelta(microseconds=round((low_s + share * (high_s - low_s)) * 1_000_000))

    def days(self, median: float) -> None:
        """A payer's time: log-normal around the median, as adjudication is."""
        self.at += timedelta(seconds=median * DAY * self.chance.lognormvariate(0.0, 0.45))

    def tell(self, event: str, producer: str, qualifier: str = "", reason: str = "", /, **detail: Any) -> None:
        """A fact at this instant, caused by the one before; one that lies after `now` has not happened."""
        if self.at > self.now:
            return
        cause = self.rows[-1][1] if self.rows else ""
        told = {name: value for name, value in (self.shared | detail).items() if value != ""}
        self.rows.append(
            (
                self.tenant,
                self.hex(32),
                self.journey_id,
                event,
                producer,
                self.at,
                qualifier,
                reason,
                json.dumps(told, separators=(",", ":")),
                self.hex(32),
                cause,
                self.at + timedelta(milliseconds=180),
                True,
                told.get("remittance_id", ""),
            )
        )

    def remittance(self) -> Remittance:
        """The payer's next 835, which moves the clock to when it came in."""
        night = self.at.replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.at = night + timedelta(minutes=7 * [row[0] for row in PAYERS].index(self.payer[0]))
        number = f"R{self.payer[0]}{self.at:%Y%m%d}"
        if number not in self.remittances:
            settlement = ("matched", "awaited", "awaited", "none")[self.at.toordinal() % 4]
            self.remittances[number] = Remittance(number, self.payer[0], self.at, settlement)
        return self.remittances[number]

    def work(self, kind: str, reason: str, owner: str, low_s: float, high_s: float, due_days: int = 0) -> None:
        """An item for a person, open for a while; one in twelve is never closed."""
        self.works += 1
        work_id = f"{self.journey_id[:16]}-{self.works}"
        due = "" if not due_days else (self.at + timedelta(days=due_days)).date().isoformat()
        detail = {"work_id": work_id, "kind": kind, "owner": owner, "due_on": due, "dollars_cents": self.gross_cents}
        self.tell("work.opened", "", kind, reason, **detail)
        self.wait(low_s, high_s)
        if self.chance.random() < 1 / 12:
            self.at = self.now + timedelta(days=1)
        self.tell("work.closed", "", kind, work_id=work_id, kind=kind, outcome="resolved")


def begin(tale: Tale) -> None:
    """From the visit to the charges."""
    if tale.chance.random() < 0.12:
        authorize(tale)
    tale.tell("encounter.started", "interface-engine")
    tale.tell("coverage.verified", "eligibility")
    tale.wait(20 * MINUTE, 26 * HOUR)
    tale.tell("encounter.finished", "interface-engine", source=tale.shared["source"])
    tale.wait(0.02, 0.4)
    if tale.chance.random() < 0.05:
        tale.work("coder-review", "edit-06", "coder", 2 * HOUR, 6 * DAY)
    codes = tale.chance.sample(CODES, tale.chance.choice((1, 1, 2, 3)))
    coded = {"provider": tale.chance.choice(PROVIDERS), "codes": codes, "service_on": tale.at.date().isoformat()}
    tale.shared |= {name: coded[name] for name in ("provider", "service_on")}
    tale.tell("encounter.coded", "coding", **coded)
    tale.wait(0.02, 0.3)
    if tale.chance.random() < 0.03:
        tale.work("missing-charge", "no-charge", "coder", 1 * HOUR, 9 * DAY)
    lag = {"late": tale.chance.random() < 0.04, "service_count": len(codes)}
    gross = tale.gross_cents
    tale.tell("charges.captured", "charge-capture", gross_cents=gross, billed_cents=gross, **lag)
    tale.wait(0.02, 0.5)


def authorize(tale: Tale) -> None:
    """An order needs the payer's leave, which takes hours to days."""
    order = f"ServiceRequest/{tale.hex(16)}"
    tale.tell("order.placed", "interface-engine", order=order)
    tale.wait(1 * HOUR, 9 * DAY)
    decision = tale.chance.choices(("approved", "denied", "partial"), weights=(86, 9, 5))[0]
    asked = {"order": order, "decision": decision, "requirement": "required", "payer_id": tale.payer[0]}
    tale.tell("authorization.determined", "prior-auth", decision, **asked, payer_class=tale.payer[1])


def submit(tale: Tale, claim_id: str, responsibility: int = 1) -> None:
    """A claim is built, perhaps held, perhaps rejected once, and accepted by the payer."""
    claim = claim_of(tale, claim_id, responsibility)
    if tale.chance.random() < 0.06:
        edit = tale.chance.choice(EDITS)
        tale.tell("claim.built", "claims-gateway", "held", edit, **claim, edits=[edit])
        tale.work("claim-hold", edit, "biller", 1 * HOUR, 8 * DAY, due_days=90)
        claim |= {"touched": True}
    tale.tell("claim.built", "claims-gateway", "ready", **claim)
    tale.wait(0.05, 2)
    tale.tell("claim.submitted", "claims-gateway", "submitted", **claim)
    tale.wait(5 * MINUTE, 5 * HOUR)
    tale.tell("claim.acknowledged", "claims-gateway", "received", **claim)
    tale.wait(1 * HOUR, 22 * HOUR)
    if tale.chance.random() < 0.035:
        tale.tell("claim.rejected", "claims-gateway", "rejected", "A3", **claim)
        tale.work("rejection", "A3", "biller", 3 * HOUR, 12 * DAY, due_days=60)
        tale.tell("claim.built", "claims-gateway", "ready", **claim | {"touched": True})
        tale.wait(0.05, 2)
        tale.tell("claim.submitted", "claims-gateway", "submitted", **claim)
        tale.wait(2 * HOUR, 30 * HOUR)
    tale.tell("claim.acknowledged", "claims-gateway", "accepted", **claim)


def claim_of(tale: Tale, claim_id: str, responsibility: int) -> dict[str, Any]:
    """What every fact of one claim carries."""
    return {
        "claim_id": claim_id,
        "payer_id": tale.payer[0],
        "payer_class": tale.payer[1],
        "responsibility": responsibility,
        "frequency": "1",
        "billed_cents": tale.gross_cents,
        "open_cents": tale.gross_cents,
        "touched": False,
    }


def pay(tale: Tale, claim_id: str, outcome: str, denied_cents: int = 0) -> None:
    """An 835 comes in and is posted."""
    billed = tale.gross_cents
    paid = round((billed - denied_cents) * tale.payer[5])
    patient = round((billed - denied_cents) * 0.07)
    contractual = billed - denied_cents - paid - patient
    remittance = tale.remittance()
    remittance.claims += 1
    remittance.zero_paid += paid == 0
    remittance.paid_cents += paid
    received = {
        "remittance_id": remittance.remittance_id,
        "received_at": remittance.received_at.isoformat(),
        "settlement": remittance.settlement,
    }
    tale.wait(0.05, 20)
    amounts = {"billed_cents": billed, "paid_cents": paid, "adjusted_cents": contractual, "patient_cents": patient}
    rest = {"contractual_cents": contractual, "open_cents": denied_cents, "patient_open_cents": patient}
    payer = {"claim_id": claim_id, "payer_id": tale.payer[0], "payer_class": tale.payer[1]}
    tale.tell("payment.posted", "remittance", outcome, **payer, **received, **amounts, **rest, by_person=False)


def deny(tale: Tale, claim_id: str) -> None:
    """The payer refuses all or a part; a person appeals, gives up, or has not come to it."""
    category, carc, rarc, _ = tale.chance.choices(DENIALS, weights=[row[3] for row in DENIALS])[0]
    part = tale.chance.choice((1.0, 1.0, 0.4))
    denied = round(tale.gross_cents * part)
    pay(tale, claim_id, "denied" if part == 1.0 else "partly_paid", denied)
    claim = {"claim_id": claim_id, "payer_id": tale.payer[0], "payer_class": tale.payer[1]}
    codes = {"category": category, "carc": [carc], "rarc": [rarc], "codes": [tale.chance.choice(CODES)]}
    due = (tale.at + timedelta(days=120)).date().isoformat()
    denial = claim | codes | {"denied_cents": denied, "due_on": due, "work_id": f"{tale.journey_id[:16]}-d"}
    tale.tell("claim.denied", "remittance", "", category, **denial)
    tale.work("denial", f"carc-{carc}", "payment", 2 * HOUR, 20 * DAY, due_days=120)
    fate = tale.chance.random()
    if fate < 0.45:
        tale.tell("claim.appealed", "remittance", "", category, **denial)
        tale.days(tale.payer[3])
        pay(tale, claim_id, "paid")
    elif fate < 0.75:
        amounts = {"billed_cents": tale.gross_cents, "paid_cents": 0, "adjusted_cents": denied, "patient_cents": 0}
        tale.tell("payment.posted", "remittance", "written_off", **claim, **amounts, open_cents=0, by_person=True)


def finish(tale: Tale, claim_id: str) -> None:
    """What may follow a payment: a second payer, the patient's part, a takeback."""
    chance = tale.chance
    if chance.random() < 0.06:
        second = f"{claim_id[:28]}s"
        submit(tale, second, responsibility=2)
        tale.days(20)
        pay(tale, second, "paid")
    if chance.random() < 0.35:
        tale.wait(1 * DAY, 60 * DAY)
        paid = {"claim_id": claim_id, "payment_id": tale.hex(24), "paid_cents": round(tale.gross_cents * 0.07)}
        tale.tell("patient.paid", "remittance", **paid, patient_open_cents=0, point_of_service=chance.random() < 0.3)
    if chance.random() < 0.012:
        tale.wait(20 * DAY, 120 * DAY)
        back = {"claim_id": claim_id, "payer_id": tale.payer[0], "payer_class": tale.payer[1]}
        zero = {"paid_cents": 0, "adjusted_cents": 0, "patient_cents": 0}
        gross = tale.gross_cents
        tale.tell("payment.reversed", "remittance", "", **back, **zero, billed_cents=gross, open_cents=gross)
        tale.days(15)
        pay(tale, claim_id, "paid")


def tell(tale: Tale) -> None:
    """One encounter from the visit to its end, or to where it stands today."""
    begin(tale)
    claim_id = f"C{tale.hex(30)}"
    submit(tale, claim_id)
    tale.days(tale.payer[3])
    if tale.chance.random() < tale.payer[4]:
        deny(tale, claim_id)
    else:
        pay(tale, claim_id, "paid")
        finish(tale, claim_id)


def make_facts(seed: int, journeys: int, now: datetime, tenant: str) -> Iterator[list[FactRow]]:
    """The rows of each journey, in FACT_COLUMNS' order, and at last those of remittances and deposits."""
    chance = Random(seed)
    remittances: Remittances = {}
    for number in range(journeys):
        payer = chance.choices(PAYERS, weights=[row[2] for row in PAYERS])[0]
        begins = now - timedelta(seconds=chance.uniform(60, DAYS * DAY))
        gross = round(chance.lognormvariate(9.9, 0.9)) + 4_000
        shared = {"encounter": f"Encounter/b{number:07d}", "source": chance.choice(FEEDS)}
        journey_id = f"{chance.getrandbits(128) or 1:032x}"
        tale = Tale(chance, now, tenant, journey_id, begins, payer, gross, shared, remittances)
        tell(tale)
        yield tale.rows
    for remittance in remittances.values():
        yield of_remittance(chance, now, tenant, remittance)


def of_remittance(chance: Random, now: datetime, tenant: str, remittance: Remittance) -> list[FactRow]:
    """Its own fact, and the deposit where the money came later; neither belongs to a journey."""
    told = {"payer_id": remittance.payer_id, "remittance_id": remittance.remittance_id}
    totals = {name: getattr(remittance, name) for name in ("settlement", "claims", "zero_paid", "paid_cents")}
    received = remittance.received_at.isoformat()
    facts = [("remittance.received", remittance.received_at, told | totals | {"unmatched": 0, "received_at": received})]
    if remittance.settlement == "awaited":
        later = remittance.received_at + timedelta(seconds=round(chance.uniform(4 * HOUR, 5 * DAY)))
        deposit = {"deposit_id": f"D{remittance.remittance_id}", "amount_cents": remittance.paid_cents}
        facts.append(("deposit.matched", later, told | deposit))
    return [
        (
            tenant,
            f"{chance.getrandbits(128):032x}",
            "",
            kind,
            "remittance",
            at,
            "",
            "",
            json.dumps(detail),
            *NO_TRACE,
            at,
            True,
            str(detail["remittance_id"]),
        )
        for kind, at, detail in facts
        if at <= now
    ]
