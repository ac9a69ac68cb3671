"""Five hundred encounters, good and deliberately wrong, from FHIR to the ledger: each ends as its story says."""

from collections import Counter

from cli.demo import compare, equation_breaks
from flow_types import Line200
from stack import doubled, query

ENDINGS = {"paid", "denied", "rejected", "held", "review"}


def test_every_bundle_was_taken_in(line: Line200) -> None:
    assert line.run.problems == []


def test_every_journey_settles_as_its_story_says_to_the_cent(line: Line200) -> None:
    assert compare(line.run.stories, line.run.journeys) == []


def test_the_stories_cover_every_ending(line: Line200) -> None:
    outcomes = Counter(journey.outcome for journey in line.run.journeys)
    assert outcomes.keys() >= ENDINGS, outcomes
    assert len(line.run.journeys) == len(line.run.stories) == 500


def test_billed_is_paid_adjusted_patient_and_open_per_claim_payer_and_tenant(line: Line200) -> None:
    assert equation_breaks(line.run.journeys) == []
    balances = [*line.ledger.claims, *line.ledger.payers, line.ledger.tenant]
    assert len(line.ledger.claims) > 100
    for balance in balances:
        parts = balance.paid_cents + balance.adjusted_cents + balance.patient_cents + balance.open_cents
        assert balance.billed_cents == parts, balance.key
    for name in ("billed", "paid", "adjusted", "patient", "open"):
        field = f"{name}_cents"
        total = getattr(line.ledger.tenant, field)
        assert total == sum(getattr(claim, field) for claim in line.ledger.claims)
        assert total == sum(getattr(payer, field) for payer in line.ledger.payers)


def test_every_journeys_stages_sum_to_its_elapsed_time(line: Line200) -> None:
    for journey in line.run.journeys:
        assert sum(stage.elapsed_us for stage in journey.stages) == journey.elapsed_us
        if journey.state == "ended":
            elapsed = journey.ended_at.ToMicroseconds() - journey.started_at.ToMicroseconds()
            assert journey.elapsed_us == elapsed


def test_every_wait_names_its_reason(line: Line200) -> None:
    assert [one.encounter for one in line.run.journeys if one.state == "waiting" and not one.reason] == []


async def test_nothing_stands_twice(line: Line200) -> None:
    assert await doubled(line.stack.owner_url) == []


async def test_no_fact_died(line: Line200) -> None:
    for program in line.stack.programs():
        if program != "simulator":
            schema = program.replace("-", "_")
            assert (
                await query(
                    line.stack.owner_url, f"select type, reason from {schema}.dead_letter where tenant = 'demo'"
                )
                == []
            )
