"""Errors over HTTP: the right status, an OperationOutcome, and nothing of what came in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from chassis.http import HttpServer, http_app
from fastapi import FastAPI, HTTPException, Request
from kernel.errors import Refused, Unavailable, Unreadable

SECRET = "DOE^JANE"
ERRORS: dict[str, Exception] = {
    "refused": Refused("claim_final", "the claim is final"),
    "missing": Refused("claim_unknown", "no such claim", kind="not_found"),
    "there": Refused("claim_there", "has been built", kind="already_exists"),
    "unreadable": Unreadable("bad_date", "Encounter.period.start", "not a date"),
    "unavailable": Unavailable("payer_away", "the payer does not answer", 7.2),
    "storage": ConnectionRefusedError(SECRET),
    "bug": ValueError(SECRET),
    "gone": HTTPException(410, detail=SECRET),
}


@pytest.fixture
def app() -> FastAPI:
    runtime: Any = SimpleNamespace(settings=SimpleNamespace(max_body_bytes=1000))
    built = http_app(runtime, "probe")

    @built.get("/fail/{kind}")
    async def fail(kind: str) -> None:
        raise ERRORS[kind]

    @built.get("/number")
    async def number(value: int) -> int:
        return value

    @built.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @built.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.5)
        return "done"

    return built


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://probe") as opened:
        yield opened


@pytest.mark.parametrize(
    ("kind", "status", "issue", "code"),
    [
        ("refused", 409, "business-rule", "claim_final"),
        ("missing", 404, "not-found", "claim_unknown"),
        ("there", 409, "duplicate", "claim_there"),
        ("unreadable", 400, "invalid", "bad_date"),
        ("unavailable", 503, "transient", "payer_away"),
        ("storage", 503, "transient", "storage_unavailable"),
        ("bug", 500, "exception", "internal"),
        ("gone", 410, "deleted", "http_410"),
    ],
)
async def test_every_family_has_its_answer(
    client: httpx.AsyncClient, kind: str, status: int, issue: str, code: str
) -> None:
    answer = await client.get(f"/fail/{kind}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json"
    (found,) = answer.json()["issue"]
    assert (found["severity"], found["code"], found["details"]["coding"][0]["code"]) == ("error", issue, code)
    assert SECRET not in answer.text
    assert ("expression" in found) is (kind == "unreadable")
    assert answer.headers.get("retry-after") == {"unavailable": "7", "storage": "1"}.get(kind)


async def test_a_wrong_parameter_is_named_without_its_value(client: httpx.AsyncClient) -> None:
    answer = await client.get("/number", params={"value": SECRET})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["query.value"]
    assert "DOE" not in answer.text


async def test_an_unknown_path_does_not_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/Patient/{SECRET}")
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "DOE" not in answer.text


async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/body", content=b"x" * 1000)).json() == 1000
    announced = await client.post("/body", content=b"x" * 1001)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    unannounced = await client.post("/body", content=chunks())
    for answer in (announced, unannounced):
        assert answer.status_code == 413
        assert answer.json()["issue"][0]["code"] == "too-long"


async def test_it_says_that_it_is_alive(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "serving"}


@pytest.fixture
def server(app: FastAPI) -> Iterator[HttpServer]:
    yield HttpServer(app)


async def test_a_request_in_progress_may_finish_when_stopping(server: HttpServer) -> None:
    port = await server.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/healthz")).status_code == 200
        slow = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.1)
        await server.stop()
        assert (await slow).json() == "done"
        with pytest.raises(httpx.TransportError):
            await client.get("/healthz")


async def test_a_port_that_is_taken_is_an_error(server: HttpServer, app: FastAPI) -> None:
    port = await server.start("127.0.0.1", 0)
    with pytest.raises(OSError):
        await HttpServer(app).start("127.0.0.1", port)
    await server.stop()
