"""NATS by mutual TLS: who is refused, and facts that go on through rotations, a reconnect and a restart."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
import structlog
from bus.jetstream import BROKER_ERRORS, connect
from chassis.embedded import EmbeddedNats
from chassis.embedded.certificates import Authority
from chassis.line import Broker
from chassis.tls import Certificates, Files
from kernel.clock import SystemClock
from nats.aio.client import Client
from structlog.testing import capture_logs

WITHIN_S = 20.0


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rcm-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def authority(root: Path) -> Authority:
    return Authority(root / "authority")


@pytest.fixture
def server(root: Path, authority: Authority) -> Iterator[EmbeddedNats]:
    with EmbeddedNats(root / "nats", tls_dir=authority.issue("nats", root / "server")) as started:
        yield started


def of(folder: Path) -> Certificates:
    return Certificates(Files.of(folder), SystemClock(), structlog.get_logger())


@pytest.fixture
def client(root: Path, authority: Authority) -> Certificates:
    return of(authority.issue("journey", root / "client"))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.02)


async def refused(url: str, tls: ssl.SSLContext | None) -> list[Exception]:
    """Why the client is not let in; it goes on trying until it is stopped."""
    why: list[Exception] = []
    trying = asyncio.create_task(connect(url, "test", tls, why.append))
    await until(lambda: len(why) >= 2 or trying.done())
    assert not trying.done()
    trying.cancel()
    with suppress(asyncio.CancelledError):
        await trying
    return why


def _without(root: Path, authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(root / "client" / "ca.crt"))


def _foreign(root: Path, authority: Authority) -> ssl.SSLContext:
    folder = Authority(root / "other").issue("journey", root / "foreign", trusted=[authority])
    return of(folder).client_context()


def _expired(root: Path, authority: Authority) -> ssl.SSLContext:
    folder = authority.issue("journey", root / "expired", valid_for=timedelta(seconds=-1))
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


STRANGERS = {"no certificate": _without, "another authority": _foreign, "expired": _expired}


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_is_refused(
    server: EmbeddedNats, client: Certificates, root: Path, authority: Authority, stranger: str
) -> None:
    assert await refused(server.url, STRANGERS[stranger](root, authority))
    ours = await connect(server.url, "test", client.client_context())
    assert ours.is_connected
    await ours.close()


async def test_nobody_is_served_in_the_clear(server: EmbeddedNats) -> None:
    with pytest.raises((nats.errors.Error, OSError, TimeoutError)):
        await nats.connect(server.url, allow_reconnect=False, connect_timeout=2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with suppress(ConnectionError):
        writer.write(b"CONNECT {}\r\nPING\r\n")
        assert b"INFO" not in await asyncio.wait_for(reader.read(), WITHIN_S)
    writer.close()


async def test_another_server_is_not_trusted(server: EmbeddedNats, client: Certificates, root: Path) -> None:
    by_name = server.url.replace("127.0.0.1", "localhost")
    assert all(
        isinstance(error, ssl.SSLCertVerificationError) for error in await refused(by_name, client.client_context())
    )
    elsewhere = of(Authority(root / "other").issue("journey", root / "elsewhere")).client_context()
    assert all(isinstance(error, ssl.SSLCertVerificationError) for error in await refused(server.url, elsewhere))


async def test_a_client_with_certificates_does_not_speak_in_the_clear(root: Path, client: Certificates) -> None:
    with EmbeddedNats(root / "plain") as plain:
        assert all(isinstance(error, ssl.SSLError) for error in await refused(plain.url, client.client_context()))


async def test_the_broker_says_once_why_and_goes_on(server: EmbeddedNats, root: Path, authority: Authority) -> None:
    folder = Authority(root / "other").issue("journey", root / "late")
    certificates = of(folder)
    with capture_logs() as said:
        broker = Broker(server.url, "journey", certificates.client_context(), structlog.get_logger())
        waiting = asyncio.create_task(broker.client())
        await until(lambda: len(said) > 0)
        await asyncio.sleep(0.5)  # it has tried again meanwhile
        assert not waiting.done()
        authority.issue("journey", folder)
        certificates.look()
        assert (await asyncio.wait_for(waiting, WITHIN_S)).is_connected
        await broker.close()
    refusals = [one for one in said if one["event"] == "no TLS with NATS"]
    assert refusals == [
        {"event": "no TLS with NATS", "reason": "unable to get local issuer certificate", "log_level": "error"}
    ]


class Facts:
    """Numbered messages: published, pulled and acknowledged in turn."""

    def __init__(self, client: Client) -> None:
        self._js = client.jetstream()
        self._pull: Any = None
        self.published = 0
        self.pulled: list[int] = []

    async def open(self) -> None:
        await self._js.add_stream(name="FACTS", subjects=["facts.>"])
        self._pull = await self._js.pull_subscribe("facts.>", durable="test")

    async def more(self, count: int) -> None:
        goal = self.published + count
        while self.published < goal:
            await self._again(self._publish)
        while len(self.pulled) < goal:
            await self._again(self._fetch)

    async def _publish(self) -> None:
        headers = {"Nats-Msg-Id": str(self.published)}
        await self._js.publish("facts.one", str(self.published).encode(), timeout=2, headers=headers)
        self.published += 1

    async def _fetch(self) -> None:
        for message in await self._pull.fetch(10, timeout=1):
            await message.ack_sync(timeout=2)
            self.pulled.append(int(message.data))

    async def _again(self, what: Callable[[], Any]) -> None:
        """As the relay and the consumers do: what met a lost connection is done again."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    await what()
                    return
                except BROKER_ERRORS:
                    await asyncio.sleep(0.05)


def shown(server: EmbeddedNats, certificates: Certificates) -> bytes:
    """The certificate that the server shows to a new client."""
    plain = socket.create_connection(("127.0.0.1", server.port), 5)
    with certificates.current.as_client.wrap_socket(plain, server_hostname="nats") as secure:
        return secure.getpeercert(True) or b""


@pytest.fixture
async def broker(server: EmbeddedNats, client: Certificates) -> AsyncIterator[Broker]:
    broker = Broker(server.url, "journey", client.client_context(), structlog.get_logger())
    yield broker
    await broker.close()


async def test_facts_go_on_through_rotations_and_reconnects(
    server: EmbeddedNats, client: Certificates, broker: Broker, root: Path, authority: Authority
) -> None:
    other = Authority(root / "other")
    connection = await broker.client()
    facts = Facts(connection)
    await facts.open()
    await facts.more(10)
    steps = ([authority], [authority, other], [other, authority], [other], [other])
    for number, (by, *trusted) in enumerate(steps):
        before = shown(server, client)
        by.issue("nats", root / "server", trusted=trusted)
        by.issue("journey", root / "client", trusted=trusted)
        server.reload()
        client.look()
        await until(lambda: _shown_is_new(server, client, before))  # noqa: B023 - waited for at once
        assert connection.stats["reconnects"] == number  # a rotation breaks no connection
        await facts.more(10)
        await connection.force_reconnect()
        await facts.more(10)
        assert connection.stats["reconnects"] == number + 1
    server.stop()
    await until(lambda: not broker.is_connected)
    server.start()
    await facts.more(10)
    assert await broker.client() is connection
    assert sorted(set(facts.pulled)) == list(range(facts.published)) and facts.published == 120


def _shown_is_new(server: EmbeddedNats, certificates: Certificates, before: bytes) -> bool:
    with suppress(OSError):
        return shown(server, certificates) not in (b"", before)
    return False
