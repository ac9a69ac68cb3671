"""What holds for the whole console: nothing without signing in, forms that are ours, strict headers, silent errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from asyncpg import InsufficientPrivilegeError
from chassis import SettingsError
from console_under_test import BASE, Console, console_on, csrf_of, settings_of, sign_in
from fastapi.routing import APIRoute
from journey.console.guard import PUBLIC
from journey.console.page import own_path
from journey.console.settings import check_console

HOSTILE = "<script>alert(1)</script>\"'"


@pytest.fixture
async def console(platform: Any, tenant: str) -> AsyncIterator[Console]:
    async with console_on(platform, tenant) as made:
        yield made


@pytest.fixture
async def browser(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with console.client() as client:
        yield client


def routes_of(console: Console) -> list[tuple[str, str]]:
    """Method and path of every route, the routers' included."""
    found = []
    waiting: list[Any] = list(console.app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        waiting += list(inner.routes) if inner is not None else []
        if isinstance(route, APIRoute):
            found += [(method, route.path) for method in route.methods]
    return found


async def test_no_route_answers_without_signing_in_but_the_way_in(console: Console, browser: httpx.AsyncClient) -> None:
    routes = routes_of(console)
    assert len(routes) > 20
    for method, path in routes:
        if path in PUBLIC:
            continue
        answer = await browser.request(method, path.replace("{", "").replace("}", "").replace(":path", ""))
        if method in ("GET", "HEAD"):
            assert answer.status_code == 303 and answer.headers["location"].startswith("/login"), path
        else:
            assert answer.status_code in (401, 403), path


async def test_the_local_login_lets_in_and_shows_its_banner(console: Console, browser: httpx.AsyncClient) -> None:
    page = await browser.get("/login")
    assert "Development login: no password" in page.text
    await sign_in(browser, "biller", "Ada")
    page = await browser.get("/")
    assert page.status_code == 200 and "Ada" in page.text and "Development login: no password" in page.text
    assert (await browser.get("/login?next=/payers")).headers["location"] == "/payers"


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.4", "console.example.org", "::"])
def test_the_local_login_is_refused_off_loopback(platform: Any, host: str) -> None:
    with pytest.raises(SettingsError, match=r"RCM_LISTEN_HOST=127\.0\.0\.1.*RCM_CONSOLE_LOGIN=oidc"):
        check_console(settings_of(platform, "t", listen_host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_the_local_login_is_allowed_on_loopback(platform: Any, host: str) -> None:
    check_console(settings_of(platform, "t", listen_host=host))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"console_url": "https://console.example.org"}, "RCM_CONSOLE_URL"),
        ({"console_login": "oidc"}, "RCM_CONSOLE_URL"),
        ({"trace_url": "https://traces.example.org/"}, "RCM_TRACE_URL"),
        ({"console_roles": {"x": "root"}}, "RCM_CONSOLE_ROLES"),
    ],
)
def test_settings_that_do_not_go_together_name_the_next_step(platform: Any, given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        check_console(settings_of(platform, "t", **given))


def test_an_issuer_needs_https_and_a_long_secret(platform: Any) -> None:
    given = {
        "console_login": "oidc",
        "console_url": "https://console.example.org",
        "console_issuer": "https://login.example.org",
        "console_client_id": "x",
        "console_secret": "s" * 32,
    }
    check_console(settings_of(platform, "t", **given))
    with pytest.raises(SettingsError, match="RCM_CONSOLE_SECRET"):
        check_console(settings_of(platform, "t", **given | {"console_secret": "short"}))
    for name in ("console_url", "console_issuer"):
        with pytest.raises(SettingsError, match=f"RCM_{name.upper()} is not https"):
            check_console(settings_of(platform, "t", **given | {name: "http://plain.example.org"}))


async def test_every_answer_tells_browsers_to_be_strict(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    for path in ("/", "/login", "/nowhere", "/static/console.css", "/healthz", "/journeys/x"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
        assert path.startswith("/static/") or headers["cache-control"] == "no-store"


async def test_no_page_needs_what_the_policy_forbids(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    for path in ("/", "/journeys", "/denials", "/payers", "/providers", "/kpis/clean-claim-rate", "/nowhere"):
        text = (await browser.get(path)).text
        for forbidden in ("<script", " style=", " onclick=", "javascript:", "//cdn"):
            assert forbidden not in text, (path, forbidden)


async def test_a_form_without_our_token_or_from_another_site_changes_nothing(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "admin")
    token = csrf_of(await browser.get("/"))
    assert (await browser.post("/logout")).status_code == 403
    assert (await browser.post("/logout", data={"csrf": "0" * 64})).status_code == 403
    other = {"origin": "https://evil.example.org"}
    assert (await browser.post("/logout", data={"csrf": token}, headers=other)).status_code == 403
    other = {"sec-fetch-site": "cross-site"}
    assert (await browser.post("/logout", data={"csrf": token}, headers=other)).status_code == 403
    assert (await browser.get("/")).status_code == 200
    ours = {"origin": BASE, "sec-fetch-site": "same-origin"}
    assert (await browser.post("/logout", data={"csrf": token}, headers=ours)).status_code == 303
    assert (await browser.get("/")).status_code == 303


async def test_the_token_of_one_session_is_worth_nothing_in_another(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await sign_in(browser)
    token = csrf_of(await browser.get("/"))
    async with console.client() as other:
        await sign_in(other)
        assert (await other.post("/logout", data={"csrf": token})).status_code == 403


async def test_the_login_form_needs_its_token_too(browser: httpx.AsyncClient) -> None:
    assert (await browser.post("/login", data={"name": "x", "role": "admin"})).status_code == 403
    page = await browser.get("/login")
    browser.cookies.clear()
    assert (await browser.post("/login", data={"csrf": csrf_of(page), "role": "admin"})).status_code == 403


async def test_a_viewer_changes_nothing(console: Console, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "viewer")
    token = csrf_of(await browser.get("/"))
    for method, path in routes_of(console):
        if method != "POST" or path in (*PUBLIC, "/logout"):
            continue
        answer = await browser.post(path.replace("{", "").replace("}", ""), data={"csrf": token})
        assert answer.status_code == 403 and "<code>role</code>" in answer.text, path


async def test_a_session_ends_when_idle_and_in_any_case(console: Console, browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    for _ in range(4):
        console.clock.advance(minutes=25)
        assert (await browser.get("/payers")).status_code == 200
    console.clock.advance(minutes=31)
    assert (await browser.get("/payers")).status_code == 303
    await sign_in(browser)
    for _ in range(23):
        console.clock.advance(minutes=25)
        assert (await browser.get("/payers")).status_code == 200
    console.clock.advance(minutes=26)
    assert (await browser.get("/payers")).status_code == 303


async def test_signing_in_makes_a_new_session_and_ends_the_old_one(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await sign_in(browser, "admin")
    old = dict(browser.cookies)
    token = csrf_of(await browser.get("/"))
    await browser.post("/login", data={"csrf": token, "name": "Ada", "role": "viewer", "next": "/"})
    assert dict(browser.cookies)["throughline-session"] != old["throughline-session"]
    async with console.client() as thief:
        thief.cookies.update(old)
        assert (await thief.get("/")).status_code == 303


async def test_a_cookie_that_was_changed_or_made_up_is_nobody(console: Console, browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    sealed = browser.cookies["throughline-session"]
    for cookie in (sealed[:-2] + "AA", "x", "ä", sealed[::-1]):
        async with console.client() as other:
            answer = await other.get("/", headers={"cookie": f"throughline-session={cookie}".encode()})
            assert answer.status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example.org",
        "//evil.example.org/x",
        "/\\evil.example.org",
        "\\\\evil",
        "javascript:x",
        "x",
        "/a\nb",
        "",
    ],
)
def test_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_pages_of_ours_are_led_to() -> None:
    assert own_path("/journeys?stage=hold&after=x") == "/journeys?stage=hold&after=x"


async def test_error_pages_carry_nothing_that_came_in(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    for path in (f"/nowhere/{HOSTILE}", f"/kpis/{HOSTILE}", f"/journeys/{HOSTILE}", f"/journeys?since={HOSTILE}"):
        answer = await browser.get(path)
        assert answer.status_code in (400, 404) and "text/html" in answer.headers["content-type"]
        assert "alert(1)" not in answer.text
    answer = await browser.get("/journeys?after=nonsense")
    assert answer.status_code == 400 and "page-token" in answer.text and "nonsense" not in answer.text


async def test_who_is_signed_in_keeps_the_navigation_where_nothing_is(browser: httpx.AsyncClient) -> None:
    assert 'href="/payers"' not in (await browser.get("/nowhere")).text
    await sign_in(browser)
    assert 'href="/payers"' in (await browser.get("/nowhere")).text


async def test_a_name_is_shown_as_text(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "viewer", HOSTILE)
    page = await browser.get("/")
    assert "<script>" not in page.text and "&lt;script&gt;alert(1)" in page.text


async def test_other_names_for_this_machine_are_not_ours(console: Console) -> None:
    async with console.client("http://rebound.example.org") as other:
        assert (await other.get("/login")).status_code == 400


async def test_large_bodies_are_not_read(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    answer = await browser.post("/logout", data={"csrf": "x" * 1_100_000})
    assert answer.status_code == 413 and "<html" in answer.text


async def test_a_page_that_fails_says_so_without_its_reason(console: Console, browser: httpx.AsyncClient) -> None:
    async def fail() -> None:
        raise RuntimeError("member W123456789")

    console.app.add_api_route("/fails", fail)
    await sign_in(browser)
    answer = await browser.get("/fails")
    assert answer.status_code == 500 and "W123456789" not in answer.text and "Something went wrong" in answer.text


async def test_a_database_that_is_away_is_said_so(console: Console, browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    await console.database.close()
    answer = await browser.get("/")
    assert answer.status_code == 503 and "retry-after" in answer.headers
    await console.database.open()
    assert (await browser.get("/")).status_code == 200


async def test_accesses_are_only_ever_added(console: Console, browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    for sql in ("delete from console_access", "update console_access set subject = 'x'"):
        with pytest.raises(InsufficientPrivilegeError):
            await console.rows(sql)
    rows = await console.rows("select subject, name, role, action, kind from console_access")
    assert rows == [{"subject": "local:Ada", "name": "Ada", "role": "viewer", "action": "sign-in", "kind": "session"}]
