"""HL7 v2 over MLLP: a listener for each feed that wants one. What is on disk is acknowledged, and nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hl7v2
from chassis.tls import Certificates, Files
from kernel.clock import Clock
from kernel.errors import Unavailable, Unreadable

from interface_engine.entry_intake import Intake
from interface_engine.model_messages import FILTERED, KEPT, Taken
from interface_engine.rules import Channel
from interface_engine.wire.arrivals import application_ack, oversize_ack

_READ = 65_536
# A store that is away for a moment: the sender waits. For longer: the line is cut, and the sender sends it again.
_HOLDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
# A message above the limit is let pass, so that its sender can be told; one that never ends is not.
_ENDLESS = 16
_MOST_UNANSWERED = 32
_WELL_ENDED = (KEPT, FILTERED)
# Gives the state that a message ended in, once it was worked on.
EndingOf = Callable[[str], Awaitable[str]]


@dataclass
class MllpListener:
    """One feed's port. `ending_of(message id)` waits for the state that a message ends in, for feeds that ask."""

    channel: Callable[[], Channel]
    intake: Intake
    clock: Clock
    log: Any
    ending_of: EndingOf
    most_connections: int = 100
    write_timeout_s: float = 10.0
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str, port: int) -> int:
        """Listens, and gives the port. OSError when it is taken."""
        self._server = await asyncio.start_server(self._accept, host, port, ssl=self.tls, limit=_READ)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """No new connections; those that are there are cut between two messages."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= self.most_connections:
            self.log.warning("too many connections", channel=self.channel().name, count=len(self._connections))
            writer.close()
            return
        self._connections.add(task)
        try:
            await _Connection(self, reader, writer).run()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, Unavailable) as error:
            self.log.info("connection cut", channel=self.channel().name, error=type(error).__name__)
            writer.transport.abort()  # closing would wait until the sender has read everything
        except asyncio.CancelledError:
            pass  # we are stopping: what was not acknowledged comes again
        finally:
            self._connections.discard(task)
            writer.close()


class _Connection:
    """One sender's line: frames in, acknowledgements out, in the same order."""

    def __init__(self, listener: MllpListener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._listener = listener
        self._channel = listener.channel()
        self._reader = reader
        self._writer = writer
        self._framer = hl7v2.Framer(max_bytes=self._channel.transport.max_bytes)

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._channel.transport.idle_s):
                    data = await self._reader.read(_READ)
            except TimeoutError:
                await self._take(self._framer.idle())
                return
            if not data:
                await self._take(self._framer.close())
                return
            self._channel = self._listener.channel()
            await self._take(self._framer.feed(data))
            if self._framer.pending > _ENDLESS * self._channel.transport.max_bytes:
                raise OSError("a message without an end")

    async def _take(self, found: list[hl7v2.Frame | hl7v2.Fault]) -> None:
        """Frames that came together are kept together; each is answered in its turn."""
        for start in range(0, len(found), _MOST_UNANSWERED):
            some = found[start : start + _MOST_UNANSWERED]
            for answers in await asyncio.gather(*(self._answer(one) for one in some)):
                for answer in answers:
                    await self._send(answer)

    async def _answer(self, one: hl7v2.Frame | hl7v2.Fault) -> list[bytes]:
        if isinstance(one, hl7v2.Frame):
            taken = await self._keep(one.payload)
            return [answer for answer in (taken.ack, await self._application_answer(one.payload, taken)) if answer]
        if one.kind == "stray" and not one.data.strip():
            return []  # line ends after a frame mean nothing
        self._listener.log.warning(
            "not a frame", channel=self._channel.name, reason_code=one.kind, size_bytes=one.count
        )
        if one.kind == "oversize":
            return [oversize_ack(self._channel, one.data, self._listener.clock.now())]
        if one.kind in ("unterminated", "partial") and one.data.strip():
            await self._keep(one.data, torn=True)  # kept for people; the sender was never told that we have it
        return []

    async def _keep(self, payload: bytes, *, torn: bool = False) -> Taken:
        take = self._listener.intake.take_torn if torn else self._listener.intake.take
        for wait in _HOLDS:
            try:
                return await take(self._channel, payload)
            except Unavailable:
                await asyncio.sleep(wait)
        return await take(self._channel, payload)

    async def _application_answer(self, payload: bytes, taken: Taken) -> bytes:
        """Enhanced mode may want to hear what became of the message as well; b"" when it does not."""
        if not wants_application_answer(self._channel, payload):
            return b""
        state = await self._listener.ending_of(taken.id)
        message = hl7v2.read(payload, charset=self._channel.transport.charset)
        return application_ack(message, "accepted" if state in _WELL_ENDED else "error", self._listener.clock.now())

    async def _send(self, answer: bytes) -> None:
        """A sender that does not read its answers is cut off."""
        self._writer.write(hl7v2.frame(answer))
        async with asyncio.timeout(self._listener.write_timeout_s):
            await self._writer.drain()


