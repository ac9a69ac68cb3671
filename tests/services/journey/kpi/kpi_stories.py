"""Facts to tell the KPIs: a journey as it should go, with what can go wrong, and random histories of any kind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bus import Database
from hypothesis import strategies as st
from journey import kpi, store
from journey.handlers import fold_journeys
from journey.kpi import sql
from journey.kpi.model import Basis, Total
from journey.kpi.refresh import total
from journey.kpi.store import project_strays
from journey.kpi.table_formulas import BY_NAME
from journey.model import Fact

AS_OF = datetime(2026, 7, 1, 12, tzinfo=UTC)
PROJECTION = kpi.projection()


def ago(days: float = 0, *, hours: float = 0, minutes: float = 0) -> datetime:
    """An instant before AS_OF."""
    return AS_OF - timedelta(days=days, hours=hours, minutes=minutes)


@dataclass(slots=True)
class Story:
    """Tells facts of one journey, one after another."""

    journey_id: str
    claim_id: str = ""
    facts: list[Fact] = field(default_factory=list)

    def tell(self, type_: str, at: datetime, qualifier: str = "", reason: str = "", **detail: Any) -> Fact:
        """One more fact; facts about claims name this story's claim unless they say otherwise."""
        if type_.startswith(("claim.", "payment.", "patient.")):
            detail = {"claim_id": self.claim_id or f"claim-{self.journey_id}"} | detail
        event_id = f"{self.journey_id or self.claim_id}-{len(self.facts):03d}"
        fact = Fact(event_id, self.journey_id, type_, "", at, qualifier, reason, detail)
        self.facts.append(fact)
        return fact


