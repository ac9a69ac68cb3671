"""Signing in at an issuer: the way that works, and every answer that must not let anybody in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from console_under_test import NOW, Console, console_on, csrf_of
from issuer import CLIENT, CONSOLE, ISSUER, SETTINGS, Provider
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from kernel.clock import FixedClock


@pytest.fixture
def provider() -> Provider:
    return Provider(FixedClock(NOW))


@pytest.fixture
async def console(platform: Any, tenant: str, provider: Provider) -> AsyncIterator[Console]:
    async with console_on(platform, tenant, issuer=provider.transport(), **SETTINGS) as made:
        provider.clock = made.clock
        yield made


@pytest.fixture
async def browser(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with console.client(CONSOLE) as client:
        yield client


async def leave(browser: httpx.AsyncClient, wanted: str = "/") -> str:
    answer = await browser.get("/login/start", params={"next": wanted})
    assert answer.status_code == 303
    return answer.headers["location"]


async def come_back(browser: httpx.AsyncClient, provider: Provider, wanted: str = "/", **other: str) -> httpx.Response:
    address = await leave(browser, wanted)
    code = provider.authorize(address)
    given = {"code": code, "state": provider.asked[-1]["state"], "iss": ISSUER, **other}
    return await browser.get("/login/callback", params=given)


def refused(answer: httpx.Response, code: str) -> bool:
    """Refused with this code, and with nothing that came in on the page, nor a session."""
    session = [cookie for cookie in answer.headers.get_list("set-cookie") if "throughline-session" in cookie]
    return answer.status_code == 403 and f"<code>{code}</code>" in answer.text and not session


async def test_whoever_asks_for_a_page_is_led_through_the_issuer_and_back_to_it(
    console: Console, browser: httpx.AsyncClient, provider: Provider
) -> None:
    first = await browser.get("/journeys?stage=hold")
    assert first.status_code == 303 and first.headers["location"] == "/login?next=%2Fjourneys%3Fstage%3Dhold"
    page = await browser.get(first.headers["location"])
    assert "login.example.org" in page.text and "Development login" not in page.text
    answer = await come_back(browser, provider, "/journeys?stage=hold")
    assert answer.status_code == 303 and answer.headers["location"] == "/journeys?stage=hold"
    shown = await browser.get("/journeys?stage=hold")
    assert shown.status_code == 200 and "Grace Example" in shown.text and "biller" in shown.text
    rows = await console.rows("select subject, role, action, kind from console_access order by at, access_id")
    assert {"subject": "person-1", "role": "biller", "action": "sign-in", "kind": "session"} in rows


async def test_the_question_carries_pkce_state_and_nonce_and_our_own_address(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    address = await leave(browser)
    again = await leave(browser)
    assert address.startswith(f"{ISSUER}/authorize?")
    given, other = (parse_qs(urlsplit(one).query) for one in (address, again))
    assert given["redirect_uri"] == [f"{CONSOLE}/login/callback"] and given["client_id"] == [CLIENT]
    assert given["code_challenge_method"] == ["S256"] and given["response_type"] == ["code"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(given[name][0]) >= 32 and given[name] != other[name]


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    answer = await come_back(browser, provider)
    cookies = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-throughline-session="))
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word.lower() in session.lower()
    assert "domain" not in session.lower() and "person-1" not in session
    gone = next(cookie for cookie in cookies if cookie.startswith("__Host-throughline-leave="))
    assert "max-age=0" in gone.lower()


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "another"}, "id-token-refused"),
        ({"nonce": None}, "id-token-refused"),
        ({"iss": "https://evil.example.org"}, "id-token-refused"),
        ({"aud": "another-client"}, "id-token-refused"),
        ({"aud": [CLIENT, "another-client"], "azp": "another-client"}, "id-token-refused"),
        ({"exp": int(NOW.timestamp()) - 120}, "id-token-refused"),
        ({"exp": None}, "id-token-refused"),
        ({"iat": int(NOW.timestamp()) + 600}, "id-token-refused"),
        ({"sub": None}, "id-token-refused"),
        ({"groups": None}, "no-role"),
        ({"groups": ["cafeteria"]}, "no-role"),
        ({"groups": {"billing": True}}, "no-role"),
    ],
)
async def test_a_token_that_does_not_hold_lets_nobody_in(
    browser: httpx.AsyncClient, provider: Provider, claims: dict[str, Any], code: str
) -> None:
    provider.claims = claims
    assert refused(await come_back(browser, provider), code)
    assert (await browser.get("/")).status_code == 303


async def test_a_token_that_another_key_signed_is_refused(browser: httpx.AsyncClient, provider: Provider) -> None:
    provider.published = RSAKey.generate_key(2048, {"kid": "one"})
    assert refused(await come_back(browser, provider), "signature-refused")


async def test_a_token_without_a_signature_or_with_the_clients_secret_is_refused(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    address = await leave(browser)
    provider.authorize(address)
    nonce = provider.asked[-1]["nonce"]
    body = provider.sign(nonce).split(".")[1]
    for token in (
        f"eyJhbGciOiJub25lIn0.{body}.",
        jwt.encode({"alg": "HS256"}, {"sub": "x"}, OctKey.import_key("k" * 32)),
    ):
        provider.id_token = token
        code = provider.authorize(address)
        answer = await browser.get("/login/callback", params={"code": code, "state": provider.asked[-1]["state"]})
        assert refused(answer, "signature-refused")
        address = await leave(browser)


async def test_new_keys_of_the_issuer_are_found(
    console: Console, browser: httpx.AsyncClient, provider: Provider
) -> None:
    assert (await come_back(browser, provider)).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    console.clock.advance(minutes=2)
    assert (await come_back(browser, provider)).status_code == 303


async def test_an_answer_to_another_question_is_refused(browser: httpx.AsyncClient, provider: Provider) -> None:
    assert refused(await come_back(browser, provider, state="another"), "state-mismatch")
    assert refused(await come_back(browser, provider, state=""), "state-mismatch")
    assert refused(await come_back(browser, provider, iss="https://evil.example.org"), "issuer-mismatch")
    assert refused(await come_back(browser, provider, error="access_denied"), "issuer-refused")
    assert refused(await come_back(browser, provider, code="made up"), "code-refused")
    assert refused(await browser.get("/login/callback?code=x&state=y"), "sign-in-unknown")


async def test_an_answer_works_once_and_only_for_some_minutes(
    console: Console, browser: httpx.AsyncClient, provider: Provider
) -> None:
    address = await leave(browser)
    code = provider.authorize(address)
    given = {"code": code, "state": provider.asked[-1]["state"]}
    console.clock.advance(minutes=11)
    assert refused(await browser.get("/login/callback", params=given), "sign-in-unknown")
    assert (await come_back(browser, provider)).status_code == 303
    again = {"code": "code-2", "state": provider.asked[-1]["state"]}
    assert refused(await browser.get("/login/callback", params=again), "sign-in-unknown")


async def test_metadata_of_another_issuer_and_an_issuer_that_is_away(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.away = True
    assert (await browser.get("/login/start")).status_code == 503
    provider.away, provider.metadata = False, {"issuer": "https://evil.example.org"}
    assert refused(await browser.get("/login/start"), "issuer-mismatch")


async def test_a_way_back_to_another_site_leads_to_the_overview(browser: httpx.AsyncClient, provider: Provider) -> None:
    for wanted in ("https://evil.example.org/", "//evil.example.org", "/\\evil.example.org", "javascript:alert(1)", ""):
        answer = await come_back(browser, provider, wanted)
        assert answer.status_code == 303 and answer.headers["location"] == "/"


async def test_signing_out_ends_the_session_here_and_at_the_issuer(
    console: Console, browser: httpx.AsyncClient, provider: Provider
) -> None:
    await come_back(browser, provider)
    page = await browser.get("/")
    kept = dict(browser.cookies)
    policy = page.headers["content-security-policy"]
    assert f"form-action 'self' {ISSUER};" in policy
    answer = await browser.post("/logout", data={"csrf": csrf_of(page)})
    assert answer.status_code == 303 and answer.headers["location"].startswith(f"{ISSUER}/logout?")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["post_logout_redirect_uri"] == [f"{CONSOLE}/signed-out"] and query["id_token_hint"][0].count(".") == 2
    async with console.client(CONSOLE) as thief:
        thief.cookies.update(kept)
        assert (await thief.get("/")).status_code == 303
    assert (await console.rows("select id_token from console_session")) == [{"id_token": ""}]


async def test_the_tenant_may_come_from_a_claim(platform: Any, tenant: str, provider: Provider) -> None:
    given = SETTINGS | {"console_tenant_claim": "hospital"}
    made = console_on(platform, "nobody", issuer=provider.transport(), **given)
    async with made as console, console.client(CONSOLE) as browser:
        assert refused(await come_back(browser, provider), "no-tenant")
        provider.claims = {"hospital": "Not A Tenant'; --"}
        assert refused(await come_back(browser, provider), "tenant-unknown")
        provider.claims = {"hospital": tenant}
        assert (await come_back(browser, provider)).status_code == 303
        console.tenant = tenant
        assert [row["subject"] for row in await console.rows("select subject from console_session")] == ["person-1"]


async def test_the_highest_of_several_roles_counts(browser: httpx.AsyncClient, provider: Provider) -> None:
    provider.claims = {"groups": ["all-staff", "it", "billing"]}
    await come_back(browser, provider)
    assert "admin" in (await browser.get("/")).text


async def test_attempts_are_counted_by_address(platform: Any, tenant: str, provider: Provider) -> None:
    given = SETTINGS | {"console_attempts": 3}
    made = console_on(platform, tenant, issuer=provider.transport(), **given)
    async with made as console, console.client(CONSOLE) as browser:
        assert [(await browser.get("/login/start")).status_code for _ in range(4)] == [303, 303, 303, 429]
        console.clock.advance(timedelta(minutes=6))
        assert (await browser.get("/login/start")).status_code == 303


async def test_whoever_gets_in_gives_the_attempts_back(platform: Any, tenant: str, provider: Provider) -> None:
    made = console_on(platform, tenant, issuer=provider.transport(), **SETTINGS | {"console_attempts": 2})
    async with made as console, console.client(CONSOLE) as browser:
        provider.clock = console.clock
        assert [(await come_back(browser, provider)).status_code for _ in range(4)] == [303, 303, 303, 303]
        assert refused(await come_back(browser, provider, state="another"), "state-mismatch")
        assert (await browser.get("/login/start")).status_code == 429