def wants_application_answer(channel: Channel, payload: bytes) -> bool:
    """Whether the sender asked in MSH-16 to hear again, in enhanced mode, when the message has been worked on."""
    try:
        plan = hl7v2.ack_plan(hl7v2.read(payload, charset=channel.transport.charset))
    except Unreadable:
        return False
    enhanced = plan.mode == "enhanced" and channel.transport.acknowledge != "original"
    return enhanced and bool(plan.application_code("accepted") or plan.application_code("error"))


@dataclass
class MllpPorts:
    """A listener for each feed that comes by MLLP. `channels` are those in force now: ports open and close with them.

    `certificates` are for feeds that ask for TLS; new ones are for new connections. A port that is taken is tried
    again: a feed that cannot come in is said aloud.
    """

    channels: Callable[[], Mapping[str, Channel]]
    intake: Intake
    clock: Clock
    log: Any
    ending_of: EndingOf
    most_connections: int = 100
    certificates: Certificates | None = None
    every_s: float = 1.0
    open: dict[tuple[str, str, int, bool], tuple[MllpListener, int]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(self.every_s)
        finally:
            for listener, _ in self.open.values():
                await listener.stop()
            self.open.clear()

    async def look(self) -> None:
        """Opens what is new and closes what is gone."""
        if self.certificates is not None:
            self.certificates.look()
        wanted = {_place(channel) for channel in self.channels().values() if channel.transport.kind == "mllp"}
        for place in self.open.keys() - wanted:
            listener, _ = self.open.pop(place)
            await listener.stop()
            self.log.info("port closed", channel=place[0], port=place[2])
        for place in sorted(wanted - self.open.keys()):
            await self._open(place)

    async def _open(self, place: tuple[str, str, int, bool]) -> None:
        name, host, port, encrypted = place
        if encrypted and self.certificates is None:
            self.log.error("the feed wants TLS and there is no certificate (RCM_MLLP_CERTIFICATE)", channel=name)
            return
        listener = MllpListener(
            lambda: self.channels()[name],
            self.intake,
            self.clock,
            self.log,
            self.ending_of,
            most_connections=self.most_connections,
            tls=self.certificates.server_context() if encrypted and self.certificates is not None else None,
        )
        try:
            taken = await listener.start(host, port)
        except OSError as error:
            self.log.error("the feed's port cannot be opened", channel=name, port=port, error=type(error).__name__)
            return
        self.open[place] = (listener, taken)
        self.log.info("port open", channel=name, port=taken)


def _place(channel: Channel) -> tuple[str, str, int, bool]:
    options = channel.transport.options
    tls = bool(options.get("tls", False))
    return channel.name, str(options.get("host", "127.0.0.1")), int(options.get("port", 0)), tls


def certificates_of(
    certificate: Path | None, key: Path | None, client_ca: Path | None, clock: Clock, log: Any
) -> Certificates | None:
    """TLS for those who send, with their certificates asked for when a CA is named. BadCertificates, which is a
    SettingsError, when the files cannot be used. Without `key`, it lies in the certificate's file."""
    if certificate is None:
        return None
    return Certificates(Files(certificate, key or certificate, client_ca, own=False), clock, log, use="mllp")
