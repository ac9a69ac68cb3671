"""gRPC by mutual TLS: who is refused, rotations under calls without a failed one, and health in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from chassis import open_channel
from chassis.embedded.certificates import Authority
from chassis.grpc_channel import LastingChannel
from chassis.grpc_server import GrpcServer
from chassis.settings import ServiceSettings
from chassis.telemetry import start_telemetry
from chassis.tls import Certificates, Files, Identity
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from kernel.clock import SystemClock

NAME = "probe.v1.Probe"
TENANT = (("rcm-tenant", "demo"),)
WITHIN_S = 20.0
States = health_pb2.HealthCheckResponse


@dataclass
class Probe:
    """Answers when its gate is open, and notes whose certificate each caller showed."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    callers: list[bytes] = field(default_factory=list)
    calls: int = 0

    def _note(self, context: Any) -> None:
        self.calls += 1
        self.callers.append(context.auth_context().get("x509_pem_cert", [b""])[0])

    async def say(self, request: bytes, context: Any) -> bytes:
        self._note(context)
        return request

    async def unary_unary(self, request: bytes, context: Any) -> bytes:
        self._note(context)
        await self.gate.wait()
        return request

    async def unary_stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        self._note(context)
        yield b"first"
        await self.gate.wait()
        yield request

    async def stream_unary(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        self._note(context)
        return b"".join([request async for request in requests])

    async def stream_stream(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        self._note(context)
        async for request in requests:
            yield request


def add_probe(probe: Probe, server: grpc.aio.Server) -> None:
    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(probe.say),
        "UnaryUnary": grpc.unary_unary_rpc_method_handler(probe.unary_unary),
        "UnaryStream": grpc.unary_stream_rpc_method_handler(probe.unary_stream),
        "StreamUnary": grpc.stream_unary_rpc_method_handler(probe.stream_unary),
        "StreamStream": grpc.stream_stream_rpc_method_handler(probe.stream_stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


@dataclass
class World:
    """A server `coding`, whose certificates and those of its clients lie in folders of their own."""

    root: Path
    probe: Probe = field(default_factory=Probe)
    address: str = ""

    def __post_init__(self) -> None:
        self.ours, self.theirs = Authority(self.root / "ours"), Authority(self.root / "theirs")
        self.ours.issue("coding", self.root / "server")
        self.ours.issue("journey", self.root / "client")
        self.certificates = self.of("server", "coding")
        self.server = GrpcServer(((add_probe, self.probe),), (NAME,), certificates=self.certificates)
        self.client = self.of("client", "journey")

    def of(self, folder: str, name: str = "") -> Certificates:
        return Certificates(Files.of(self.root / folder), SystemClock(), structlog.get_logger(), name)

    def issue(self, by: Authority, *trusted: Authority) -> None:
        """New certificates for both sides; nobody has looked yet."""
        by.issue("coding", self.root / "server", trusted=trusted)
        by.issue("journey", self.root / "client", trusted=trusted)

    def raw(self, folder: str, *, with_certificate: bool = True) -> grpc.aio.Channel:
        """A client that checks nothing of its own before it comes."""
        chain, key, authority = ((self.root / folder / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt"))
        shown = (key, chain) if with_certificate else ()
        credentials = grpc.ssl_channel_credentials(authority, *shown)
        return grpc.aio.secure_channel(self.address, credentials, [("grpc.default_authority", "coding")])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    world.address = f"127.0.0.1:{await world.server.start('127.0.0.1', 0)}"
    await world.server.serve()
    yield world
    world.probe.gate.set()
    await world.server.stop(1)


@pytest.fixture
async def channel(world: World) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(world.address, certificates=world.client, service="coding") as opened:
        yield opened


async def say(channel: grpc.aio.Channel, text: bytes = b"hello", within_s: float = WITHIN_S) -> bytes:
    return await channel.unary_unary(f"/{NAME}/Say")(text, timeout=within_s, metadata=TENANT)  # type: ignore[no-any-return]


async def refusal(channel: grpc.aio.Channel) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await say(channel, within_s=5)
    await channel.close()
    return caught.value.code()


async def test_both_sides_show_their_certificates(world: World, channel: grpc.aio.Channel) -> None:
    assert await say(channel) == b"hello"
    assert world.probe.callers == [(world.root / "client" / "tls.crt").read_bytes()]
    health = health_pb2_grpc.HealthStub(channel)
    assert (await health.Check(health_pb2.HealthCheckRequest(service=NAME), timeout=5)).status == States.SERVING


def _expired(world: World) -> grpc.aio.Channel:
    world.ours.issue("journey", world.root / "expired", valid_for=timedelta(seconds=-1))
    return world.raw("expired")


def _of_another_authority(world: World) -> grpc.aio.Channel:
    world.theirs.issue("journey", world.root / "foreign", trusted=[world.ours])
    return world.raw("foreign")


STRANGERS: dict[str, Callable[[World], grpc.aio.Channel]] = {
    "plaintext": lambda world: grpc.aio.insecure_channel(world.address),
    "no certificate": lambda world: world.raw("client", with_certificate=False),
    "another authority": _of_another_authority,
    "expired": _expired,
}


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_is_refused(world: World, channel: grpc.aio.Channel, stranger: str) -> None:
    assert await refusal(STRANGERS[stranger](world)) == grpc.StatusCode.UNAVAILABLE
    assert world.probe.calls == 0
    assert await say(channel) == b"hello"


async def test_a_server_that_is_another_is_refused(world: World) -> None:
    address: str = world.address
    wrong_name = open_channel(address, certificates=world.client, service="remittance")
    assert await refusal(wrong_name) == grpc.StatusCode.UNAVAILABLE
    world.ours.issue("journey", world.root / "ours-only")
    world.theirs.issue("journey", world.root / "theirs-only")
    wrong_authority = open_channel(address, certificates=world.of("theirs-only"), service="coding")
    assert await refusal(wrong_authority) == grpc.StatusCode.UNAVAILABLE
    assert world.probe.calls == 0
    async with open_channel(address, certificates=world.of("ours-only"), service="coding") as right:
        assert await say(right) == b"hello"


async def test_a_client_with_certificates_does_not_speak_in_the_clear(world: World) -> None:
    plain = GrpcServer(((add_probe, world.probe),), (NAME,))
    port = await plain.start("127.0.0.1", 0)
    channel = open_channel(f"127.0.0.1:{port}", certificates=world.client, service="coding")
    assert await refusal(channel) == grpc.StatusCode.UNAVAILABLE
    assert world.probe.calls == 0
    await plain.stop(0)


class Load:
    """Calls without a pause; every one that fails is kept."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._method = channel.unary_unary(f"/{NAME}/Say")  # once, as stubs are made
        self._stream = channel.unary_stream(f"/{NAME}/UnaryStream")
        self.failed: list[BaseException] = []
        self.done = 0

    async def one_after_another(self) -> None:
        while True:
            try:
                assert await self._method(b"hello", timeout=WITHIN_S, metadata=TENANT) == b"hello"
                self.done += 1
            except (grpc.aio.AioRpcError, AssertionError, grpc.aio.UsageError) as error:
                self.failed.append(error)

    async def long(self, gate: asyncio.Event) -> list[bytes]:
        """A call that began before a rotation and ends after it."""
        parts = []
        async for part in self._stream(b"last", timeout=WITHIN_S, metadata=TENANT):
            parts.append(part)
            gate.set()
        return parts

    async def more(self, count: int) -> None:
        """Waits until so many more were answered."""
        goal = self.done + count
        async with asyncio.timeout(WITHIN_S):
            while self.done < goal:  # noqa: ASYNC110 - what is counted is the answers
                await asyncio.sleep(0.001)


async def test_ten_rotations_of_leaf_and_authority_under_calls(world: World, channel: grpc.aio.Channel) -> None:
    ours, theirs, load = world.ours, world.theirs, Load(channel)
    callers = [asyncio.create_task(load.one_after_another()) for _ in range(4)]
    steps: Sequence[Sequence[Authority]] = (
        [ours], [ours, theirs], [theirs, ours], [theirs], [theirs],
        [theirs, ours], [ours, theirs], [ours], [ours], [ours],
    )  # fmt: skip
    for step in steps:
        world.probe.gate.clear()
        begun = asyncio.Event()
        long = asyncio.create_task(load.long(begun))
        await asyncio.wait_for(begun.wait(), WITHIN_S)
        await load.more(20)
        world.issue(*step)
        first, second = (world.certificates, world.client) if len(step) > 1 else (world.client, world.certificates)
        first.look()
        await load.more(20)
        second.look()
        await load.more(20)
        world.probe.gate.set()
        assert await long == [b"first", b"last"]
        assert world.probe.callers[-1] == (world.root / "client" / "tls.crt").read_bytes()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert load.failed == [] and load.done >= 600
    assert len(set(world.probe.callers)) == 11  # each of them was shown


async def test_after_a_new_authority_the_old_one_is_refused(world: World, channel: grpc.aio.Channel) -> None:
    assert await say(channel) == b"hello"
    world.ours.issue("journey", world.root / "old", trusted=[world.theirs])
    world.issue(world.theirs)
    world.certificates.look()
    calls = world.probe.calls
    assert await refusal(world.raw("old")) == grpc.StatusCode.UNAVAILABLE
    assert world.probe.calls == calls
    world.client.look()
    assert await say(channel) == b"hello"


Calls = Callable[[Any, asyncio.Event], Coroutine[Any, Any, bytes]]


async def _requests(opened: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"a"
    await opened.wait()
    yield b"b"


async def _unary_unary(method: Any, opened: asyncio.Event) -> bytes:
    return await method(b"ab", timeout=WITHIN_S, metadata=TENANT)  # type: ignore[no-any-return]


async def _unary_stream(method: Any, opened: asyncio.Event) -> bytes:
    return [part async for part in method(b"ab", timeout=WITHIN_S, metadata=TENANT)][-1]  # type: ignore[no-any-return]


async def _stream_unary(method: Any, opened: asyncio.Event) -> bytes:
    return await method(_requests(opened), timeout=WITHIN_S, metadata=TENANT)  # type: ignore[no-any-return]


async def _stream_stream(method: Any, opened: asyncio.Event) -> bytes:
    return b"".join([part async for part in method(_requests(opened), timeout=WITHIN_S, metadata=TENANT)])


KINDS: dict[str, Calls] = {
    "unary_unary": _unary_unary,
    "unary_stream": _unary_stream,
    "stream_unary": _stream_unary,
    "stream_stream": _stream_stream,
}


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - the state of a channel is asked
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_ends_on_the_channel_that_it_began_on(world: World, kind: str, traced: bool) -> None:
    settings = ServiceSettings(postgres_url="postgresql://none", nats_url="nats://none", traces_dir=world.root)
    telemetry = start_telemetry("journey", settings)
    interceptors = telemetry.client_interceptors() if traced else []
    made: list[grpc.aio.Channel] = []

    def make(identity: Identity) -> grpc.aio.Channel:
        options = [("grpc.default_authority", "coding")]
        credentials, address = identity.client_credentials(), world.address
        made.append(grpc.aio.secure_channel(address, credentials, options, interceptors=interceptors))
        return made[-1]

    channel = LastingChannel(world.client, make)
    name = "".join(part.capitalize() for part in kind.split("_"))
    method = getattr(channel, kind)(f"/{NAME}/{name}")
    slow = asyncio.create_task(KINDS[kind](method, world.probe.gate))
    await _until(lambda: world.probe.calls == 1)
    world.issue(world.ours)
    world.client.look()
    assert await say(channel) == b"hello"
    assert len(made) == 2 and not slow.done()
    assert made[0].get_state() is not grpc.ChannelConnectivity.SHUTDOWN
    world.probe.gate.set()
    assert await slow == b"ab"
    await _until(lambda: made[0].get_state() is grpc.ChannelConnectivity.SHUTDOWN)
    assert made[1].get_state() is grpc.ChannelConnectivity.READY
    await channel.close()
    assert made[1].get_state() is grpc.ChannelConnectivity.SHUTDOWN
    telemetry.shutdown()


async def test_closing_closes_what_a_rotation_left_open(world: World) -> None:
    channel = open_channel(world.address, certificates=world.client, service="coding")
    call = channel.unary_unary(f"/{NAME}/UnaryUnary")(b"", timeout=WITHIN_S, metadata=TENANT)
    await _until(lambda: world.probe.calls == 1)
    world.issue(world.ours)
    world.client.look()
    await channel.channel_ready()
    await channel.close()
    with pytest.raises(asyncio.CancelledError):
        await call


async def _health(channel: grpc.aio.Channel, service: str = NAME) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return (await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)).status  # type: ignore[no-any-return]


async def test_health_in_the_clear_is_the_same_health(world: World, channel: grpc.aio.Channel) -> None:
    port = await world.server.start_health("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as probing:
        for valid, expected in ((True, States.SERVING), (False, States.NOT_SERVING), (True, States.SERVING)):
            await world.server.certify(valid)
            assert {await _health(one, name) for one in (probing, channel) for name in ("", NAME)} == {expected}
        await world.server.leave()
        await world.server.certify(False)
        await world.server.certify(True)
        assert {await _health(one) for one in (probing, channel)} == {States.NOT_SERVING}


async def test_health_waits_for_the_rest_to_have_started(world: World) -> None:
    server = GrpcServer((), (NAME,), certificates=world.certificates)
    await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await server.start_health('127.0.0.1', 0)}") as probing:
        await server.certify(False)
        await server.certify(True)
        assert await _health(probing) == States.NOT_SERVING
        await server.serve()
        assert await _health(probing) == States.SERVING
    await server.stop(0)


async def test_there_is_nothing_but_health_in_the_clear(world: World) -> None:
    port = await world.server.start_health("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as probing:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await say(probing)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in reflection_pb2_grpc.ServerReflectionStub(probing).ServerReflectionInfo(asked, timeout=5):
                pass
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert world.probe.calls == 0
