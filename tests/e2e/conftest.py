"""A whole Throughline with journeys in it, and a real browser that is signed in: started once for these tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cli.stack import Stack
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from stack import Run, run_stories, stories_of

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STORIES = 24
SETTLE_S = 240.0


def chromium() -> str:
    """Where a Chromium is: RCM_CHROMIUM, or what the system calls so; empty when there is none."""
    return os.environ.get("RCM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")


@pytest.fixture(scope="session")
def executable() -> str:
    found = chromium()
    if not found:
        pytest.skip("no Chromium is installed: install the package chromium, or name one in RCM_CHROMIUM")
    return found


@dataclass
class Site:
    """The running stack, and what went through it."""

    stack: Stack
    run: Run

    @property
    def url(self) -> str:
        return self.stack.console_url


@pytest.fixture(scope="session")
def site(executable: str) -> Iterator[Site]:
    """Stories of the seeded generator, sent and settled, so that every page has something to show."""
    folder = Path(tempfile.mkdtemp(prefix="rcm-e2e-"))
    folder.chmod(0o711)
    settings = {"journey": {"RCM_KPI_EVERY_S": "2", "RCM_KPI_CHECK_EVERY_S": "5"}}
    try:
        with Stack(folder / "stack", extra=settings) as stack:
            stories = stories_of(folder / "stories", 11, STORIES)
            with ThreadPoolExecutor(1) as pool:
                run = pool.submit(asyncio.run, run_stories(stack, stories, SETTLE_S)).result()
            assert not run.problems and run.journeys
            yield Site(stack, run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Visit:
    """One browser window, and what it complained about or asked from elsewhere."""

    page: Page
    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """From now on every message of the console and every request is looked at."""
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: self._look_at(asked.url))

    def _look_at(self, address: str) -> None:
        if not address.startswith((self.url, "data:", "about:")):
            self.elsewhere.append(address)

    async def sign_in(self, role: str = "admin") -> None:
        await self.page.goto(f"{self.url}/login")
        await self.page.get_by_label("Your name").fill("Ada Example")
        await self.page.get_by_label("Role").select_option(role)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url(f"{self.url}/")

    async def open(self, path: str) -> int:
        answer = await self.page.goto(f"{self.url}{path}")
        return answer.status if answer is not None else 0


@pytest.fixture
async def browser(executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        await started.close()


async def visit_of(browser: Browser, site: Site, width: int, scheme: str) -> Visit:
    """A window of this width and colour scheme in which an administrator is signed in."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        service_workers="block",
    )
    visit = Visit(await context.new_page(), context, site.url)
    visit.watch()
    await visit.sign_in()
    return visit


@pytest.fixture
async def desktop(browser: Browser, site: Site) -> AsyncIterator[Visit]:
    visit = await visit_of(browser, site, 1360, "light")
    yield visit
    await visit.context.close()


@pytest.fixture
async def phone(browser: Browser, site: Site) -> AsyncIterator[Visit]:
    visit = await visit_of(browser, site, 360, "light")
    yield visit
    await visit.context.close()


@pytest.fixture
async def night(browser: Browser, site: Site) -> AsyncIterator[Visit]:
    visit = await visit_of(browser, site, 1360, "dark")
    yield visit
    await visit.context.close()
