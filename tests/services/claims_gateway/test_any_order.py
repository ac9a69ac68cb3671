"""Whatever happens to a claim in whatever order, only steps of the table are taken, each recorded once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise

from claims_gateway import handlers
from claims_gateway.model import (
    TRANSITIONS,
    Acknowledgment,
    Answers,
    Claim,
    ClaimMoved,
    CoverageAnswer,
    Draft,
    Fact,
)
from claims_gateway.rules import RuleBook, load_book
from gateway_world import ACTIVE, NOW, SERVED, FakeClaims, draft, line
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.errors import Refused

UNKNOWN = Answers(CoverageAnswer(status="unknown", on=SERVED, reason="timeout"))


async def take(store: FakeClaims, book: RuleBook, content: Draft, answers: Answers = ACTIVE) -> list[Fact]:
    return await handlers.take_charges(store, book, "t1", content, answers, NOW)


def only(store: FakeClaims) -> Claim:
    [claim] = store.rows.values()
    return claim


def names(facts: list[Fact]) -> list[str]:
    return [fact.event if isinstance(fact, ClaimMoved) else type(fact).__name__ for fact in facts]


async def release(
    store: FakeClaims, book: RuleBook, waive: tuple[str, ...] = (), number: str = "", answers: Answers = UNKNOWN
) -> tuple[Claim, list[Fact]]:
    return await handlers.release_hold(store, book, only(store).claim_id, waive, number, answers, NOW)


BOOK = load_book()  # hypothesis runs a test many times within one fixture
Verb = Callable[[FakeClaims, Claim], Awaitable[object]]


def acknowledged(state: str) -> Verb:
    return lambda store, claim: handlers.acknowledge_file(store, store.numbers, state, f"999-{state}", NOW)


def answered(state: str) -> Verb:
    return lambda store, claim: handlers.acknowledge_claim(
        store, Acknowledgment(claim.control_number, state, f"277ca-{state}"), NOW
    )


def posted(outcome: str) -> Verb:
    return lambda store, claim: handlers.post_payment(store, claim.claim_id, outcome, "", NOW)


async def send(store: FakeClaims, claim: Claim) -> None:
    if claim.state == "ready":
        control = await store.next_control_number("interchange")
        await handlers.claim_ready(store, "t1", control, "ISA~", [claim], NOW, NOW)


def on_last_file(verb: Callable[..., Awaitable[object]], *values: str) -> Verb:
    async def run(store: FakeClaims, claim: Claim) -> None:
        if store.interchanges:
            await verb(store, list(store.interchanges)[-1], *values, NOW)

    return run


async def resubmit(store: FakeClaims, claim: Claim) -> None:
    """Refused for what was never rejected; a claim that was goes on from there, and nowhere else."""
    try:
        again, facts = await handlers.resubmit_claim(store, BOOK, claim.claim_id, handlers.Word(ACTIVE), NOW)
    except Refused as error:
        assert error.code == "claim-not-rejected" and claim.state != "rejected" and not claim.sent_before
        return
    assert (claim.state == "rejected") == bool(facts)
    assert again.state in ("ready", "held") if facts else again == claim


async def late(store: FakeClaims, claim: Claim) -> None:
    """A word on a file that carried the claim before it was corrected moves nothing."""
    for control in claim.sent_before:
        said = Acknowledgment(claim.control_number, "rejected", "277ca-A3-33", interchange=control)
        assert await handlers.acknowledge_claim(store, said, NOW) == (True, [])
        assert only(store).state == claim.state


VERBS: dict[str, Verb] = {
    "charges": lambda store, claim: take(
        store, BOOK, draft(version=claim.draft.version + 1, lines=(line(charge_cents=7),))
    ),
    "look": lambda store, claim: handlers.look_again(store, BOOK, claim.claim_id, ACTIVE, NOW),
    "waive": lambda store, claim: release(store, BOOK, ("edit-01",)),
    "send": send,
    "sent": on_last_file(handlers.mark_submitted, "f"),
    "refused": on_last_file(handlers.refuse_batch, "clearinghouse-refused"),
    "999": acknowledged("received"),
    "999-reject": acknowledged("rejected"),
    "277-accept": answered("accepted"),
    "277-reject": answered("rejected"),
    "paid": posted("paid"),
    "partly_paid": posted("partly_paid"),
    "denied": posted("denied"),
    "reversed": lambda store, claim: handlers.reverse_payment(store, claim.claim_id, NOW),
    "note-denial": lambda store, claim: handlers.note_denial(store, claim.claim_id, "other", NOW),
    "resubmit": resubmit,
    "late-277-reject": late,
    "appealed": lambda store, claim: handlers.note_appeal(store, claim.claim_id, NOW),
    "underpaid": lambda store, claim: handlers.note_underpayment(store, claim.claim_id, NOW),
}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(sorted(VERBS)), max_size=25))
async def test_whatever_comes_in_whatever_order_only_legal_steps_are_taken(verbs: list[str]) -> None:
    store = FakeClaims()
    await take(store, BOOK, draft(), UNKNOWN)
    for verb in verbs:
        await VERBS[verb](store, only(store))
    for _, from_state, to_state, _ in store.events:
        assert from_state == to_state or TRANSITIONS.allows(from_state, to_state)
    steps = [(a, b) for _, a, b, _ in store.events if a != b]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(steps))
    assert only(store).state == store.events[-1][2]
    assert only(store).control_number