def good_journey(number: int, at: datetime, cents: int = 10_000, payer: str = "payer-1") -> Story:
    """From the visit to the payer's money: 60 % paid, 30 % contractual, 10 % for the patient. A day for each step."""
    told = Story(f"{number:032x}")
    day, who = timedelta(days=1), {"payer_id": payer, "payer_class": "commercial", "provider": "1234567893"}
    told.tell("encounter.finished", at, source="feed-a")
    told.tell("encounter.coded", at + day, service_on=at.date().isoformat())
    told.tell("charges.captured", at + 2 * day, gross_cents=cents)
    told.tell("claim.built", at + 3 * day, "ready", "clean", billed_cents=cents, responsibility=1, **who)
    told.tell("claim.submitted", at + 4 * day, "submitted", billed_cents=cents, responsibility=1, **who)
    told.tell("claim.acknowledged", at + 5 * day, "accepted", responsibility=1, **who)
    told.tell(
        "payment.posted",
        at + 20 * day,
        "paid",
        remittance_id=f"remit-{number}",
        received_at=(at + 19 * day).isoformat(),
        **balance(cents, paid=cents * 6 // 10, contractual=cents * 3 // 10, patient=cents // 10),
        payer_id=payer,
    )
    return told


def balance(billed: int, paid: int = 0, contractual: int = 0, patient: int = 0, other: int = 0) -> dict[str, int]:
    """The five parts of the equation, and the contractual part of what was adjusted."""
    adjusted = contractual + other
    return {
        "billed_cents": billed,
        "paid_cents": paid,
        "adjusted_cents": adjusted,
        "contractual_cents": contractual,
        "patient_cents": patient,
        "open_cents": billed - paid - adjusted - patient,
    }


async def record(database: Database, tenant: str, facts: Sequence[Fact]) -> None:
    """As the ears of the service do it."""
    async with database.unit(tenant) as unit:
        await store.note_tenant(unit.conn)
        for fact in facts:
            await store.record_fact(unit.conn, fact)
            await PROJECTION.record(unit.conn, fact)


async def add_up(database: Database, tenant: str) -> None:
    """The fold until nothing is left, and the claims without a journey."""
    while await fold_journeys(database.transaction, tenant, 100, PROJECTION, AS_OF):
        pass
    async with database.transaction(tenant) as conn:
        await project_strays(conn)


async def tell(database: Database, tenant: str, *stories: Story) -> None:
    """Everything heard, then added up."""
    await record(database, tenant, [fact for story in stories for fact in story.facts])
    await add_up(database, tenant)


async def figure(database: Database, tenant: str, name: str, basis: Basis | None = None) -> Total:
    """The sums of one KPI."""
    async with database.transaction(tenant) as conn:
        return await total(conn, BY_NAME[name], basis or Basis(AS_OF))


async def rows(database: Database, tenant: str, name: str) -> dict[str, tuple[int, int]]:
    """The rows of one KPI by key."""
    async with database.transaction(tenant) as conn:
        found = await conn.fetch(sql.page_of(BY_NAME[name], Basis(AS_OF), "all"), "", "", 1000)
    return {row["key"]: (row["numerator"], row["denominator"]) for row in found}


# Random histories. Instants come from few, so that many fall together, and from the edges of every window.
_DAYS = (0, 1, 2, 3, 4, 27, 28, 29, 30, 31, 60, 61, 89, 90, 91, 120, 121, 364, 365, 366)
INSTANTS = st.builds(
    lambda days, micro: AS_OF - timedelta(days=days, microseconds=micro),
    st.sampled_from(_DAYS),
    st.sampled_from((0, 1, -1)),
)
CENTS = st.sampled_from((0, 1, 99, 100, 250, 1000, 12_345))
_KINDS = (
    ("encounter.finished", ""),
    ("encounter.cancelled", ""),
    ("encounter.coded", ""),
    ("charges.captured", ""),
    ("work.opened", "missing-charge"),
    ("work.closed", "missing-charge"),
    ("work.opened", "coder-review"),
    ("claim.built", "ready"),
    ("claim.built", "held"),
    ("claim.held", "held"),
    ("claim.submitted", "submitted"),
    ("claim.acknowledged", "received"),
    ("claim.acknowledged", "accepted"),
    ("claim.rejected", "rejected"),
    ("claim.voided", "voided"),
    ("payment.posted", "paid"),
    ("payment.posted", "partly_paid"),
    ("payment.posted", "denied"),
    ("payment.posted", "written_off"),
    ("payment.reversed", "paid"),
    ("claim.denied", ""),
    ("claim.appealed", ""),
    ("claim.underpaid", ""),
    ("patient.paid", ""),
)
_LINE = ("remittance.received", "remittance.quarantined", "deposit.matched")
JOURNEYS = tuple(f"{number:032x}" for number in (1, 2, 3))


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """One fact of some journey, of a claim without a journey, or of the whole line."""
    kind, qualifier = draw(st.sampled_from((*_KINDS, *((name, "") for name in _LINE))))
    journey = "" if kind in _LINE else draw(st.sampled_from((*JOURNEYS, *JOURNEYS, "")))
    detail = draw(st.fixed_dictionaries({}, optional=_OPTIONAL))
    if kind.startswith(("claim.", "payment.", "patient.")):
        detail |= {"claim_id": f"{journey[-2:] or 'stray'}-{draw(st.sampled_from('ab'))}"}
    if kind.startswith("payment."):
        parts = [draw(CENTS) for _ in range(4)]
        detail |= balance(sum(parts), *parts[:3])
    elif kind.startswith("claim."):
        detail |= {"billed_cents": draw(CENTS)} if draw(st.booleans()) else {}
    elif kind == "patient.paid":
        detail |= {"paid_cents": draw(CENTS)}
    elif kind == "charges.captured":
        detail |= {draw(st.sampled_from(("gross_cents", "billed_cents"))): draw(CENTS)}
    number = draw(st.integers(0, 10**9))
    return Fact(f"event-{number}", journey, kind, "", draw(INSTANTS), qualifier, "", detail)


_OPTIONAL = {
    "service_on": st.sampled_from(["2026-06-30", "2026-06-28", "2026-04-02", "2026-03-01", "2025-07-02", "2025-06-30"]),
    "responsibility": st.sampled_from([1, 1, 1, 2]),
    "received_at": INSTANTS.map(datetime.isoformat),
    "remittance_id": st.sampled_from(["remit-1", "remit-2"]),
    "settlement": st.sampled_from(["matched", "awaited", "none"]),
    "by_person": st.just(True),
    "touched": st.just(True),
    "point_of_service": st.just(True),
    "denied_cents": CENTS,
    "dollars_cents": CENTS,
    "work_id": st.sampled_from(["work-1", "work-2"]),
    "claims": st.integers(0, 5),
    "unmatched": st.integers(0, 5),
    "payer_id": st.sampled_from(["payer-1", "payer-2"]),
    "source": st.sampled_from(["feed-a", "feed-b"]),
}


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Facts with unique ids, some caused by others of their journey."""
    told = list({fact.event_id: fact for fact in draw(st.lists(facts(), min_size=1, max_size=40))}.values())
    for number, fact in enumerate(told):
        if draw(st.integers(0, 4)) == 0:
            told[number] = replace(fact, causation_id=draw(st.sampled_from(told)).event_id)
    return told


def shuffled(told: Sequence[Fact], seed: int) -> list[Fact]:
    """Another order of hearing, with some facts heard twice."""
    chance = random.Random(seed)
    order = [*told, *chance.sample(list(told), len(told) // 3)]
    chance.shuffle(order)
    return order
