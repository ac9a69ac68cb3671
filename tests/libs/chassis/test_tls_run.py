"""A whole service with RCM_TLS_DIR: it answers by mutual TLS alone, and says when its certificate ends."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from bus.flow import STREAM
from bus.jetstream import connect
from chassis import Parts, Runtime, Service, ServiceSettings, ask, call_of, open_channel
from chassis.embedded import EmbeddedNats
from chassis.embedded.certificates import Authority
from chassis.run import Process
from chassis.tls import Certificates, Files
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kernel.clock import SystemClock
from kernel.errors import Unavailable
from platform_fixture import Platform
from rcm.coding.v1 import coding_pb2 as pb
from rcm.coding.v1.coding_pb2_grpc import CodingServiceStub
from service_under_test import running_service

WITHIN_S = 20.0
States = health_pb2.HealthCheckResponse


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[EmbeddedNats]:
    root = tmp_path_factory.mktemp("secure")
    with EmbeddedNats(root / "nats", tls_dir=authority.issue("nats", root / "tls")) as server:
        yield server


@pytest.fixture
def client(authority: Authority, tmp_path: Path) -> Certificates:
    folder = authority.issue("journey", tmp_path / "client")
    return Certificates(Files.of(folder), SystemClock(), structlog.get_logger())


async def health(port: int) -> int:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = health_pb2.HealthCheckRequest()
        return (await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)).status  # type: ignore[no-any-return]


async def streams_are_there(server: EmbeddedNats, client: Certificates) -> bool:
    """Whether somebody has come and made them; nobody comes without a certificate."""
    connection = await connect(server.url, "test", client.client_context())
    async with asyncio.timeout(WITHIN_S):
        while STREAM not in [one.config.name for one in await connection.jetstream().streams_info()]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await connection.close()
    return True


async def test_a_service_answers_by_mutual_tls_alone(
    platform: Platform, nats: EmbeddedNats, authority: Authority, client: Certificates, tmp_path: Path, tenant: str
) -> None:
    folder = authority.issue("coding", tmp_path / "tls")
    settings = {"RCM_NATS_URL": nats.url, "RCM_TLS_DIR": str(folder)}
    with running_service("coding", platform, tmp_path, **settings) as service:
        address = f"127.0.0.1:{service.grpc_port}"
        async with open_channel(address, certificates=client, service="coding") as channel:
            stub = CodingServiceStub(channel)  # type: ignore[no-untyped-call]
            for _ in range(2):
                answer = await ask(stub.ListReviews, pb.ListReviewsRequest(), tenant=tenant)
                assert list(answer.reviews) == []
                before = client.current
                authority.issue("coding", folder)
                authority.issue("journey", tmp_path / "client")
                client.look()
                assert client.current is not before
        async with open_channel(address) as plain:
            with pytest.raises(Unavailable):
                await ask(CodingServiceStub(plain).ListReviews, pb.ListReviewsRequest(), tenant=tenant)  # type: ignore[no-untyped-call]
        ready = json.loads((tmp_path / "run" / "coding.json").read_text())
        assert await health(ready["health"]) == States.SERVING
        assert await streams_are_there(nats, client)
        assert "no TLS with NATS" not in service.written() and "BEGIN" not in service.written()


class Moved:
    """The machine's time, and what a test adds to it."""

    def __init__(self) -> None:
        self.later = timedelta(0)

    def now(self) -> Any:
        return SystemClock().now() + self.later


async def _build(runtime: Runtime) -> Parts:
    class Asker:
        async def ask(self, request: bytes, context: Any) -> bytes:
            method = runtime.channel("coding").unary_unary("/probe.v1.Asker/Tell")
            return await ask(method, request, tenant=call_of(context).tenant)  # type: ignore[no-any-return]

        async def tell(self, request: bytes, context: Any) -> bytes:
            return call_of(context).tenant.encode() + request

    def add(servicer: Asker, server: Any) -> None:
        methods = {
            "Ask": grpc.unary_unary_rpc_method_handler(servicer.ask),
            "Tell": grpc.unary_unary_rpc_method_handler(servicer.tell),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("probe.v1.Asker", methods),))

    return Parts(grpc=((add, Asker()),), grpc_names=("probe.v1.Asker",))


def process(name: str, folder: Path, clock: Moved, **more: Any) -> Process:
    settings = ServiceSettings(
        postgres_url="postgresql://none", nats_url="nats://none", tls_dir=folder, metrics="off", **more
    )
    return Process(Service(name, ServiceSettings, _build), settings, structlog.get_logger(), clock)


async def _until_health(port: int, status: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while await health(port) != status:  # noqa: ASYNC110 - the service is asked
            await asyncio.sleep(0.01)


async def test_an_expired_certificate_is_not_ready_until_renewed(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.tls.LOOK_EVERY_S", 0.01)
    clock = Moved()
    folder = authority.issue("coding", tmp_path / "tls")
    running = process("coding", folder, clock)
    try:
        await running.start()
        assert running.health_port
        assert await health(running.health_port) == States.SERVING
        clock.later = timedelta(days=1)
        await _until_health(running.health_port, States.NOT_SERVING)
        authority.issue("coding", folder, valid_for=timedelta(days=2))
        await _until_health(running.health_port, States.SERVING)
    finally:
        await running.stop()


@pytest.mark.parametrize("holder", ["coding", "eligibility"])
async def test_a_service_is_asked_by_its_name(
    authority: Authority, client: Certificates, tmp_path: Path, holder: str
) -> None:
    """Where coding should be there is coding, or somebody else with a good certificate."""
    there = process(holder, authority.issue(holder, tmp_path / "there"), Moved())
    folder = authority.issue("journey", tmp_path / "journey")
    try:
        await there.start()
        asking = process("journey", folder, Moved(), addresses={"coding": f"127.0.0.1:{there.grpc_port}"})
        try:
            await asking.start()
            where = f"127.0.0.1:{asking.grpc_port}"
            async with open_channel(where, certificates=client, service="journey") as channel:
                question = ask(channel.unary_unary("/probe.v1.Asker/Ask"), b" hello", tenant="demo")
                if holder == "coding":
                    assert await question == b"demo hello"
                else:
                    with pytest.raises(Unavailable):
                        await question
        finally:
            await asking.stop()
    finally:
        await there.stop()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda authority, at: (at / "tls.key").unlink(), "tls.key is missing"),
        (lambda authority, at: authority.issue("coding", at, valid_for=timedelta(hours=-1)), "tls.crt expired at 20"),
        (lambda authority, at: authority.issue("journey", at), "tls.crt is not for the name coding"),
    ],
)
def test_a_bad_folder_is_one_line_and_exit_2(authority: Authority, tmp_path: Path, spoil: Any, expected: str) -> None:
    folder = authority.issue("coding", tmp_path / "tls")
    spoil(authority, folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RCM_")} | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "RCM_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none",
        "RCM_NATS_URL": "nats://127.0.0.1:1",
        "RCM_TLS_DIR": str(folder),
        "RCM_RUN_DIR": str(tmp_path / "run"),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "coding"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith(f"cannot start: {folder}/{expected}") and ended.stderr.count("\n") == 1
    assert not (tmp_path / "run" / "coding.json").exists()
