"""Deciding in a real browser over the whole line: what a person does on a work item moves the encounter on."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from conftest import Site, Visit

MOVES_WITHIN_S = 60.0
POLL_S = 0.5


async def first_of(visit: Visit, kind: str, because: str = "", state: str = "open") -> str:
    """The path of the first work item of a kind, and of a reason when one is given."""
    assert await visit.open(f"/work?kind={kind}&state={state}") == 200
    row = visit.page.locator("main tbody tr").filter(has_text=because).first
    await row.locator('a[href^="/work/"]').click()
    await visit.page.wait_for_url(re.compile("/work/[0-9a-f-]{36}"))
    return visit.page.url.removeprefix(visit.url)


async def until_closed(visit: Visit, path: str) -> None:
    """Reloads the item until the queue has heard that it is settled."""
    for _ in range(int(MOVES_WITHIN_S / POLL_S)):
        await visit.open(path)
        if await visit.page.locator("dl.facts .tag.good").count():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("the work item did not close")


def quiet(visit: Visit) -> None:
    """The browser complained about nothing and asked nobody else."""
    assert visit.complaints == [] and visit.elsewhere == []


async def test_a_coder_decides_and_the_encounter_goes_on(desktop: Visit, site: Site) -> None:
    path = await first_of(desktop, "coder-review")
    page = desktop.page
    await expect(page.get_by_role("heading", name="What was found")).to_be_visible()
    journey = await page.locator('main a[href^="/journeys/"]').first.get_attribute("href")
    await page.get_by_role("button", name="Accept").click()
    await expect(page.get_by_role("status")).to_contain_text("Accepted")
    await until_closed(desktop, path)
    await expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    assert await desktop.open(str(journey)) == 200
    await expect(page.get_by_role("main")).to_contain_text("coder review")
    quiet(desktop)


async def test_a_missing_charge_is_given_by_keyboard_alone(desktop: Visit, site: Site) -> None:
    path = await first_of(desktop, "missing-charge", "nothing was charged")
    page = desktop.page
    await page.get_by_label("CPT or HCPCS code").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("82947")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("added")
    await until_closed(desktop, path)
    quiet(desktop)


async def test_a_hold_that_cannot_be_overruled_says_why_and_stays(desktop: Visit, site: Site) -> None:
    await first_of(desktop, "claim-hold")
    page = desktop.page
    await page.get_by_role("button", name="Release").click()
    await expect(page.get_by_role("status")).to_contain_text("still on hold")
    await expect(page.get_by_role("button", name="Release")).to_be_visible()
    quiet(desktop)


async def test_a_claims_file_is_read_by_segment_and_names_only_when_asked(desktop: Visit, site: Site) -> None:
    await desktop.open("/claims?state=paid")
    page = desktop.page
    await page.locator('main a[href^="/claims/"]').first.click()
    await page.get_by_text("The 837 by segment").click()
    insured = page.locator("li.segment", has_text="insured").filter(has_text="last or organization name").first
    await expect(insured).to_contain_text("<")
    await page.get_by_role("link", name="Show names and numbers").click()
    await expect(insured).not_to_contain_text("<")
    await expect(page.get_by_text("this view was recorded")).to_be_visible()
    quiet(desktop)


async def test_a_viewer_is_told_what_deciding_needs(desktop: Visit, site: Site) -> None:
    await desktop.page.get_by_role("button", name="Sign out").click()
    await desktop.sign_in("viewer")
    await first_of(desktop, "claim-hold")
    await expect(desktop.page.get_by_text("Deciding needs the role biller")).to_be_visible()
    await expect(desktop.page.locator('form input[name="action"]')).to_have_count(0)
    quiet(desktop)


async def test_a_work_item_on_a_phone_is_no_wider_than_the_phone(phone: Visit, site: Site) -> None:
    for kind in ("claim-hold", "coder-review", "missing-charge"):
        await first_of(phone, kind, state="all")
        assert not await phone.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"), kind
    quiet(phone)
