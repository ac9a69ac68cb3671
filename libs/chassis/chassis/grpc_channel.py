"""A channel that lasts while certificates change: the one below it is made anew, and no call fails for it.

gRPC gives a channel its certificate when it is made. Stubs are made once, too, and know only this channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from chassis.tls import Certificates, Identity


class _Below:
    """The channel of one certificate: it is closed when another has followed and its last call has ended."""

    def __init__(self, identity: Identity, channel: grpc.aio.Channel) -> None:
        self.identity = identity
        self.channel = channel
        self._calls = 0
        self._closing: Callable[[], None] | None = None

    def began(self, call: Any) -> None:
        self._calls += 1
        call.add_done_callback(self._ended)

    def retire(self, close: Callable[[], None]) -> None:
        self._closing = close
        self._close_when_idle()

    def _ended(self, _call: Any) -> None:
        self._calls -= 1
        self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._calls == 0 and self._closing is not None:
            close, self._closing = self._closing, None
            close()


class _Following:
    """One method of a stub: called on the newest channel."""

    def __init__(self, newest: Callable[[], _Below], make: Callable[[grpc.aio.Channel], Any]) -> None:
        self._newest = newest
        self._make = make
        self._below: _Below | None = None
        self._callable: Any = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        below = self._newest()
        if below is not self._below:
            self._below, self._callable = below, self._make(below.channel)
        call = self._callable(*arguments, **named)
        below.began(call)
        return call


class LastingChannel(grpc.aio.Channel):  # type: ignore[misc]
    """New calls are by the newest certificate; those in progress end where they began."""

    def __init__(self, certificates: Certificates, make: Callable[[Identity], grpc.aio.Channel]) -> None:
        self._certificates = certificates
        self._make = make
        self._below = _Below(certificates.current, make(certificates.current))
        self._retired: set[_Below] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def _newest(self) -> _Below:
        identity = self._certificates.current
        if self._below.identity is not identity:
            old, self._below = self._below, _Below(identity, self._make(identity))
            self._retired.add(old)
            old.retire(lambda: self._close_later(old))
        return self._below

    def _close_later(self, old: _Below) -> None:
        self._retired.discard(old)
        task = asyncio.get_running_loop().create_task(old.channel.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self, grace: float | None = None) -> None:
        """Close what is open. Calls in progress get `grace` seconds."""
        channels = [self._below.channel, *(old.channel for old in self._retired)]
        await asyncio.gather(*(channel.close(grace) for channel in channels), *self._closing)

    async def __aenter__(self) -> LastingChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Of the newest."""
        return self._newest().channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Of the newest."""
        await self._newest().channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Of the newest."""
        await self._newest().channel.channel_ready()

    def unary_unary(self, *described: Any, **named: Any) -> Any:
        """A method of one request and one response."""
        return _Following(self._newest, lambda channel: channel.unary_unary(*described, **named))

    def unary_stream(self, *described: Any, **named: Any) -> Any:
        """A method of one request and a stream of responses."""
        return _Following(self._newest, lambda channel: channel.unary_stream(*described, **named))

    def stream_unary(self, *described: Any, **named: Any) -> Any:
        """A method of a stream of requests and one response."""
        return _Following(self._newest, lambda channel: channel.stream_unary(*described, **named))

    def stream_stream(self, *described: Any, **named: Any) -> Any:
        """A method of a stream of requests and a stream of responses."""
        return _Following(self._newest, lambda channel: channel.stream_stream(*described, **named))
