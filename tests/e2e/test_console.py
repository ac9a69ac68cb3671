"""The console in a real browser over the whole line: found, read, walked by keyboard, on a phone, at night."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from conftest import Site, Visit

PAGES = (
    "/",
    "/journeys",
    "/work",
    "/claims",
    "/remittances",
    "/denials",
    "/payers",
    "/providers",
    "/channels",
    "/messages",
    "/health",
    "/kpis/clean-claim-rate",
    "/kpis/encounter-to-payment",
)
# Wider than the window by more than a rounding.
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth + 1"
LUMINANCE = """() => {
    const parts = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
    return (parts[0] * 299 + parts[1] * 587 + parts[2] * 114) / 255000;
}"""
FOCUSED = """() => {
    const one = document.activeElement;
    const box = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    const name = one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.[0]?.textContent || '';
    return {name: name.replace(/\\s+/g, ' '), tag: one.tagName, top: box.top, width: box.width,
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2};
}"""


async def paths_of(visit: Visit, site: Site) -> list[str]:
    """Every page, and one of each thing that a list leads to."""
    found = [*PAGES, f"/journeys/{site.run.journeys[0].journey_id}"]
    for folder in ("claims", "remittances", "work", "messages"):
        await visit.open(f"/{folder}")
        leads = await visit.page.locator(f'main a[href^="/{folder}/"]').evaluate_all("all => all.map(a => a.pathname)")
        found += leads[:1]
    return found


async def test_who_is_not_signed_in_sees_only_the_way_in(desktop: Visit, site: Site) -> None:
    await desktop.page.get_by_role("button", name="Sign out").click()
    await expect(desktop.page.get_by_role("heading", level=1)).to_have_text("Signed out")
    await desktop.open("/journeys")
    await expect(desktop.page).to_have_url(f"{site.url}/login?next=%2Fjourneys")
    await desktop.page.get_by_label("Your name").fill("Ada")
    await desktop.page.get_by_role("button", name="Sign in").click()
    await expect(desktop.page).to_have_url(f"{site.url}/journeys")


async def test_from_the_overview_to_a_journey_and_its_waterfall(desktop: Visit, site: Site) -> None:
    page = desktop.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    await expect(page.get_by_role("heading", name="Clean claim rate")).to_be_visible()
    await expect(page.get_by_role("note")).to_contain_text("Development login")
    journey = max(site.run.journeys, key=lambda one: len(one.stages))
    await page.get_by_label("Find a journey by its id, encounter or claim").fill(journey.encounter)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{site.url}/journeys/{journey.journey_id}")
    waterfall = page.get_by_role("img", name=re.compile("Waterfall of"))
    await expect(waterfall).to_be_visible()
    bars = await waterfall.locator("rect.bar").count()
    rows = await page.get_by_role("region", name="Stages").locator("tbody tr").count()
    assert bars == rows == len([stage for stage in journey.stages])
    await page.get_by_role("link", name="linear").click()
    await expect(page.get_by_role("link", name="linear")).to_have_attribute("aria-current", "true")
    told = await page.get_by_role("region", name="Stages").locator("tfoot td.num").last.inner_text()
    assert int(told.replace(",", "")) == sum(stage.elapsed_us for stage in journey.stages)


async def test_every_figure_of_the_overview_opens_to_its_rows(desktop: Visit) -> None:
    await desktop.page.get_by_role("link", name="Clean claim rate").first.click()
    await expect(desktop.page.get_by_role("heading", name="The rows behind it")).to_be_visible()
    await desktop.page.get_by_role("region", name="Rows").get_by_role("link", name="journey").first.click()
    await expect(desktop.page.get_by_role("heading", name="Over real time")).to_be_visible()


async def test_no_page_complains_or_asks_anybody_else(desktop: Visit, site: Site) -> None:
    for path in await paths_of(desktop, site):
        assert await desktop.open(path) == 200, path
        assert desktop.complaints == [] and desktop.elsewhere == [], path
        assert await desktop.page.locator("h1").count() == 1 and await desktop.page.locator("main").count() == 1, path
    assert await desktop.page.evaluate("document.scripts.length") == 0 or not desktop.complaints


async def test_no_page_is_wider_than_a_phone(phone: Visit, site: Site) -> None:
    for path in await paths_of(phone, site):
        await phone.open(path)
        assert not await phone.page.evaluate(TOO_WIDE), path
    assert phone.complaints == []


async def test_pages_are_dark_at_night_and_light_by_day(desktop: Visit, night: Visit, site: Site) -> None:
    for path in ("/", f"/journeys/{site.run.journeys[0].journey_id}", "/work"):
        await desktop.open(path)
        await night.open(path)
        assert await desktop.page.evaluate(LUMINANCE) > 0.85 and await night.page.evaluate(LUMINANCE) < 0.2, path


async def test_a_journey_is_found_and_read_by_keyboard_alone(desktop: Visit, site: Site) -> None:
    page = desktop.page
    await page.goto(site.url)
    await page.keyboard.press("Tab")
    first = await page.evaluate(FOCUSED)
    assert first["name"] == "Skip to the content" and first["outlined"] and first["top"] >= 0
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.goto(site.url)
    seen: list[str] = []
    for _ in range(8):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(FOCUSED)
        assert focused["outlined"] and focused["width"] > 0, focused
        seen.append(focused["name"])
    assert seen[1].startswith("Throughline") and "Find" in seen and "Sign out" in seen
    assert seen.index("Sign out") < seen.index("Overview") < seen.index("Journeys")
    while (await page.evaluate(FOCUSED))["name"] != "Journeys":
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Journeys")
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.matches('td a, th a')"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Over real time")).to_be_visible()


async def test_the_accesses_of_this_visit_are_on_record(desktop: Visit, site: Site) -> None:
    from stack import query

    journey = site.run.journeys[-1].journey_id
    await desktop.open(f"/journeys/{journey}")
    rows = await query(
        site.stack.owner_url, f"select subject, action from journey.console_access where journey_id = '{journey}'"
    )
    assert {("local:Ada Example", "read")} <= {(row["subject"], row["action"]) for row in rows}
