"""The snapshot and what the pages read of it: values, rows page by page, trends, scorecards, and the work queue."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
from bus import Database
from journey import store
from journey.kpi import read
from journey.kpi import refresh as refresh_module
from journey.kpi.apart import CheckStopped, Question, check_apart
from journey.kpi.jobs import Jobs
from journey.kpi.model import Cost, DenialFilter, WorkFilter
from journey.kpi.table_formulas import FORMULAS
from journey.model import Fact
from kernel.clock import FixedClock
from kernel.errors import Refused, Unreadable
from kpi_stories import AS_OF, Story, ago, balance, good_journey, tell

TODAY = AS_OF.date()


async def refreshed(database: Database, tenant: str, *told: Story, costs: tuple[Cost, ...] = ()) -> Jobs:
    await tell(database, tenant, *told)
    jobs = Jobs(database, FixedClock(AS_OF), costs)
    await jobs.refresh(tenant)
    return jobs


def denied(number: int, at: datetime, payer: str = "payer-1", category: str = "coding", cents: int = 4000) -> Story:
    told = good_journey(number, at - timedelta(days=20), payer=payer)
    told.facts.pop()
    told.tell("payment.posted", at, "denied", remittance_id=f"r-{number}", payer_id=payer, **balance(10_000))
    detail: dict[str, Any] = {"work_id": f"work-{number}", "denied_cents": cents, "payer_id": payer}
    told.tell("claim.denied", at, "", category, category=category, carc=["197", "16"], rarc=["N1"], **detail)
    told.tell(
        "work.opened", at, "denial", "carc-197", work_id=f"work-{number}", dollars_cents=cents, owner="biller",
        due_on=(at + timedelta(days=60)).date().isoformat(),
    )  # fmt: skip
    return told


async def test_before_the_first_snapshot_everything_waits(database: Database, tenant: str) -> None:
    async with database.transaction(tenant) as conn:
        assert {one.state for one in await read.overview(conn)} == {"waiting"}
        assert await read.snapshot(conn) is None
        assert (await read.kpi_rows(conn, "days-in-ar")).rows == ()
        assert await read.cohorts(conn) == ()


async def test_the_snapshot_has_every_kpi_and_says_why_one_has_no_value(database: Database, tenant: str) -> None:
    jobs = await refreshed(database, tenant, good_journey(1, ago(60)))
    async with database.transaction(tenant) as conn:
        values = {one.name: one for one in await read.overview(conn)}
        snapshot = await read.snapshot(conn)
        with pytest.raises(Refused) as refused:
            await read.kpi(conn, "happiness")
    assert refused.value.kind == "not_found"
    assert list(values) == [one.name for one in FORMULAS]
    assert snapshot is not None and snapshot.as_of == AS_OF and snapshot.check_state == "unchecked"
    assert values["gross-collection-rate"].shown == "60.0 %"
    assert values["payer-lag"].shown == "15 d" and values["payer-lag"].p90 == 15 * 86_400_000_000
    cost, cash = values["cost-to-collect"], values["point-of-service-cash"]
    assert (cost.state, cost.shown) == ("not-configured", "-") and "costs.toml" in cost.because
    assert (cash.state, cash.shown) == ("empty", "-") and "no patient paid" in cash.because
    assert jobs.work[tenant] == () and jobs.values[tenant] == tuple(values.values())


async def test_with_a_cost_the_rows_are_of_its_month(database: Database, tenant: str) -> None:
    cost = Cost(date(2026, 6, 1), date(2026, 7, 1), 300)
    await refreshed(database, tenant, good_journey(1, ago(45)), costs=(cost,))
    async with database.transaction(tenant) as conn:
        assert (await read.kpi(conn, "cost-to-collect")).shown == "5.0 %"
        page = await read.kpi_rows(conn, "cost-to-collect")
    assert [(row.key, row.numerator, row.denominator) for row in page.rows if row.numerator] == [("cost", 300, 0)]


async def test_rows_come_page_by_page_and_sum_to_the_value(database: Database, tenant: str) -> None:
    await refreshed(database, tenant, *(good_journey(number, ago(60)) for number in range(1, 8)))
    for name in ("net-days-in-ar", "clean-claim-rate"):
        found, after = [], ""
        async with database.transaction(tenant) as conn:
            value = await read.kpi(conn, name)
            while True:
                page = await read.kpi_rows(conn, name, after=after, limit=3)
                assert len(page.rows) <= 3
                found += page.rows
                after = page.next
                if not after:
                    break
        assert len({row.key for row in found}) == len(found)
        assert sum(row.numerator for row in found) == value.numerator
        assert sum(row.denominator for row in found) == value.denominator


async def test_a_part_and_a_token_that_are_none_are_refused(database: Database, tenant: str) -> None:
    await refreshed(database, tenant, good_journey(1, ago(60)))
    async with database.transaction(tenant) as conn:
        page = await read.kpi_rows(conn, "days-in-ar", "numerator")
        assert [row.journey_id for row in page.rows] == [f"{1:032x}"] and page.next == ""
        with pytest.raises(Refused):
            await read.kpi_rows(conn, "days-in-ar", "; drop table claim")
        for token in ("x", "é", "W10=", read.token_of(1)):
            with pytest.raises(Unreadable):
                await read.kpi_rows(conn, "days-in-ar", after=token)


async def test_denials_by_week_and_cause(database: Database, tenant: str) -> None:
    week = datetime(2026, 6, 3, tzinfo=UTC)
    told = [denied(1, week), denied(2, week, "payer-2"), denied(3, week - timedelta(days=7), category="eligibility")]
    await refreshed(database, tenant, *told, denied(4, ago(200)))
    async with database.transaction(tenant) as conn:
        by_payer = await read.denial_trends(conn, "payer", TODAY)
        by_category = await read.denial_trends(conn, "category", TODAY)
        cells = {by: await read.denial_trends(conn, by, TODAY) for by in ("carc", "feed", "provider")}
        with pytest.raises(Refused):
            await read.denial_trends(conn, "claim_id", TODAY)
        eligibility = await read.denials(conn, DenialFilter(category="eligibility"))
        of_week = await read.denials(conn, DenialFilter(week=date(2026, 6, 1)), limit=1)
        rest = await read.denials(conn, DenialFilter(week=date(2026, 6, 1)), of_week.next, 1)
        nothing = await read.denials(conn, DenialFilter(state="overturned"))
    assert [(one.week, one.key, one.count, one.cents) for one in by_payer] == [
        (date(2026, 6, 1), "payer-1", 1, 4000),
        (date(2026, 6, 1), "payer-2", 1, 4000),
        (date(2026, 5, 25), "payer-1", 1, 4000),
    ]
    assert [(one.week, one.key, one.count) for one in by_category] == [
        (date(2026, 6, 1), "coding", 2),
        (date(2026, 5, 25), "eligibility", 1),
    ]
    assert [{one.key for one in cells[by]} for by in ("carc", "feed", "provider")] == [
        {"197"}, {"feed-a"}, {"1234567893"},
    ]  # fmt: skip
    (row,) = eligibility.rows
    assert (row.carc, row.rarc, row.state, row.work_id, row.cents) == (("197", "16"), ("N1",), "open", "work-3", 4000)
    assert {one.rows[0].claim_id for one in (of_week, rest)} == {
        told[0].claim_id or f"claim-{1:032x}",
        f"claim-{2:032x}",
    }
    assert rest.next == "" and nothing.rows == ()


async def test_revenue_by_provider_and_the_payers_scores(database: Database, tenant: str) -> None:
    short = good_journey(3, ago(60), payer="payer-2")
    short.tell("claim.underpaid", ago(40), "", "underpayment", dollars_cents=250)
    await refreshed(database, tenant, good_journey(1, ago(60)), denied(2, ago(30)), short)
    async with database.transaction(tenant) as conn:
        (provider,) = await read.revenue_by_provider(conn)
        scores = {one.payer_id: one for one in await read.payer_scorecard(conn)}
        (cohort, *_) = await read.cohorts(conn)
    assert (provider.gross_cents, provider.paid_cents, provider.open_cents) == (30_000, 12_000, 10_000)
    assert provider.gross_cents == sum(
        (provider.paid_cents, provider.adjusted_cents, provider.patient_cents, provider.open_cents)
    )
    one, two = scores["payer-1"], scores["payer-2"]
    assert (one.claims, one.adjudicated, one.denied, one.denied_cents) == (2, 2, 1, 4000)
    assert one.mix == (("coding", 1, 4000),) and (one.clean, one.built) == (2, 2)
    assert (one.lag_p50_us, one.lag_p90_us) == (14 * 86_400_000_000, 15 * 86_400_000_000)
    assert (two.underpaid, two.underpaid_cents, two.denied, two.mix) == (1, 250, 0, ())
    assert cohort.claims >= 1 and cohort.charges_cents % 10_000 == 0


async def test_prior_authorizations_are_timed_from_the_order(database: Database, tenant: str) -> None:
    line = Story("")
    for number, hours in ((1, 10), (2, 100), (3, 200)):
        line.tell(
            "authorization.determined", ago(20, hours=-hours), order=f"o-{number}", payer_id="p", decision="approved"
        )
        line.tell("order.placed", ago(20), order=f"o-{number}")
    line.tell("authorization.determined", ago(20), order="o-4", payer_id="p", decision="pended")
    line.tell("authorization.determined", ago(20), order="o-5", payer_id="p", requirement="not-required")
    await refreshed(database, tenant, line)
    async with database.transaction(tenant) as conn:
        (score,) = await read.payer_scorecard(conn)
    assert (score.auth_decided, score.auth_within_72h, score.auth_within_7d, score.auth_pending) == (3, 1, 2, 1)
    assert score.auth_p50_us == 100 * 3_600_000_000 and score.claims == 0


async def test_work_is_ordered_by_dollars_closeness_and_chance(database: Database, tenant: str) -> None:
    far, near, small = denied(1, ago(10)), denied(2, ago(55)), denied(3, ago(55), cents=10)
    late = denied(4, ago(70), payer="payer-2")
    await refreshed(database, tenant, far, near, small, late)
    async with database.transaction(tenant) as conn:
        page = await read.work_items(conn, WorkFilter(), TODAY)
        first = await read.work_items(conn, WorkFilter(), TODAY, limit=2)
        rest = await read.work_items(conn, WorkFilter(), TODAY, first.next, 2)
        overdue = await read.work_items(conn, WorkFilter(overdue=True), TODAY)
        of_payer = await read.work_items(conn, WorkFilter(payer="payer-2", kind="denial", owner="biller"), TODAY)
        nobody = await read.work_items(conn, WorkFilter(owner="nobody"), TODAY)
        closed = await read.work_items(conn, WorkFilter(state="closed"), TODAY)
        (count,) = await read.work_counts(conn, TODAY)
        item = await read.work_item(conn, "work-2", TODAY)
        with pytest.raises(Refused):
            await read.work_item(conn, "none", TODAY)
    order = [one.work_id for one in page.rows]
    assert order == ["work-4", "work-2", "work-1", "work-3"]
    assert [one.work_id for one in (*first.rows, *rest.rows)] == order and rest.next == ""
    assert [one.work_id for one in overdue.rows] == ["work-4"] == [one.work_id for one in of_payer.rows]
    assert nobody.rows == () == closed.rows
    assert (count.kind, count.count, count.cents, count.overdue) == ("denial", 4, 12_010, 1)
    assert (item.days_left, item.closeness, item.chance, item.payer_id) == (5, 95, 50, "payer-1")
    assert item.priority == 4000 * 95 * 50 and item.claim_id == f"claim-{2:032x}"


async def test_the_chance_is_learned_from_what_became_of_others(database: Database, tenant: str) -> None:
    told = [denied(number, ago(40)) for number in range(1, 5)]
    for one in told[:3]:
        one.tell("payment.posted", ago(20), "paid", remittance_id="again", **balance(10_000, 6000, 3000, 1000))
        one.tell("work.closed", ago(20), "denial", work_id=one.facts[-2].detail["work_id"], outcome="resolved")
    await refreshed(database, tenant, *told)
    async with database.transaction(tenant) as conn:
        (item,) = (await read.work_items(conn, WorkFilter(), TODAY)).rows
    assert item.work_id == "work-4" and item.chance == 80  # (3 + 1) of (3 + 2)


@pytest.mark.parametrize("backwards", [False, True])
async def test_work_that_is_opened_again_is_open(database: Database, tenant: str, backwards: bool) -> None:
    story = Story(uuid4().hex)
    story.tell("encounter.finished", ago(9))
    story.tell("work.opened", ago(8), "claim-hold", "edit-01", work_id="w", dollars_cents=5, owner="biller")
    story.tell("work.closed", ago(7), "claim-hold", work_id="w", outcome="resolved")
    story.tell("work.opened", ago(6), "claim-hold", "edit-02", work_id="w", dollars_cents=7, owner="biller")
    if backwards:
        story.facts.reverse()
    await refreshed(database, tenant, story)
    async with database.transaction(tenant) as conn:
        item = await read.work_item(conn, "w", TODAY)
        assert [one.work_id for one in (await read.work_items(conn, WorkFilter(), TODAY)).rows] == ["w"]
    assert (item.reason, item.dollars_cents, item.opened_at, item.closed_at) == ("edit-02", 7, ago(6), ago(7))


async def test_a_check_is_kept_and_a_disagreement_shown(database: Database, tenant: str) -> None:
    jobs = await refreshed(database, tenant, good_journey(1, ago(60)))
    assert (await jobs.check(tenant)).state == "agrees"
    async with database.transaction(tenant) as conn:
        assert {one.agreement for one in await read.overview(conn)} == {"agrees", "unchecked"}  # no cost is told
        assert await read.disagreements(conn) == ()
    async with database.transaction(tenant) as conn:
        await conn.execute("update money set late = true where kind = 'charge'")
    await jobs.check(tenant)
    async with database.transaction(tenant) as conn:
        (found,) = await read.disagreements(conn)
        snapshot = await read.snapshot(conn)
        assert (await read.kpi(conn, "late-charges")).agreement == "differs"
    assert (found.name, found.first_numerator, found.second_numerator) == ("late-charges", 10_000, 0)
    assert len(found.rows) == 1 and snapshot is not None and snapshot.check_state == "differs"
    assert jobs.differing[tenant] == {"late-charges": 1}


async def test_a_check_that_cannot_be_made_says_why_and_changes_nothing(database: Database, tenant: str) -> None:
    jobs = await refreshed(database, tenant, good_journey(1, ago(60)))
    await jobs.check(tenant)
    nowhere = urlsplit(database.url)._replace(path="/nowhere").geturl()
    with pytest.raises(CheckStopped, match="InvalidCatalogNameError"):
        await check_apart(Question(nowhere, tenant, jobs.basis()))
    async with database.transaction(tenant) as conn:
        assert await read.disagreements(conn) == ()


async def test_a_check_that_nobody_waits_for_any_longer_ends(database: Database, tenant: str) -> None:
    asked = asyncio.create_task(check_apart(Question(database.url, tenant, Jobs(database, FixedClock(AS_OF)).basis())))
    await asyncio.sleep(0.1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not [child for child in psutil.Process().children() if "journey.kpi" in child.cmdline()]


async def test_a_check_is_due_once_in_its_interval_whatever_restarts(database: Database, tenant: str) -> None:
    clock = FixedClock(AS_OF)
    jobs = Jobs(database, clock, check_every_s=900)
    assert await jobs.is_due(tenant)
    await refreshed(database, tenant, good_journey(1, ago(60)))
    await jobs.check(tenant)
    again = Jobs(database, clock, check_every_s=900)
    assert not await again.is_due(tenant)
    clock.advance(timedelta(seconds=901))
    assert await again.is_due(tenant)


async def test_journeys_under_way_are_left_out_of_the_comparison(
    database: Database, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await refreshed(database, tenant, good_journey(1, ago(60)))
    monkeypatch.setattr("journey.kpi.jobs.CHECK_PAUSE_S", 0.0)
    async with database.unit(tenant) as unit:
        fact = Fact("late-fact", f"{1:032x}", "claim.held", "", ago(57, hours=-1), "held", "", {"claim_id": "x"})
        await store.record_fact(unit.conn, fact)
    result = await jobs.check(tenant)
    assert (result.state, result.moving) == ("agrees", 1)


async def test_another_tenant_sees_nothing(database: Database, tenant: str) -> None:
    await refreshed(database, tenant, denied(1, ago(10)))
    async with database.transaction(f"{tenant}-other") as conn:
        assert await read.snapshot(conn) is None
        assert (await read.work_items(conn, WorkFilter(state="all"), TODAY)).rows == ()
        assert (await read.denials(conn, DenialFilter())).rows == ()


async def test_a_second_replica_leaves_the_snapshot_to_the_first(database: Database, tenant: str) -> None:
    jobs = await refreshed(database, tenant, good_journey(1, ago(60)))
    await tell(database, tenant, good_journey(2, ago(60)))
    async with database.transaction(tenant) as conn:
        assert await conn.fetchval(refresh_module._ALONE)
        assert await jobs.refresh(tenant) == 0
        assert (await read.kpi(conn, "clean-claim-rate")).denominator == 1
    await jobs.refresh(tenant)
    async with database.transaction(tenant) as conn:
        assert (await read.kpi(conn, "clean-claim-rate")).denominator == 2


async def test_work_that_is_being_recorded_is_ranked_the_next_time(database: Database, tenant: str) -> None:
    jobs = await refreshed(database, tenant, denied(1, ago(10)))
    async with database.transaction(tenant) as conn:
        await conn.execute("update work_item set due_on = $1, priority = 1", TODAY)
        await jobs.refresh(tenant)  # waits for nobody
    async with database.transaction(tenant) as conn:
        assert (await read.work_item(conn, "work-1", TODAY)).priority == 1
    await jobs.refresh(tenant)
    async with database.transaction(tenant) as conn:
        assert (await read.work_item(conn, "work-1", TODAY)).closeness == 100
