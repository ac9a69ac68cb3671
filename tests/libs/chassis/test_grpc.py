"""gRPC both ways: what a call must carry, and errors that come out as they went in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from chassis import ask, call_of, open_channel
from chassis.grpc_server import GrpcServer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from kernel.errors import LineError, Refused, Unavailable, Unreadable

SECRET = "DOE^JANE"
NAME = "probe.v1.Probe"


class Probe:
    """Answers with what it is told to do."""

    def __init__(self) -> None:
        self.answer: Callable[[], bytes] = lambda: b"ok"
        self.calls = 0
        self.called = asyncio.Event()
        self.wait_s = 0.0
        self.seen: Any = None

    async def say(self, request: bytes, context: Any) -> bytes:
        self.calls += 1
        self.called.set()
        self.seen = call_of(context)
        await asyncio.sleep(self.wait_s)
        return self.answer()

    async def count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"1"
        yield self.answer()


def add_probe(probe: Probe, server: grpc.aio.Server) -> None:
    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(probe.say),
        "Count": grpc.unary_stream_rpc_method_handler(probe.count),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
async def served(probe: Probe) -> AsyncIterator[tuple[GrpcServer, grpc.aio.Channel]]:
    server = GrpcServer(((add_probe, probe),), (NAME,))
    port = await server.start("127.0.0.1", 0)
    channel = open_channel(f"127.0.0.1:{port}")
    yield server, channel
    await channel.close()
    await server.stop(0)


@pytest.fixture
def channel(served: tuple[GrpcServer, grpc.aio.Channel]) -> grpc.aio.Channel:
    return served[1]


@pytest.fixture
def say(channel: grpc.aio.Channel) -> Any:
    return channel.unary_unary(f"/{NAME}/Say")


async def test_a_call_carries_tenant_and_key(say: Any, probe: Probe) -> None:
    assert await ask(say, b"", tenant="demo", idempotency_key="k1") == b"ok"
    assert (probe.seen.tenant, probe.seen.idempotency_key) == ("demo", "k1")


async def test_a_call_without_deadline_is_refused(say: Any, probe: Probe) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await say(b"", metadata=[("rcm-tenant", "demo")])
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert probe.calls == 0


async def test_a_call_without_tenant_is_refused(say: Any, probe: Probe) -> None:
    with pytest.raises(Unreadable) as raised:
        await ask(say, b"", tenant="")
    assert raised.value.code == "tenant_missing"
    assert probe.calls == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("gap", "no coverage on file"), grpc.StatusCode.FAILED_PRECONDITION),
        (Refused("claim_unknown", "no such claim", kind="not_found"), grpc.StatusCode.NOT_FOUND),
        (Refused("claim_there", "has been built", kind="already_exists"), grpc.StatusCode.ALREADY_EXISTS),
        (Unreadable("bad_date", "CLM.dtp[1]", "not a date", 7), grpc.StatusCode.INVALID_ARGUMENT),
        (Unreadable("bad_date", "", "not a date"), grpc.StatusCode.INVALID_ARGUMENT),
        (Unavailable("payer_away", "the payer does not answer", 2.5), grpc.StatusCode.UNAVAILABLE),
        (Unavailable("payer_away", "the payer does not answer"), grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_our_errors_come_out_as_they_went_in(
    say: Any, probe: Probe, error: LineError, status: grpc.StatusCode
) -> None:
    def refuse() -> bytes:
        raise error

    probe.answer = refuse
    with pytest.raises(type(error)) as raised:
        await ask(say, b"", tenant="demo")
    assert vars(raised.value) == vars(error)
    with pytest.raises(grpc.aio.AioRpcError) as bare:
        await say(b"", timeout=5, metadata=[("rcm-tenant", "demo")])
    assert bare.value.code() is status


async def test_only_unavailable_is_tried_again(say: Any, probe: Probe) -> None:
    answers = iter([Unavailable("busy", "later"), Unavailable("busy", "later")])

    def twice_busy() -> bytes:
        for error in answers:
            raise error
        return b"third"

    probe.answer = twice_busy
    assert await ask(say, b"", tenant="demo") == b"third"
    assert probe.calls == 3

    def refuse() -> bytes:
        raise Refused("no", "no")

    probe.answer, probe.calls = refuse, 0
    with pytest.raises(Refused):
        await ask(say, b"", tenant="demo")
    assert probe.calls == 1


async def test_an_unexpected_error_says_nothing(say: Any, probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> bytes:
        raise ValueError(f"cannot parse {SECRET}")

    probe.answer = fail
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await say(b"", timeout=5, metadata=[("rcm-tenant", "demo")])
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert SECRET not in str(raised.value)
    with pytest.raises(Unavailable):
        await ask(say, b"", tenant="demo")


async def test_a_database_that_is_away_is_unavailable(say: Any, probe: Probe) -> None:
    def fail() -> bytes:
        raise ConnectionRefusedError(f"no route to {SECRET}")

    probe.answer = fail
    with pytest.raises(Unavailable) as raised:
        await ask(say, b"", tenant="demo", deadline_s=5)
    assert raised.value.code == "storage_unavailable"
    assert SECRET not in raised.value.reason


async def test_a_passed_deadline_is_unavailable(say: Any, probe: Probe) -> None:
    probe.wait_s = 5
    with pytest.raises(Unavailable) as raised:
        await ask(say, b"", tenant="demo", deadline_s=0.2)
    assert raised.value.code == "grpc_deadline_exceeded"


async def test_nobody_listening_is_unavailable() -> None:
    channel = open_channel("127.0.0.1:1")
    with pytest.raises(Unavailable):
        await ask(channel.unary_unary(f"/{NAME}/Say"), b"", tenant="demo", deadline_s=1)
    await channel.close()


async def test_streams_are_guarded_too(channel: grpc.aio.Channel, probe: Probe) -> None:
    count = channel.unary_stream(f"/{NAME}/Count")
    metadata = [("rcm-tenant", "demo")]
    assert [item async for item in count(b"", timeout=5, metadata=metadata)] == [b"1", b"ok"]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        async for _ in count(b"", metadata=metadata):
            pass
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    def refuse() -> bytes:
        raise Refused("no", "no")

    probe.answer = refuse
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in count(b"", timeout=5, metadata=metadata):
            pass
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_an_unknown_method_stays_unknown(channel: grpc.aio.Channel) -> None:
    with pytest.raises(Refused) as raised:
        await ask(channel.unary_unary(f"/{NAME}/Shout"), b"", tenant="demo")
    assert raised.value.code == "grpc_unimplemented"


async def _health(channel: grpc.aio.Channel, name: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    return int(answer.status)


async def test_health_follows_the_service_and_asks_for_nothing(served: tuple[GrpcServer, grpc.aio.Channel]) -> None:
    server, channel = served
    states = health_pb2.HealthCheckResponse
    assert await _health(channel, NAME) == states.NOT_SERVING
    await server.serve()
    assert [await _health(channel, name) for name in ("", NAME)] == [states.SERVING] * 2
    await server.leave()
    assert [await _health(channel, name) for name in ("", NAME)] == [states.NOT_SERVING] * 2
    with pytest.raises(grpc.aio.AioRpcError):
        await _health(channel, "somebody.else")


async def test_reflection_lists_the_services(channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    async for answer in call:
        names = {service.name for service in answer.list_services_response.service}
        assert {NAME, "grpc.health.v1.Health"} <= names
        break
    call.cancel()


async def test_calls_in_progress_may_finish_when_stopping(
    served: tuple[GrpcServer, grpc.aio.Channel], probe: Probe
) -> None:
    server, channel = served
    probe.wait_s = 0.5
    call = asyncio.create_task(ask(channel.unary_unary(f"/{NAME}/Say"), b"", tenant="demo"))
    await probe.called.wait()
    await server.stop(5)
    assert await call == b"ok"
