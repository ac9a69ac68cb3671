"""Stages partition the elapsed time exactly, however facts are heard and whatever the clocks say."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journey.model import (
    END,
    STAGE_AFTER,
    STAGES,
    Fact,
    Journey,
    in_order,
    journey_of,
    place_facts,
    stages_of,
    walk_facts,
)
from journey.model.table_stages import LOOPS_CLOSED_BY, NEXT, WAITS_FOR_A_PERSON, WITH_A_LATER_PAYER
from ledger_facts import JOURNEY, at, fact, histories, straight


def journey(*facts: Fact) -> Journey:
    found = journey_of(facts)
    assert found is not None
    return found


def shown(one: Journey) -> list[tuple[str, int, int]]:
    return [(stage.name, stage.round, stage.elapsed_us) for stage in one.stages]


def test_a_straight_journey_has_one_stage_after_the_other() -> None:
    found = journey(*straight())
    assert [stage.name for stage in found.stages] == ["coding", "charge", "submission", "clearinghouse", "payer"]
    assert (found.state, found.outcome, found.stage) == ("ended", "paid", "settled")
    assert found.elapsed_us == found.etp_us == 70
    assert {stage.loop for stage in found.stages} == {""} and found.loops == 0 and found.notices == ()


def test_a_journey_without_a_beginning_is_none() -> None:
    assert journey_of([]) is None
    assert journey_of([fact(1, "deposit.matched"), fact(2, "coverage.verified"), fact(3, "patient.paid")]) is None


def test_facts_before_the_finish_never_bring_the_journey_back() -> None:
    assert shown(journey(*straight(), fact(90, "order.placed", after_us=35))) == shown(journey(*straight()))


def test_an_acknowledgement_that_the_payment_overtook_does_not_reopen_the_journey() -> None:
    facts = [one for one in straight() if one.type != "claim.acknowledged"]
    facts += [fact(90, "claim.acknowledged", "received", 500), fact(91, "claim.acknowledged", "accepted", 600)]
    found = journey(*facts)
    assert (found.state, found.outcome, found.elapsed_us) == ("ended", "paid", 70)
    assert journey(*facts, fact(92, "payment.reversed", "", 700)).state == "in-flight"


def test_a_claim_that_its_own_payment_showed_to_be_out_does_not_reopen_the_journey() -> None:
    told = fact(50, "claim.submitted", "submitted", 71, cause="e0007", open_cents=900)
    found = journey(*straight(), told)
    assert (found.state, found.elapsed_us, found.cents["open_cents"]) == ("ended", 70, 0)
    assert journey(*straight(), replace(told, causation_id="")).state == "in-flight"


def test_a_claim_sent_again_after_a_denial_moves_on() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "denied", 90), fact(21, "claim.submitted", "submitted", 200)]
    found = journey(*facts)
    assert found.state == "in-flight"
    assert [(stage.name, stage.round) for stage in found.stages][-2:] == [("denial", 0), ("clearinghouse", 1)]


def test_a_rejection_is_rework_with_a_round_until_the_claim_is_out_again() -> None:
    facts = straight()[:5]
    facts += [fact(10, "claim.rejected", "rejected", 60, reason="a7-21"), fact(11, "claim.built", "ready", 80)]
    facts += [fact(12, "claim.submitted", "submitted", 90), fact(13, "claim.acknowledged", "accepted", 95)]
    found = journey(*facts)
    told = [(stage.name, stage.round, stage.loop, stage.because) for stage in found.stages]
    assert told[-4:] == [
        ("rejection", 0, "rejection", "a7-21"),
        ("submission", 1, "rejection", "a7-21"),
        ("clearinghouse", 1, "", ""),
        ("payer", 0, "", ""),
    ]
    assert found.state == "in-flight" and found.loops == 1


def test_a_denial_is_rework_until_the_payer_has_decided_again() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "denied", 90, open_cents=700)]
    facts += [fact(21, "claim.denied", "", 90, reason="authorization"), fact(22, "claim.appealed", "", 150)]
    waiting = journey(*facts[:-1])
    assert (waiting.state, waiting.outcome, waiting.reason) == ("waiting", "denied", "authorization")
    assert (waiting.stage, waiting.stage_cents) == ("denial", 700)
    appealed = journey(*facts)
    assert (appealed.state, appealed.outcome, appealed.stage) == ("in-flight", "", "appeal")
    won = journey(*facts, fact(23, "payment.posted", "paid", 400, received_at=at(390).isoformat()))
    last = [(stage.name, stage.loop, stage.because, stage.elapsed_us) for stage in won.stages][-3:]
    assert last == [
        ("denial", "denial", "authorization", 60),
        ("appeal", "denial", "authorization", 240),
        ("posting", "denial", "authorization", 10),
    ]
    assert (won.state, won.outcome, won.elapsed_us) == ("ended", "paid", 400)


def test_the_payer_ends_when_its_835_came_in_and_posting_begins() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "paid", 100, received_at=at(80).isoformat())]
    found = journey(*facts)
    assert shown(found)[-2:] == [("payer", 0, 20), ("posting", 0, 20)]
    assert [stage.cause for stage in found.stages][-2:] == ["remittance.received", "payment.posted"]
    early = journey(*straight()[:7], replace(facts[-1], detail={"received_at": at(3).isoformat()}))
    assert shown(early)[-2:] == [("payer", 0, 0), ("posting", 0, 40)]
    future = journey(*straight()[:7], replace(facts[-1], detail={"received_at": at(900).isoformat()}))
    assert shown(future)[-1] == ("payer", 0, 40)


POSTED = {"remittance_id": "r1", "paid_cents": 800, "settlement": "awaited"}


def test_money_that_is_awaited_is_settlement_until_its_deposit_is_there() -> None:
    posted = [*straight()[:7], fact(20, "payment.posted", "paid", 100, **POSTED)]
    found = journey(*posted)
    assert (found.state, found.outcome, found.stage, found.stage_cents) == ("in-flight", "", "settlement", 800)
    other = fact(30, "deposit.matched", "", 200, remittance_id="r2")
    assert journey(*posted, other).stage == "settlement"
    settled = journey(*posted, other, fact(31, "deposit.matched", "", 300, remittance_id="r1"))
    assert (settled.state, settled.outcome, settled.etp_us) == ("ended", "paid", 300)
    assert shown(settled)[-1] == ("settlement", 0, 200)
    first = journey(*posted, fact(31, "deposit.matched", "", 90, remittance_id="r1"))
    assert (first.state, first.etp_us) == ("ended", 100)


@pytest.mark.parametrize("settlement", ["none", "matched", ""])
def test_money_that_is_not_awaited_ends_the_journey(settlement: str) -> None:
    found = journey(*straight()[:7], fact(20, "payment.posted", "paid", 100, **POSTED | {"settlement": settlement}))
    assert (found.state, found.stages[-1].name) == ("ended", "payer")


def test_a_denied_line_keeps_a_partly_paid_journey_open_until_it_is_written_off() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "partly_paid", 90), fact(21, "claim.denied", "", 90)]
    found = journey(*facts)
    assert (found.state, found.outcome, found.ends) == ("waiting", "denied", ())
    found = journey(*facts, fact(30, "payment.posted", "written_off", 200))
    assert (found.state, found.outcome, len(found.ends)) == ("ended", "written-off", 1)
    assert found.stages[-1].name == "denial" and found.stages[-1].elapsed_us == 110


def test_a_denial_in_awaited_money_waits_for_the_person_and_then_for_the_bank() -> None:
    facts = [*straight()[:7], fact(20, "payment.posted", "partly_paid", 90, **POSTED), fact(21, "claim.denied", "", 90)]
    assert shown(journey(*facts))[-1] == ("denial", 0, 0) and journey(*facts).outcome == "denied"
    facts.append(fact(22, "payment.posted", "written_off", 200))
    assert journey(*facts).stage == "settlement"
    found = journey(*facts, fact(23, "deposit.matched", "", 250, remittance_id="r1"))
    assert (found.outcome, shown(found)[-2:]) == ("written-off", [("denial", 0, 110), ("settlement", 0, 50)])


def test_a_takeback_after_the_end_is_a_loop_and_the_time_between_a_stage() -> None:
    found = journey(*straight(), fact(20, "payment.reversed", "", 100), fact(21, "payment.posted", "paid", 150))
    told = [(stage.name, stage.loop, stage.elapsed_us, stage.episode) for stage in found.stages][-3:]
    assert told == [("payer", "", 10, 0), ("settled", "", 30, 1), ("payer", "takeback", 50, 1)]
    assert [end.at for end in found.ends] == [at(70), at(150)]
    assert (found.elapsed_us, found.etp_us) == (150, 70)


def test_the_patient_owes_after_the_end_until_they_have_paid() -> None:
    posted = [*straight()[:7], fact(20, "payment.posted", "paid", 100, paid_cents=800, patient_cents=200)]
    found = journey(*posted)
    assert (found.state, found.stage, found.stage_cents, found.stage_since) == ("ended", "patient", 200, at(100))
    some = journey(*posted, fact(30, "patient.paid", "", 300, paid_cents=150))
    assert (some.state, some.outcome, some.stage, some.patient_open_cents) == ("ended", "paid", "patient", 50)
    whole = journey(*posted, fact(30, "patient.paid", "", 300, paid_cents=200))
    assert (whole.stage, shown(whole)[-1], whole.ended_at) == ("settled", ("patient", 0, 200), at(300))
    assert whole.cents["paid_cents"] == 800 and whole.elapsed_us == 300 and whole.etp_us == 100


def test_what_a_patient_pays_at_the_visit_moves_nothing() -> None:
    paid = fact(30, "patient.paid", "", 15, paid_cents=200, point_of_service=True)
    assert shown(journey(*straight(), paid)) == shown(journey(*straight()))


def test_a_claim_to_the_second_payer_is_one_stage() -> None:
    second = {"claim_id": "c2", "responsibility": 2, "payer_id": "p2"}
    facts = [replace(one, detail={"claim_id": "c1", "payer_id": "p1"}) for one in straight()]
    facts += [fact(20, "claim.built", "ready", 100, **second), fact(21, "claim.submitted", "", 110, **second)]
    facts += [fact(22, "claim.acknowledged", "accepted", 120, **second)]
    found = journey(*facts)
    assert (found.stage, found.payer_id, found.claim_id, found.claim_ids) == ("secondary", "p1", "c1", ("c1", "c2"))
    found = journey(*facts, fact(23, "payment.posted", "paid", 200, claim_id="c2", payer_id="p2"))
    assert shown(found)[-1] == ("secondary", 0, 100) and found.state == "ended"


def test_what_waits_for_a_person_says_so_and_why() -> None:
    opened = fact(9, "work.opened", "coder-review", 1_000_000, reason="em-over")
    found = journey(fact(0, "encounter.finished"), opened)
    assert (found.state, found.outcome, found.reason) == ("waiting", "review", "em-over")


def test_a_hold_names_its_edit_and_is_over_when_the_claim_is_ready() -> None:
    facts = [
        *straight()[:3],
        fact(10, "claim.held", "held", 30, reason="edit-06"),
        fact(11, "claim.built", "ready", 40),
    ]
    found = journey(*facts)
    assert [(stage.name, stage.loop, stage.because) for stage in found.stages][-2:] == [
        ("hold", "hold", "edit-06"),
        ("submission", "", ""),
    ]


def test_the_newest_amounts_count_and_what_is_at_stake_is_open_or_gross() -> None:
    facts = [fact(0, "encounter.finished"), fact(1, "charges.captured", after_us=1, billed_cents=500, gross_cents=500)]
    assert journey(*facts).stage_cents == 500
    facts.append(
        fact(2, "payment.posted", "paid", 2, claim_id="c", billed_cents=500, paid_cents=400, patient_cents=100)
    )
    found = journey(*facts)
    assert (found.cents["billed_cents"], found.cents["paid_cents"], found.cents["open_cents"]) == (500, 400, 0)
    assert [stage.cents_open for stage in found.stages] == [0, 500]


def test_a_clock_behind_its_cause_is_bent_and_noticed() -> None:
    facts = [fact(0, "encounter.finished", after_us=100), fact(1, "encounter.coded", after_us=40, cause="e0000")]
    found = journey(*facts)
    assert shown(found) == [("coding", 0, 0), ("charge", 0, 0)]
    assert [(one.kind, one.count, one.us) for one in found.notices] == [("clock-behind-cause", 1, 60)]


def test_of_one_instant_a_cause_counts_before_its_effect_even_against_the_table() -> None:
    rejected = fact(5, "claim.rejected", "rejected", 60)
    built = fact(1, "claim.built", "ready", 50, cause="e0005")
    assert [one.type for one in in_order([built, rejected])] == ["claim.rejected", "claim.built"]
    assert [one.type for one in in_order([replace(built, causation_id="", occurred_at=at(60)), rejected])] == [
        "claim.built",
        "claim.rejected",
    ]


def test_a_ring_of_causes_is_no_endless_walk() -> None:
    ring = [fact(0, "encounter.finished", after_us=5, cause="e0001"), fact(1, "encounter.coded", cause="e0000")]
    assert {one.at for one in place_facts(ring)} == {at(5)}


def test_what_was_late_ahead_or_told_twice_is_noticed_and_what_was_not_is_not() -> None:
    heard = [replace(one, heard_at=one.occurred_at + timedelta(milliseconds=400)) for one in straight()]
    assert journey(*heard).notices == ()
    late = replace(heard[2], heard_at=at(0) + timedelta(hours=1))
    ahead = replace(heard[7], occurred_at=at(0) + timedelta(hours=2), heard_at=at(0) + timedelta(hours=1, seconds=1))
    found = journey(*heard[:2], late, *heard[3:7], ahead, replace(heard[1], copies=3))
    assert {one.kind: one.count for one in found.notices} == {
        "late-fact": 1,
        "out-of-order": 1,
        "clock-ahead": 1,
        "duplicate": 2,
    }


def test_the_tables_name_stages_that_there_are() -> None:
    assert {stage for _, _, stage in STAGE_AFTER} - {END} <= set(STAGES)
    assert set(WAITS_FOR_A_PERSON) | set(WITH_A_LATER_PAYER) | set(WITH_A_LATER_PAYER.values()) <= set(STAGES)
    assert set(LOOPS_CLOSED_BY) <= set(NEXT)
    assert len(NEXT) == len(STAGE_AFTER)


def moved_us(facts: list[Fact]) -> int:
    """First move to last move, computed another way: by the instants at which the journey as heard so far changes."""
    placed = place_facts(facts)
    walk, instants = None, []
    for number, one in enumerate(placed, 1):
        after = walk_facts(placed[:number])
        before_key = (walk.current, walk.over, len(walk.ends)) if walk else None
        if after.current is not None and (before_key is None or _moved(walk, after)):
            instants.append(one.at)
        walk = after
    return (instants[-1] - instants[0]) // timedelta(microseconds=1) if instants else 0


def _moved(before: object, after: object) -> bool:
    one, other = before.current, after.current  # type: ignore[attr-defined]
    return one is None or one.started_at != other.started_at


@given(histories())
def test_stages_partition_the_elapsed_time_exactly(facts: list[Fact]) -> None:
    found = journey_of(facts)
    if found is None:
        assert {one.type for one in facts} & {"encounter.finished", "payment.posted", "claim.built"} == set()
        return
    assert found.elapsed_us == moved_us(facts) == sum(stage.elapsed_us for stage in found.stages)
    for before, after in pairwise(found.stages):
        assert before.ended_at == after.started_at
    closed = [stage for stage in found.stages if stage.ended_at is not None]
    assert all(stage.elapsed_us >= 0 and stage.name in STAGES and stage.cause for stage in closed)
    if found.state == "ended":
        assert found.ended_at == found.ends[-1].at and closed == list(found.stages)
        assert found.elapsed_us == (found.ended_at - found.started_at) // timedelta(microseconds=1)
    else:
        assert found.stages[-1].ended_at is None and found.stages[-1].name == found.stage


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_hearing_with_duplicates_gives_the_same_ledger(facts: list[Fact], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [*facts, *facts[: len(facts) // 2]]
    random.shuffle(shuffled)
    assert journey_of(shuffled) == journey_of(facts)


@given(histories(), st.data())
def test_a_late_fact_gives_the_ledger_that_it_would_have_given_in_time(facts: list[Fact], data: st.DataObject) -> None:
    late = data.draw(st.integers(0, len(facts) - 1))
    journey_of(facts[:late] + facts[late + 1 :])
    assert journey_of([*facts[:late], *facts[late + 1 :], facts[late]]) == journey_of(facts)


@given(histories())
def test_no_fact_counts_before_its_cause(facts: list[Fact]) -> None:
    placed = {one.fact.event_id: one.at for one in place_facts(facts)}
    for one in facts:
        assert placed[one.event_id] >= one.occurred_at
        assert placed[one.event_id] >= placed.get(one.causation_id, placed[one.event_id])


@given(histories())
def test_rounds_count_and_episodes_follow_the_ends(facts: list[Fact]) -> None:
    found = journey_of(facts)
    if found is None:
        return
    seen: dict[str, int] = {}
    for stage in found.stages:
        assert stage.round == seen.get(stage.name, 0)
        seen[stage.name] = stage.round + 1
        if stage.elapsed_us:
            assert stage.episode == sum(end.at <= stage.started_at for end in found.ends)
    assert all(before.at < after.at for before, after in pairwise(found.ends))
    assert bool(stages_of(walk_facts(place_facts(facts)))) == bool(found.stages)
    assert found.journey_id == JOURNEY
