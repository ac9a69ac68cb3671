"""Facts for the tests of the ledger: a straight journey, and any history that hypothesis thinks of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from journey.model import STAGE_AFTER, Fact

START = datetime(2026, 3, 1, tzinfo=UTC)
JOURNEY = "a" * 32
STRAIGHT = (
    ("encounter.finished", ""),
    ("encounter.coded", ""),
    ("charges.captured", ""),
    ("claim.built", "ready"),
    ("claim.submitted", "submitted"),
    ("claim.acknowledged", "received"),
    ("claim.acknowledged", "accepted"),
    ("payment.posted", "paid"),
)


def at(after_us: int) -> datetime:
    """So many microseconds after the start."""
    return START + timedelta(microseconds=after_us)


def fact(number: int, type_: str, qualifier: str = "", after_us: int = 0, **more: Any) -> Fact:
    """A fact; `reason` and `cause` are its own, everything else is detail."""
    reason, cause = str(more.pop("reason", "")), str(more.pop("cause", ""))
    return Fact(f"e{number:04}", JOURNEY, type_, "", at(after_us), qualifier, reason, more, causation_id=cause)


def straight(step_us: int = 10) -> list[Fact]:
    """From the finish to the payment in seven steps of equal length."""
    return [fact(n, type_, qualifier, n * step_us) for n, (type_, qualifier) in enumerate(STRAIGHT)]


def copied(one: Fact, prefix: str, journey_id: str) -> Fact:
    """The same fact of another journey, with ids of its own."""
    cause = f"{prefix}{one.causation_id}" if one.causation_id else ""
    return replace(one, event_id=f"{prefix}{one.event_id}", journey_id=journey_id, causation_id=cause)


_KINDS = [(event, qualifier) for event, qualifier, _ in STAGE_AFTER]
_KINDS += [("work.opened", "denial"), ("claim.underpaid", ""), ("encounter.amended", "")]


@st.composite
def histories(draw: st.DrawFn, most: int = 30) -> list[Fact]:
    """Facts of one journey with clocks that jump: any instants, and causes that may lie after their effects."""
    number = draw(st.integers(1, most))
    facts = []
    for index in range(number):
        event, qualifier = draw(st.sampled_from(_KINDS))
        cause = draw(st.one_of(st.just(""), st.integers(0, number).map("e{:04}".format)))
        detail: dict[str, Any] = {"claim_id": draw(st.sampled_from(["", "c1", "c2"]))}
        if detail["claim_id"] == "c2":
            detail["responsibility"] = 2
        if event in ("payment.posted", "payment.reversed", "deposit.matched"):
            detail["remittance_id"] = draw(st.sampled_from(["r1", "r2"]))
        if event.startswith("payment."):
            detail["settlement"] = draw(st.sampled_from(["", "awaited", "matched", "none"]))
            detail["patient_cents"] = draw(st.integers(0, 3))
            received = draw(st.one_of(st.none(), st.integers(0, 10**9)))
            detail |= {"received_at": at(received).isoformat()} if received is not None else {}
        if event == "patient.paid":
            detail["paid_cents"] = draw(st.integers(0, 3))
        after_us = draw(st.one_of(st.integers(0, 5), st.integers(0, 10**9)))
        facts.append(fact(index, event, qualifier, after_us, cause=cause, **detail))
    return facts
