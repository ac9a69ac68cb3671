"""HL7 v2 over MLLP and TLS: certificates change under open lines, and new lines are by the new ones."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hl7v2
import pytest
import structlog
from chassis.embedded.certificates import Authority
from chassis.tls import BadCertificates
from interface_engine.entry_mllp import MllpPorts, certificates_of
from interface_engine.model_messages import Taken
from interface_engine.rules.channel import Channel, Transport
from kernel.clock import FixedClock
from message_feed import feed

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FEED = replace(feed(), transport=Transport(kind="mllp", idle_s=20, options={"tls": True}))


class Store:
    """An intake that keeps everything."""

    async def take(self, channel: Channel, raw: bytes) -> Taken:
        ack = hl7v2.acknowledge(raw, "AA", control_id="A", now=NOW)
        return Taken("1", ack, "received")

    async def take_torn(self, channel: Channel, raw: bytes) -> Taken:
        return Taken("", b"", "failed")


async def _kept(message_id: str) -> str:
    return "kept"


@dataclass
class World:
    """A port of TLS whose certificate is of one authority, and its senders' of another."""

    root: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime.now(UTC)))
    port: int = 0

    def __post_init__(self) -> None:
        self.public, self.site = Authority(self.root / "public"), Authority(self.root / "site")
        self.public.issue("mllp.example.org", self.root / "door")
        self.clients = self.site.issue("ehr", self.root / "ehr") / "ca.crt"
        self.ports = self.open(self.clients)

    def open(self, client_ca: Path | None) -> MllpPorts:
        door, log = self.root / "door", structlog.get_logger()
        certificates = certificates_of(door / "tls.crt", door / "tls.key", client_ca, self.clock, log)
        return MllpPorts(
            lambda: {FEED.name: FEED}, Store(), self.clock, log, _kept, certificates=certificates  # type: ignore[arg-type]
        )  # fmt: skip

    def sender(self, folder: str = "ehr", *, known: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.public.pem.decode())
        if known:
            context.load_cert_chain(self.root / folder / "tls.crt", self.root / folder / "tls.key")
        return context

    async def connect(self, context: ssl.SSLContext) -> Line:
        streams = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname="mllp.example.org")
        return Line(*streams)


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, control_id: str) -> str:
        """The code of the acknowledgement; EOFError or OSError when the line is cut."""
        text = f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320||ADT^A04|{control_id}|P|2.5.1\rPID|1||M1\r"
        self.writer.write(hl7v2.frame(text.encode()))
        async with asyncio.timeout(10):
            answer = await self.reader.readuntil(b"\x1c\r")
        return hl7v2.parse_ack(answer[1:-2]).code

    def certificate(self) -> bytes:
        found: bytes = self.writer.get_extra_info("ssl_object").getpeercert(True)
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.ports.look()
    ((listener, world.port),) = world.ports.open.values()
    yield world
    await listener.stop()


async def refused(world: World, context: ssl.SSLContext) -> bool:
    try:
        line = await world.connect(context)
        await line.send("1")
    except (OSError, asyncio.IncompleteReadError):
        return True
    return False


async def test_senders_need_a_certificate_of_their_authority(world: World) -> None:
    assert await (await world.connect(world.sender())).send("1") == "AA"
    assert await refused(world, world.sender(known=False))
    world.public.issue("ehr", world.root / "foreign")
    assert await refused(world, world.sender("foreign"))
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(hl7v2.frame(b"MSH|^~\\&|EHR"))
    assert b"MSA" not in await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_new_certificates_are_for_new_lines_and_open_ones_stay(world: World) -> None:
    lines: list[Line] = []
    for number in range(4):
        lines.append(await world.connect(world.sender()))
        world.public.issue("mllp.example.org", world.root / "door")
        world.site.issue("ehr", world.root / "ehr")
        await world.ports.look()
        assert {await line.send(str(number)) for line in lines} == {"AA"}
    assert len({line.certificate() for line in lines}) == 4


async def test_an_authority_that_is_gone_is_trusted_no_more(world: World) -> None:
    before = await world.connect(world.sender())
    following = Authority(world.root / "following")
    old = world.root / "old"
    world.site.issue("ehr", old)
    following.issue("ehr", world.root / "ehr", trusted=[world.site])
    await world.ports.look()
    assert await (await world.connect(world.sender("old"))).send("1") == "AA"
    assert await (await world.connect(world.sender())).send("1") == "AA"
    following.issue("ehr", world.root / "ehr")
    await world.ports.look()
    assert await refused(world, world.sender("old"))
    assert await (await world.connect(world.sender())).send("1") == "AA"
    assert await before.send("2") == "AA"


async def test_a_broken_renewal_keeps_the_last_one(world: World) -> None:
    (world.root / "door" / "tls.key").write_text("half of i")
    await world.ports.look()
    assert await (await world.connect(world.sender())).send("1") == "AA"


async def test_without_an_authority_senders_need_none(world: World) -> None:
    ports = world.open(None)
    await ports.look()
    ((listener, world.port),) = ports.open.values()
    assert await (await world.connect(world.sender(known=False))).send("1") == "AA"
    await listener.stop()


def test_without_a_certificate_there_is_no_tls(world: World) -> None:
    assert certificates_of(None, None, None, world.clock, structlog.get_logger()) is None


@pytest.mark.parametrize("days", [-2, 2])
def test_one_out_of_its_time_is_refused(world: World, days: int) -> None:
    door = world.root / "door"
    Authority(world.root / "then", FixedClock(datetime.now(UTC) + timedelta(days=days))).issue("mllp", door)
    with pytest.raises(BadCertificates, match=r"tls\.crt (expired at|is not valid before)"):
        world.open(None)
