"""HL7 v2 over MLLP on a real socket: what senders do right and wrong, and that memory and connections are bounded."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hl7v2
import pytest
import structlog
from interface_engine.entry_mllp import MllpListener
from interface_engine.model_messages import Taken
from interface_engine.rules.channel import Channel, Transport
from kernel.clock import FixedClock
from kernel.errors import Unavailable
from message_feed import feed

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FEED = replace(feed(), transport=Transport(kind="mllp", max_bytes=20_000, idle_s=0.5))


def text(control_id: str = "1", body: str = "", msh: str = "") -> bytes:
    return f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320||ADT^A04|{control_id}|P|2.5.1{msh}\rPID|1||M1\r{body}".encode()


class Store:
    """An intake whose disk is a list; `away` counts how often it is not there first."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.torn: list[bytes] = []
        self.away = 0

    async def take(self, channel: Channel, raw: bytes) -> Taken:
        if self.away:
            self.away -= 1
            raise Unavailable("store", "away")
        self.kept.append(raw)
        code = hl7v2.ack_plan(hl7v2.read(raw)).immediate_code("accepted") if raw.startswith(b"MSH") else "AR"
        ack = hl7v2.acknowledge(raw, code, control_id="A", now=NOW) if code else b""
        return Taken(str(len(self.kept)), ack, "received")

    async def take_torn(self, channel: Channel, raw: bytes) -> Taken:
        self.torn.append(raw)
        return Taken("", b"", "failed")


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    framer: hl7v2.Framer = field(default_factory=hl7v2.Framer)
    got: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answers(self, number: int) -> list[hl7v2.Ack]:
        async with asyncio.timeout(5):
            while len(self.got) < number:
                data = await self.reader.read(65536)
                if not data:
                    break
                self.got.extend(one.payload for one in self.framer.feed(data) if isinstance(one, hl7v2.Frame))
        return [hl7v2.parse_ack(one) for one in self.got]

    async def cut(self) -> bool:
        """True when the other side closes, within five seconds."""
        async with asyncio.timeout(5):
            return await self.reader.read() == b""


Connect = Callable[[], Awaitable[Line]]


@asynccontextmanager
async def listening(store: Store, **more: object) -> AsyncIterator[tuple[MllpListener, Connect]]:
    async def ending_of(message_id: str) -> str:
        return "kept" if int(message_id) % 2 else "failed"

    listener = MllpListener(
        lambda: FEED, store, FixedClock(NOW), structlog.get_logger(), ending_of, **more  # type: ignore[arg-type]
    )  # fmt: skip
    port = await listener.start("127.0.0.1", 0)
    lines: list[Line] = []

    async def connect() -> Line:
        lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
        return lines[-1]

    yield listener, connect
    for line in lines:
        line.writer.close()
    await listener.stop()


@pytest.fixture
def store() -> Store:
    return Store()


async def test_messages_are_answered_in_their_order(store: Store) -> None:
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(b"".join(hl7v2.frame(text(str(number))) for number in range(100)))
        answers = await line.answers(100)
    assert [answer.control_id for answer in answers] == [str(number) for number in range(100)]
    assert {answer.code for answer in answers} == {"AA"}


async def test_every_cut_of_the_stream_gives_the_same(store: Store) -> None:
    stream = hl7v2.frame(text("1")) + hl7v2.frame(text("2", "ZZZ|x\r"))
    async with listening(store) as (_, connect):
        for cut in range(1, len(stream), 7):
            store.kept.clear()
            line = await connect()
            line.send(stream[:cut])
            await line.writer.drain()
            await asyncio.sleep(0)
            line.send(stream[cut:])
            assert [answer.control_id for answer in await line.answers(2)] == ["1", "2"]
            assert store.kept == [text("1"), text("2", "ZZZ|x\r")]
            line.writer.close()


async def test_a_store_that_is_away_for_a_moment_keeps_the_sender_waiting(store: Store) -> None:
    store.away = 2
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(hl7v2.frame(text("1")))
        assert [answer.code for answer in await line.answers(1)] == ["AA"]
    assert store.kept == [text("1")]


async def test_a_store_that_stays_away_cuts_the_line_without_an_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interface_engine.entry_mllp._HOLDS", (0.01, 0.01))
    store.away = 99
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(hl7v2.frame(text("1")))
        assert await line.cut()
    assert store.kept == []


