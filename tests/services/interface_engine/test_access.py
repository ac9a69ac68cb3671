"""SMART Backend Services over a real database: who gets a token, what it allows, and that every access is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from bus import Database
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from interface_engine.clients.key_sets import KeySets
from interface_engine.entry_gate import Gate, TooFast, open_caller
from interface_engine.entry_token import TOKEN_PATH, TokenDoor, add_token_route, configuration, token_url_of
from interface_engine.handlers.access import register_client
from interface_engine.model import Client, Rejected
from interface_engine.model_access import Registration, Scopes, split_id
from interface_engine.store.access import AccessStore
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from kernel.clock import FixedClock
from kernel.errors import Refused, Unreadable
from platform_fixture import Platform

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
BASE = "https://throughline.example/fhir"
TOKEN_URL = "https://throughline.example/oauth2/token"
KEYS = {
    "ES384": ECKey.generate_key("P-384", {"kid": "ec"}, private=True),
    "RS384": RSAKey.generate_key(2048, {"kid": "rsa"}, private=True),
}
STRANGER = ECKey.generate_key("P-384", {"kid": "ec"}, private=True)
JWKS = {"keys": [key.as_dict(private=False) for key in KEYS.values()]}


@dataclass
class Door:
    tenant: str
    database: Database
    clock: FixedClock
    gate: Gate
    http: httpx.AsyncClient
    fetched: list[str] = field(default_factory=list)
    key_sets: dict[str, httpx.Response] = field(default_factory=dict)

    async def register(self, name: str = "epic", scopes: str = "system/*.cruds", **more: Any) -> None:
        given = {"jwks": JWKS} if "jwks_url" not in more else {}
        client = Registration(name, "default", Scopes.read(scopes), **(given | more))
        async with self.database.unit(self.tenant) as unit:
            await register_client(AccessStore(unit), client, {"default"})

    def claims(self, name: str = "epic", **changes: Any) -> dict[str, Any]:
        mine = f"{self.tenant}.{name}"
        at = int(self.clock.now().timestamp())
        claims = {"iss": mine, "sub": mine, "aud": TOKEN_URL, "jti": f"jti-{id(changes)}-{at}", "exp": at + 240}
        return {key: value for key, value in (claims | changes).items() if value is not None}

    def form(self, claims: dict[str, Any], alg: str = "ES384", key: Any = None, **changes: str) -> dict[str, str]:
        key = key or KEYS[alg]
        signed = jwt.encode({"alg": alg, "kid": key.kid or ""}, claims, key, algorithms=[alg])
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed,
            "scope": "system/*.cruds",
        }
        return form | changes

    async def ask(self, form: dict[str, str]) -> httpx.Response:
        return await self.http.post(TOKEN_PATH, data=form)

    async def token(self, **changes: Any) -> str:
        answer = await self.ask(self.form(self.claims(**changes)))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture
async def door(platform: Platform, tenant: str) -> AsyncIterator[Door]:
    clock = FixedClock(NOW)
    database = Database(platform.url_for("interface-engine"), "interface_engine", clock)
    await database.open()
    fetched: list[str] = []
    answers: dict[str, httpx.Response] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        fetched.append(str(request.url))
        if str(request.url) not in answers:
            raise httpx.ConnectError("nobody there")
        return answers[str(request.url)]

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as outside:
        app = FastAPI()
        add_token_route(app, TokenDoor(database, KeySets(outside, clock), BASE, timedelta(minutes=5)))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as http:
            yield Door(tenant, database, clock, Gate(database, clock), http, fetched, answers)
    await database.close()


async def test_a_signed_assertion_becomes_a_token_that_lets_in(door: Door) -> None:
    await door.register(scopes="system/Patient.rs system/Encounter.cruds")
    answer = await door.ask(door.form(door.claims()))
    said = answer.json()
    assert (answer.status_code, said["token_type"], said["expires_in"]) == (200, "bearer", 300)
    assert said["scope"] == "system/Encounter.cruds system/Patient.rs"
    assert answer.headers["cache-control"] == "no-store"
    caller = await door.gate.caller(f"Bearer {said['access_token']}")
    assert caller.client == Client("epic", door.tenant, "default")
    caller.require("Encounter", "c")
    with pytest.raises(Rejected) as refused:
        caller.require("Patient", "c")
    assert refused.value.status == 403


async def test_rsa_signs_as_well(door: Door) -> None:
    await door.register()
    assert (await door.ask(door.form(door.claims(), "RS384"))).status_code == 200


def test_the_configuration_says_where_and_how() -> None:
    said = configuration(token_url_of(BASE))
    assert said["token_endpoint"] == TOKEN_URL
    assert said["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert "client_credentials" in said["grant_types_supported"]


def at(seconds: int) -> int:
    return int(NOW.timestamp()) + seconds


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/token"},
        {"aud": None},
        {"aud": [1, {}]},
        {"exp": at(-30)},
        {"exp": at(600)},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"nbf": at(120)},
        {"iat": at(120)},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 2000},
        {"sub": "somebody"},
    ],
)
async def test_an_assertion_with_a_wrong_claim_gives_nothing(door: Door, changes: dict[str, Any]) -> None:
    await door.register()
    answer = await door.ask(door.form(door.claims(**changes)))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_an_audience_in_a_list_and_the_endpoint_itself_are_right(door: Door) -> None:
    await door.register()
    assert (await door.ask(door.form(door.claims(aud=["https://other.example", TOKEN_URL])))).status_code == 200


async def test_an_assertion_serves_once(door: Door) -> None:
    await door.register()
    form = door.form(door.claims())
    assert [(await door.ask(form)).status_code for _ in range(3)] == [200, 401, 401]


async def test_of_many_at_once_with_one_assertion_one_gets_a_token(door: Door) -> None:
    await door.register()
    form = door.form(door.claims())
    answers = await asyncio.gather(*(door.ask(form) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_a_strangers_signature_an_unknown_name_and_a_revoked_client_are_refused_alike(door: Door) -> None:
    await door.register()
    await door.register("gone")
    async with door.database.unit(door.tenant) as unit:
        assert await AccessStore(unit).revoke_client("gone")
        assert not await AccessStore(unit).revoke_client("nobody")
    answers = [
        await door.ask(door.form(door.claims(), key=STRANGER)),
        await door.ask(door.form(door.claims("nobody"))),
        await door.ask(door.form(door.claims("gone"))),
        await door.ask(door.form(door.claims(iss="../x", sub="../x"))),
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({answer.text for answer in answers}) == 1


async def test_no_signature_and_a_shared_secret_are_refused(door: Door) -> None:
    await door.register()
    secret = OctKey.import_key(json.dumps(JWKS["keys"][0]), {"kid": "ec"})
    assert (await door.ask(door.form(door.claims(), "HS256", secret))).status_code == 401
    good = door.form(door.claims())["client_assertion"]
    unsigned = "eyJhbGciOiJub25lIn0." + good.split(".")[1] + "."
    for text in (unsigned, good[:-8], "", "a.b.c", good + "x", "é"):
        answer = await door.ask(door.form(door.claims()) | {"client_assertion": text})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "secret"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "user/*.cruds"}, "invalid_scope"),
        ({"scope": "system/Banana.r"}, "invalid_scope"),
        ({"scope": "system/Patient."}, "invalid_scope"),
        ({"scope": "system/Observation.rs"}, "invalid_scope"),
        ({"scope": "system/Patient.rs?category=x"}, "invalid_scope"),
    ],
)
async def test_a_request_of_another_form_is_told_why(door: Door, changes: dict[str, str], error: str) -> None:
    await door.register(scopes="system/Patient.rs")
    answer = await door.ask(door.form(door.claims(), **changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_only_a_form_is_read_and_each_parameter_once(door: Door) -> None:
    await door.register()
    form = door.form(door.claims())
    as_json = await door.http.post(TOKEN_PATH, json=form)
    twice = await door.http.post(
        TOKEN_PATH, content=b"scope=a&scope=b", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert [as_json.json()["error"], twice.json()["error"]] == ["invalid_request"] * 2


async def test_asking_for_everything_gives_what_is_registered(door: Door) -> None:
    await door.register(scopes="system/Patient.rs system/Claim.c")
    said = (await door.ask(door.form(door.claims()))).json()
    assert said["scope"] == "system/Claim.c system/Patient.rs"


async def test_a_token_ends_with_its_time_and_with_its_client(door: Door) -> None:
    await door.register()
    token = await door.token()
    await door.gate.caller(f"Bearer {token}")
    door.clock.advance(timedelta(minutes=5, seconds=1))
    with pytest.raises(Rejected) as late:
        await door.gate.caller(f"Bearer {token}")
    assert late.value.status == 401
    other = await door.token()
    await door.gate.caller(f"bearer {other}")
    async with door.database.unit(door.tenant) as unit:
        await AccessStore(unit).revoke_client("epic")
    door.clock.advance(timedelta(seconds=16))
    with pytest.raises(Rejected):
        await door.gate.caller(f"Bearer {other}")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic abc", "Bearer a.b", "Bearer ü.x"])
async def test_what_is_no_token_lets_nobody_in(door: Door, header: str) -> None:
    with pytest.raises(Rejected) as refused:
        await door.gate.caller(header)
    assert refused.value.status == 401


async def test_a_token_of_another_tenant_opens_only_that_one(door: Door) -> None:
    await door.register()
    token = await door.token()
    _, _, secret = token.partition(".")
    with pytest.raises(Rejected):
        await door.gate.caller(f"Bearer {door.tenant}-other.{secret}")


async def test_a_client_above_its_pace_waits(door: Door) -> None:
    await door.register(rate=2)
    header = f"Bearer {await door.token()}"
    for _ in range(2):
        await door.gate.caller(header)
    with pytest.raises(TooFast) as refused:
        await door.gate.caller(header)
    assert (refused.value.status, refused.value.after_s) == (429, 0.5)
    door.clock.advance(timedelta(seconds=0.5))
    await door.gate.caller(header)


async def test_an_open_door_lets_in_who_brings_no_token_and_nobody_with_a_wrong_one(door: Door) -> None:
    gate = Gate(door.database, door.clock, open_caller(door.tenant))
    assert (await gate.caller("")).client.tenant == door.tenant
    with pytest.raises(Rejected):
        await gate.caller("Bearer wrong")


# Keys at the client's address

URL = "https://ehr.example/jwks.json"


async def test_keys_are_fetched_from_the_clients_address_and_kept(door: Door) -> None:
    door.key_sets[URL] = httpx.Response(200, json=JWKS)
    await door.register(jwks_url=URL)
    for number in range(3):
        await door.token(jti=str(number))
    assert door.fetched == [URL]


async def test_a_new_key_is_found_by_asking_again_but_not_all_the_time(door: Door) -> None:
    door.key_sets[URL] = httpx.Response(200, json={"keys": [KEYS["RS384"].as_dict(private=False)]})
    await door.register(jwks_url=URL)
    assert (await door.ask(door.form(door.claims()))).status_code == 401
    door.key_sets[URL] = httpx.Response(200, json=JWKS)
    assert (await door.ask(door.form(door.claims()))).status_code == 401
    door.clock.advance(timedelta(seconds=31))
    assert (await door.ask(door.form(door.claims()))).status_code == 200
    assert len(door.fetched) == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (httpx.Response(404), 401),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), 401),
        (httpx.Response(200, text="no keys"), 401),
        (httpx.Response(200, json=[]), 401),
        (httpx.Response(200, json={"keys": []}), 401),
        (httpx.Response(200, content=b"x" * 100_000), 401),
        (None, 503),
    ],
)
async def test_an_address_without_keys_gives_no_token(door: Door, answer: httpx.Response | None, status: int) -> None:
    if answer is not None:
        door.key_sets[URL] = answer
    await door.register(jwks_url=URL)
    assert (await door.ask(door.form(door.claims()))).status_code == status


# Registering


async def test_the_same_client_again_is_the_same_and_another_of_its_name_is_refused(door: Door) -> None:
    await door.register()
    await door.register()
    with pytest.raises(Refused):
        await door.register(scopes="system/Patient.r")


@pytest.mark.parametrize(
    "client",
    [
        Registration("a", "nowhere", Scopes.read("system/*.r"), JWKS),
        Registration("a", "default", Scopes.read("system/*.r")),
        Registration("a", "default", Scopes.read("system/*.r"), JWKS, URL),
        Registration("a", "default", Scopes.read("system/*.r"), None, "http://ehr.example/jwks"),
        Registration("a", "default", Scopes.read("system/*.r"), None, "file:///etc/passwd"),
        Registration("a", "default", Scopes.read("system/*.r"), {"keys": [KEYS["ES384"].as_dict(private=True)]}),
        Registration("a", "default", Scopes.read("system/*.r"), {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
        Registration("a", "default", Scopes.read("system/*.r"), {"keys": [{"kty": "EC", "crv": "P-384", "x": "a"}]}),
        Registration("a", "default", Scopes(), JWKS),
    ],
)
async def test_a_client_that_could_not_come_in_safely_is_not_registered(door: Door, client: Registration) -> None:
    async with door.database.unit(door.tenant) as unit:
        with pytest.raises(Unreadable):
            await register_client(AccessStore(unit), client, {"default"})
        assert await AccessStore(unit).clients() == []


# Scopes


ALLOWED = st.dictionaries(
    st.sampled_from(["*", "Patient", "Claim", "Task"]), st.sets(st.sampled_from("cruds"), min_size=1)
)


@given(ALLOWED, ALLOWED)
def test_what_is_granted_is_what_is_both_asked_and_registered(asked: Any, registered: Any) -> None:
    one, two = (Scopes({key: frozenset(value) for key, value in each.items()}) for each in (asked, registered))
    granted = one.within(two)
    for name in ("Patient", "Claim", "Task", "Observation"):
        for letter in "cruds":
            assert granted.allows(name, letter) == (one.allows(name, letter) and two.allows(name, letter))
    assert Scopes.read(granted.text()) == granted


def test_the_first_versions_words_are_understood() -> None:
    assert Scopes.read("system/Patient.read system/Claim.write system/Task.*").text() == (
        "system/Claim.cud system/Patient.rs system/Task.cruds"
    )


@pytest.mark.parametrize("text", ["a", "A.b", ".b", "a.", "a.B", "a.b.c", "a b.c", "-a.b", "a" * 64 + ".b"])
def test_what_is_no_client_id(text: str) -> None:
    with pytest.raises(ValueError, match="client id"):
        split_id(text)
