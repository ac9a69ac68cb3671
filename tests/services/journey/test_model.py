"""Stages partition the elapsed time exactly, whatever the order in which facts are heard."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from journey.model import END, STAGE_AFTER, Fact, in_order, journey_of, moves, stages_of

START = datetime(2026, 3, 1, tzinfo=UTC)
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


def fact(number: int, type_: str, qualifier: str = "", after_us: int = 0, **detail: object) -> Fact:
    return Fact(f"e{number:04}", "j" * 32, type_, "", START + timedelta(microseconds=after_us), qualifier, "", detail)


def straight(step_us: int = 10) -> list[Fact]:
    return [fact(n, type_, qualifier, n * step_us) for n, (type_, qualifier) in enumerate(STRAIGHT)]


def test_a_straight_journey_has_one_stage_after_the_other() -> None:
    journey = journey_of(straight())
    assert journey is not None
    assert [stage.name for stage in journey.stages] == ["coding", "charge", "submission", "clearinghouse", "payer"]
    assert (journey.state, journey.outcome) == ("ended", "paid")
    assert journey.elapsed_us == 70


def test_a_journey_without_a_beginning_is_none() -> None:
    assert journey_of([fact(1, "deposit.matched"), fact(2, "coverage.verified")]) is None


def test_facts_before_the_finish_never_bring_the_journey_back() -> None:
    facts = [*straight(), fact(90, "order.placed", after_us=35)]
    assert [stage.name for stage in stages_of(facts)] == [stage.name for stage in stages_of(straight())]


def test_an_acknowledgement_that_the_payment_overtook_does_not_reopen_the_journey() -> None:
    facts = [one for one in straight() if one.type != "claim.acknowledged"]
    facts += [fact(90, "claim.acknowledged", "received", 500), fact(91, "claim.acknowledged", "accepted", 600)]
    journey = journey_of(facts)
    assert journey is not None and (journey.state, journey.outcome) == ("ended", "paid")
    assert journey.elapsed_us == 70
    taken_back = journey_of([*facts, fact(92, "payment.reversed", "", 700)])
    assert taken_back is not None and taken_back.state == "in-flight"


def test_a_claim_sent_again_after_a_denial_moves_on() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "denied", 90), fact(21, "claim.submitted", "submitted", 200)]
    journey = journey_of(facts)
    assert journey is not None and journey.state == "in-flight"
    assert [(stage.name, stage.round) for stage in journey.stages][-2:] == [("denial", 0), ("clearinghouse", 1)]


def test_a_rejection_is_rework_with_a_round() -> None:
    facts = straight()[:5]
    facts += [fact(10, "claim.rejected", "rejected", 60), fact(11, "claim.built", "ready", 80)]
    facts += [fact(12, "claim.submitted", "submitted", 90)]
    names = [(stage.name, stage.round) for stage in stages_of(facts)]
    assert names[-4:] == [("clearinghouse", 0), ("rejection", 0), ("submission", 1), ("clearinghouse", 1)]
    journey = journey_of(facts)
    assert journey is not None and journey.state == "in-flight"


def test_what_waits_for_a_person_says_so_and_why() -> None:
    opened = Fact("e9", "j" * 32, "work.opened", "", START + timedelta(seconds=1), "coder-review", "em-over")
    journey = journey_of([fact(0, "encounter.finished"), opened])
    assert journey is not None
    assert (journey.state, journey.outcome, journey.reason) == ("waiting", "review", "em-over")


def test_a_denied_line_keeps_a_partly_paid_journey_open_until_it_is_written_off() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "partly_paid", 90), fact(21, "claim.denied", "", 90)]
    journey = journey_of(facts)
    assert journey is not None and (journey.state, journey.outcome) == ("waiting", "denied")
    journey = journey_of([*facts, fact(30, "payment.posted", "written_off", 200)])
    assert journey is not None and (journey.state, journey.outcome) == ("ended", "written-off")
    assert journey.stages[-1].name == "denial" and journey.stages[-1].elapsed_us == 110


def test_the_newest_amounts_count() -> None:
    facts = [fact(0, "encounter.finished"), fact(1, "charges.captured", after_us=1, billed_cents=500)]
    facts.append(fact(2, "payment.posted", "paid", 2, billed_cents=500, paid_cents=400, patient_cents=100))
    journey = journey_of(facts)
    assert journey is not None
    assert (journey.cents["billed_cents"], journey.cents["paid_cents"], journey.cents["open_cents"]) == (500, 400, 0)


kinds = st.sampled_from([(event, qualifier) for event, qualifier, _ in STAGE_AFTER] + [("deposit.matched", "")])
histories = st.lists(st.tuples(kinds, st.integers(0, 10**12)), max_size=30)


def legs_us(facts: list[Fact]) -> int:
    """Elapsed time computed another way: from each beginning to its end, or to the last move."""
    total, began = 0, None
    moved = moves(in_order(facts))
    for one, stage in moved:
        if stage == END:
            total += (one.occurred_at - began) // timedelta(microseconds=1) if began else 0
            began = None
        elif began is None:
            began = one.occurred_at
    if began is not None:
        total += (moved[-1][0].occurred_at - began) // timedelta(microseconds=1)
    return total


@given(histories, st.randoms())
def test_stages_sum_to_the_elapsed_time_in_any_order_heard(history, random) -> None:  # type: ignore[no-untyped-def]
    facts = [fact(n, kind[0], kind[1], after) for n, (kind, after) in enumerate(history)]
    stages = stages_of(facts)
    assert sum(stage.elapsed_us for stage in stages) == legs_us(facts)
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert stages_of(shuffled + facts[:3]) == stages_of(facts + facts[:3])
    for before, after in pairwise(stages):
        assert before.ended_at is not None and before.ended_at <= after.started_at


def test_a_fact_heard_twice_changes_nothing() -> None:
    assert stages_of(straight() + straight()) == stages_of(straight())