async def test_a_message_above_the_limit_is_refused_and_the_next_one_taken(store: Store) -> None:
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(hl7v2.frame(text("1", "OBX|1|TX|||" + "x" * 100_000 + "\r")) + hl7v2.frame(text("2")))
        assert [(answer.code, answer.control_id) for answer in await line.answers(2)] == [("AR", "1"), ("AA", "2")]
    assert store.kept == [text("2")]


async def test_a_message_that_never_ends_is_cut(store: Store) -> None:
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(b"\x0bMSH|^~\\&|" + b"x" * 400_000)
        assert await line.cut()
    assert store.kept == []


async def test_stray_bytes_and_torn_frames_lose_no_good_message(store: Store) -> None:
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(
            b"noise\r\n" + hl7v2.frame(text("1")) + b"\n\n" + hl7v2.frame(text("2"))[:-30] + hl7v2.frame(text("3"))
        )
        assert [answer.control_id for answer in await line.answers(2)] == ["1", "3"]
        line.send(hl7v2.frame(text("4"))[:-5])
        await line.writer.drain()
        line.writer.write_eof()
        assert await line.cut()
    assert store.kept == [text("1"), text("3")]
    assert [len(one) for one in store.torn] == [len(hl7v2.frame(text("2"))) - 31, len(hl7v2.frame(text("4"))) - 6]


async def test_a_connection_that_says_nothing_is_cut(store: Store) -> None:
    async with listening(store) as (_, connect):
        silent, half = await connect(), await connect()
        half.send(hl7v2.frame(text("1"))[:20])
        assert await silent.cut()
        assert await half.cut()


async def test_more_connections_than_allowed_are_turned_away_and_the_others_served(store: Store) -> None:
    async with listening(store, most_connections=2) as (_, connect):
        first, second = await connect(), await connect()
        for line in (first, second):
            line.send(hl7v2.frame(text()))
            await line.answers(1)
        third = await connect()
        assert await third.cut()
        first.send(hl7v2.frame(text("2")))
        assert len(await first.answers(2)) == 2


async def test_a_sender_that_does_not_read_is_cut_and_others_go_on(store: Store) -> None:
    async with listening(store, write_timeout_s=0.2) as (listener, connect):
        assert listener._server is not None
        listener._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        port = listener._server.sockets[0].getsockname()[1]
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.setblocking(False)
        frames = hl7v2.frame(text("1")) * 500
        with pytest.raises(OSError):
            async with asyncio.timeout(15):
                while True:
                    await asyncio.get_running_loop().sock_sendall(deaf, frames)
        deaf.close()
        good = await connect()
        good.send(hl7v2.frame(text("2")))
        assert len(await good.answers(1)) == 1


async def test_enhanced_mode_answers_twice_when_it_is_asked_to(store: Store) -> None:
    async with listening(store) as (_, connect):
        line = await connect()
        line.send(hl7v2.frame(text("1", msh="|||AL|AL")) + hl7v2.frame(text("2", msh="|||AL|AL")))
        line.send(hl7v2.frame(text("3", msh="|||AL|NE")))
        answers = await line.answers(5)
    said = [(answer.code, answer.control_id) for answer in answers]
    assert said == [("CA", "1"), ("AA", "1"), ("CA", "2"), ("AE", "2"), ("CA", "3")]


async def test_stopping_cuts_the_lines(store: Store) -> None:
    async with listening(store) as (listener, connect):
        line = await connect()
        line.send(hl7v2.frame(text()))
        await line.answers(1)
        await listener.stop()
        assert await line.cut()


async def test_with_a_certificate_the_line_is_encrypted_and_plain_text_gets_nothing(
    store: Store, certificate: tuple[Path, Path]
) -> None:
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(*certificate)
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    async with listening(store, tls=served) as (listener, connect):
        assert listener._server is not None
        port = listener._server.sockets[0].getsockname()[1]
        line = Line(*await asyncio.open_connection("127.0.0.1", port, ssl=trusted, server_hostname="localhost"))
        line.send(hl7v2.frame(text("1")))
        assert [answer.code for answer in await line.answers(1)] == ["AA"]
        line.writer.close()
        plain = await connect()
        plain.send(hl7v2.frame(text("2")))
        assert await plain.answers(1) == []
    assert store.kept == [text("1")]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret
