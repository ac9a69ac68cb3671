"""The service-level objectives that the ledger can measure: what is timed when a stage ends, and within which limit.

Limits of days count business days: Saturdays and Sundays are left out, holidays are not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from journey.model import Journey, Stage
from journey.model.facts import microseconds
from journey.model.table_stages import WAITS_FOR_A_PERSON

DAY = timedelta(days=1)
SATURDAY = 5
SUBMITTED = "claim.submitted"
ANSWERS = {"claim.acknowledged": "accepted", "claim.rejected": "rejected"}
BY_A_PERSON = frozenset({"claim.appealed", "payment.posted", "claim.submitted", "claim.built"})


@dataclass(frozen=True, slots=True)
class Met:
    """One measurement: `metric` in microseconds, against the objective `slo` ("" where there is none)."""

    metric: str
    slo: str
    us: int
    is_met: bool
    cents: int
    episode: int
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """A row: which stages end it (`applies`), counted from when (`since`), and within which `limit`."""

    metric: str
    slo: str
    limit: timedelta
    applies: Callable[[Journey, Stage], bool]
    since: Callable[[Journey, Stage], datetime]
    business_days: bool = False


def _went_out(journey: Journey, stage: Stage) -> bool:
    """Whether the journey's first claim was handed over when this stage ended."""
    first = next((one for one in journey.stages if one.cause == SUBMITTED), None)
    return stage == first and journey.finished_at is not None


def _begin(_: Journey, stage: Stage) -> datetime:
    return stage.started_at


def _finish(journey: Journey, stage: Stage) -> datetime:
    return min(journey.finished_at or stage.started_at, stage.started_at)


def _own_work(journey: Journey, stage: Stage) -> datetime:
    """As if what waited for a person between the finish and the claim had taken no time at all."""
    finish, end = _finish(journey, stage), stage.ended_at or stage.started_at
    own = (
        one.ended_at - max(one.started_at, finish)
        for one in journey.stages
        if one.ended_at and finish < one.ended_at <= end and one.name not in WAITS_FOR_A_PERSON
    )
    return end - sum(own, timedelta(0))


def _received(journey: Journey, stage: Stage) -> datetime:
    """When the remittance came in whose deposit was awaited."""
    before = next((one for one in journey.stages if one.name == "posting" and one.ended_at == stage.started_at), stage)
    return before.started_at


OBJECTIVES: tuple[Objective, ...] = (
    Objective("rcm.claim.out.duration", "claim-out", DAY, _went_out, _finish),
    Objective("rcm.machine.duration", "machine-share", timedelta(seconds=1), _went_out, _own_work),
    Objective(
        "rcm.claim.first_answer",
        "accepted",
        DAY,
        lambda _, stage: stage.name == "clearinghouse" and stage.cause in ANSWERS,
        _begin,
        business_days=True,
    ),
    Objective(
        "rcm.remittance.posting.duration",
        "posted",
        timedelta(seconds=60),
        lambda _, stage: stage.name == "posting",
        _begin,
    ),
    Objective(
        "rcm.settlement.duration",
        "matched",
        3 * DAY,
        lambda _, stage: stage.name == "settlement" and stage.cause == "deposit.matched",
        _received,
        business_days=True,
    ),
    Objective(
        "rcm.denial.first_touch",
        "denial-touched",
        2 * DAY,
        lambda _, stage: stage.name == "denial" and stage.cause in BY_A_PERSON,
        _begin,
    ),
)


def objectives_of(journey: Journey, ended: Sequence[Stage]) -> Iterator[Met]:
    """What the stages that ended now tell about the objectives."""
    for stage in ended:
        for row in OBJECTIVES:
            if stage.ended_at is not None and row.applies(journey, stage):
                since = row.since(journey, stage)
                counted = _business(since, stage.ended_at) if row.business_days else stage.ended_at - since
                yield Met(
                    metric=row.metric,
                    slo=row.slo,
                    us=microseconds(stage.ended_at - since),
                    is_met=counted <= row.limit,
                    cents=stage.cents_open or journey.gross_cents,
                    episode=stage.episode,
                    outcome=ANSWERS.get(stage.cause, "") if row.slo == "accepted" else "",
                )


def _business(since: datetime, until: datetime) -> timedelta:
    """The time between two instants without Saturdays and Sundays (UTC)."""
    weeks, rest = divmod(until - since, 7 * DAY)
    counted, at, end = weeks * 5 * DAY, since, since + rest
    while at < end:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        counted += min(midnight, end) - at if at.weekday() < SATURDAY else timedelta(0)
        at = midnight
    return counted
