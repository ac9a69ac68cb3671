"""The pages over the ledger: what they show, what they refuse, and what they write down before they show it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from console_under_test import NOW, Console, console_on, facts_of, sign_in, tell
from journey.console.table_stages import HOLDER
from journey.kpi.table_formulas import FORMULAS
from journey.model import STAGES
from sample_journeys import KINDS, journey_id, sample_facts, trace_id

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
async def console(platform: Any, tenant: str) -> AsyncIterator[Console]:
    async with console_on(platform, tenant) as made:
        await tell(made, sample_facts(65, NOW))
        yield made


@pytest.fixture
async def browser(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with console.client() as client:
        yield await sign_in(client)


async def page_of(browser: httpx.AsyncClient, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


def test_every_stage_has_a_holder() -> None:
    assert set(HOLDER) == set(STAGES)


async def test_the_overview_shows_figures_money_levels_and_the_oldest(browser: httpx.AsyncClient) -> None:
    text = await page_of(browser, "/")
    for shown in ("Clean claim rate", "integrated 96-98 %", "Money by stage", "Oldest unfinished", "Service levels"):
        assert shown in text
    for formula in FORMULAS:
        assert f'href="/kpis/{formula.name}"' in text
    assert re.search(r'<svg class="chart"[^>]*role="img"[^>]*aria-label="Dollars that wait', text)
    assert 'aria-current="page">Overview' in text and text.count('aria-current="page"') == 1


async def test_the_overview_of_an_empty_system_says_what_comes(platform: Any, tenant: str) -> None:
    async with console_on(platform, tenant) as console, console.client() as client:
        await sign_in(client)
        text = await page_of(client, "/")
        assert "Nothing waits anywhere." in text and "have not been computed yet" in text
        for path in ("/journeys", "/denials", "/payers", "/providers"):
            assert 'class="empty"' in await page_of(client, path)


async def test_a_disagreement_of_the_computations_is_a_notice(console: Console, browser: httpx.AsyncClient) -> None:
    async with console.database.transaction(console.tenant) as conn:
        await conn.execute(
            """insert into kpi_check (name, agreement, as_of, checked_at, first_numerator, first_denominator,
            second_numerator, second_denominator, differing)
            values ('clean-claim-rate', 'differs', $1, $1, 5, 9, 4, 9, '["claim-1"]')""",
            NOW,
        )
    assert "the two computations differ" in await page_of(browser, "/")
    assert "The two computations differ" in await page_of(browser, "/kpis/clean-claim-rate")
    assert "The two computations differ" not in await page_of(browser, "/kpis/auto-post-rate")


async def test_journeys_are_paged_without_gaps_or_repeats(browser: httpx.AsyncClient) -> None:
    path, seen = "/journeys", []
    for _ in range(3):
        text = await page_of(browser, path)
        seen += re.findall(r'class="id"><a href="/journeys/([0-9a-f]{32})"', text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 65


async def test_journeys_are_filtered(browser: httpx.AsyncClient) -> None:
    held = await page_of(browser, "/journeys?stage=hold")
    assert journey_id(KINDS["held"]) in held and journey_id(KINDS["reviewed"]) not in held
    paid = await page_of(browser, "/journeys?payer=PAYER-A&state=ended")
    assert "PAYER-A" in paid and not re.search(r'nowrap">PAYER-B', paid)
    assert "No journey fits." in await page_of(browser, "/journeys?since=2030-01-01")


@pytest.mark.parametrize("asked", [journey_id(3), "Encounter/3", "claim-000003"])
async def test_what_names_one_journey_leads_to_it(browser: httpx.AsyncClient, asked: str) -> None:
    answer = await browser.get("/journeys", params={"text": asked})
    assert answer.status_code == 303 and answer.headers["location"] == f"/journeys/{journey_id(3)}"


async def test_a_journey_shows_every_stage_fact_lead_and_burst(browser: httpx.AsyncClient) -> None:
    number = KINDS["appealed"]
    text = await page_of(browser, f"/journeys/{journey_id(number)}")
    for stage in ("documentation", "coding", "charge", "submission", "clearinghouse", "payer", "denial", "appeal"):
        assert f">{stage}<" in text or f"{stage}\n" in text
    for fact in ("encounter.finished", "claim.submitted", "claim.denied", "claim.appealed", "payment.posted"):
        assert fact in text
    claim = f"claim-{number:06}"
    assert f'href="/claims/{claim}"' in text and f'href="/remittances/remit-{number:06}"' in text
    assert trace_id(number, 1) in text and "traces.example.org" not in text
    assert 'class="rework"' in text and 'class="hatch-line"' in text


async def test_traces_lead_to_where_they_are_looked_at(platform: Any, tenant: str) -> None:
    address = "https://traces.example.org/trace/{trace_id}"
    async with console_on(platform, tenant, trace_url=address) as console, console.client() as client:
        await tell(console, sample_facts(3, NOW))
        await sign_in(client)
        text = await page_of(client, f"/journeys/{journey_id(1)}")
        for one in (journey_id(1), trace_id(1, 1)):
            assert f'href="{address.replace("{trace_id}", one)}"' in text


async def test_the_waterfall_is_drawn_on_the_scale_that_was_asked_for(browser: httpx.AsyncClient) -> None:
    address = f"/journeys/{journey_id(KINDS['clean'])}"
    own, linear, log = [await page_of(browser, address + query) for query in ("", "?scale=linear", "?scale=log")]
    assert own == log != linear
    assert "logarithmic</a>" in linear and 'aria-current="true">linear' in linear
    assert own == await page_of(browser, f"{address}?scale=nonsense")


async def test_a_journey_of_another_tenant_is_not_there(platform: Any, console: Console) -> None:
    async with console_on(platform, f"{console.tenant}-b") as other, other.client() as client:
        await sign_in(client, "admin")
        there = await client.get(f"/journeys/{journey_id(3)}")
        nowhere = await client.get(f"/journeys/{journey_id(999_999)}")
        assert there.status_code == nowhere.status_code == 404
        assert there.text == nowhere.text
        assert journey_id(3) not in await page_of(client, "/journeys")
        assert (await client.get("/journeys", params={"text": journey_id(3)})).status_code == 200
        assert await other.rows("select 1 from console_access where kind = 'journey' and action = 'read'") == []


async def test_who_reads_a_journey_is_written_down_first(console: Console, browser: httpx.AsyncClient) -> None:
    await page_of(browser, f"/journeys/{journey_id(3)}")
    found = await console.rows(
        "select subject, action, kind, item, journey_id, at from console_access where action = 'read'"
    )
    expected = {"subject": "local:Ada", "action": "read", "kind": "journey", "item": journey_id(3)}
    assert found == [{**expected, "journey_id": journey_id(3), "at": NOW}]


async def test_nothing_is_shown_when_the_access_cannot_be_written(
    console: Console, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("journey.console.access._RECORD", "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 from nowhere")
    answer = await browser.get(f"/journeys/{journey_id(3)}")
    assert answer.status_code == 500 and "Encounter/3" not in answer.text


async def test_hostile_data_is_shown_as_text(console: Console, browser: httpx.AsyncClient) -> None:
    given = {"encounter": HOSTILE, "source": HOSTILE, "claim_id": HOSTILE, "payer_id": HOSTILE, "work_id": HOSTILE}
    given |= {"provider": HOSTILE, "payer_class": HOSTILE, "remittance_id": HOSTILE, "category": HOSTILE}
    rows = [
        ("encounter.finished", "", 0, given),
        ("claim.built", "held", 1, {**given, "reason": HOSTILE, "billed_cents": 5}),
        ("claim.submitted", "", 2, {**given, "billed_cents": 5}),
        ("claim.denied", "", 3, {**given, "denied_cents": 5, "carc": [HOSTILE], "reason": HOSTILE}),
    ]
    await tell(console, facts_of("f" * 32, NOW - timedelta(days=1), rows))
    paths = ["/", f"/journeys/{'f' * 32}", "/journeys", "/payers", "/providers", "/kpis/initial-denial-rate"]
    paths += [f"/denials?by={by}" for by in ("payer", "carc", "category", "feed", "provider")]
    for path in paths:
        assert "<script" not in await page_of(browser, path)
    assert "&lt;script&gt;" in await page_of(browser, f"/journeys/{'f' * 32}")


@pytest.mark.parametrize("by", ["payer", "carc", "category", "feed", "provider"])
@pytest.mark.parametrize("measure", ["cents", "count"])
async def test_denials_over_the_weeks(browser: httpx.AsyncClient, by: str, measure: str) -> None:
    text = await page_of(browser, f"/denials?by={by}&measure={measure}")
    assert 'class="series-1"' in text and "The denials behind it" in text and "<details>" in text


async def test_denials_are_narrowed_to_a_key_and_a_week(console: Console, browser: httpx.AsyncClient) -> None:
    rows = await console.rows("select category, denied_at from denial where kind = 'denied' order by denied_at limit 1")
    category, day = rows[0]["category"], rows[0]["denied_at"].date()
    text = await page_of(browser, f"/denials?category={category}&week={day}")
    assert len(re.findall(r">claim</a>", text)) >= 1
    assert "No denial fits." in await page_of(browser, "/denials?category=duplicate&payer=NOBODY")
    assert (await browser.get("/denials?week=soon")).status_code == 400


async def test_payers_and_providers(browser: httpx.AsyncClient) -> None:
    payers = await page_of(browser, "/payers")
    providers = await page_of(browser, "/providers")
    for number in (1, 2, 3):
        assert f"PAYER-{'ABCD'[number]}" in payers
    assert "1000000004" in providers and 'class="chart split"' in providers


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
async def test_every_figure_opens_to_its_formula_and_rows(browser: httpx.AsyncClient, formula: Any) -> None:
    text = await page_of(browser, f"/kpis/{formula.name}")
    assert formula.title in text and f"version {formula.version}" in text and "The rows behind it" in text


async def test_rows_of_a_figure_lead_to_journeys_and_claims(browser: httpx.AsyncClient) -> None:
    text = await page_of(browser, "/kpis/clean-claim-rate?part=numerator")
    assert re.search(r'href="/journeys/[0-9a-f]{32}">journey', text) and 'href="/claims/claim-' in text
    assert 'aria-current="true">Above the line' in text


async def test_pages_are_landmarks_headings_and_tables_with_heads(browser: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/journeys",
        f"/journeys/{journey_id(3)}",
        "/denials",
        "/payers",
        "/providers",
        "/kpis/charge-lag",
    ):
        text = await page_of(browser, path)
        assert text.count("<h1>") == 1 and '<html lang="en">' in text and "<main" in text and "<nav" in text
        assert text.index('href="#main"') < text.index("<header")
        for table in re.findall(r"<table.*?</table>", text, re.S):
            assert "<th scope=" in table
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), path
        for control in re.findall(r"<(?:input|select)[^>]*>", text):
            named = re.search(r'\sid="([^"]+)"', control)
            assert 'type="hidden"' in control or (named and f'for="{named[1]}"' in text), control
