"""The broker's side: one connection, the store for large bodies, and pulling in batches."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats.errors
from kernel.errors import Unavailable
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError, ObjectNotFoundError

from bus.flow import STREAM
from bus.secure import TlsTransport
from bus.streams import Streams
from bus.streams import ensure_streams as ensure_streams

ACK_WAIT_S = 15.0
BODY_WITHIN_S = 30.0
HEARTBEAT, NO_MESSAGES, REQUEST_ENDED = "100", "404", "408"
BROKER_ERRORS = (nats.errors.Error, JetStreamError, OSError, TimeoutError, asyncio.TimeoutError)
_CONNECTION: dict[str, Any] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.2,
    "connect_timeout": 2,
    "ping_interval": 10,
    "max_outstanding_pings": 2,
    "pending_size": -1,
}


async def connect(
    url: str, name: str, tls: ssl.SSLContext | None = None, on_error: Callable[[Exception], None] | None = None
) -> Client:
    """Connects and never gives up. Publishing while disconnected fails at once: the outbox is the buffer.

    `url` may name several nodes of a cluster, separated by commas. `tls` is asked for each connection, so that its
    certificate may change; `on_error` hears why a connection was lost or could not be made.
    """

    async def report(error: Exception) -> None:
        """The loops that use the client meet the error themselves."""
        if on_error is not None:
            on_error(error)

    client = Client()
    if tls is not None:
        client._transport = TlsTransport(tls)
    await client.connect(url.split(","), name=name, error_cb=report, **_CONNECTION)
    return client


class BodyStore:
    """Bodies over 256 KiB, by event id, in JetStream's object store. Rebuilt from the outbox like the stream."""

    def __init__(self, js: JetStreamContext, streams: Streams | None = None) -> None:
        self._js = js
        self._streams = streams or Streams()

    async def put(self, name: str, body: bytes) -> None:
        """Stores a body under its event id; the same id again replaces it. A broker's error after a while."""
        async with asyncio.timeout(BODY_WITHIN_S):
            await (await self._streams.bodies(self._js)).put(name, body)

    async def get(self, name: str) -> bytes:
        """The body; Unavailable while the store does not have it or a server that had it is being replaced."""
        try:
            async with asyncio.timeout(BODY_WITHIN_S):  # chunks that were lost on their way are not sent again
                result = await (await self._streams.bodies(self._js)).get(name)
        except (ObjectNotFoundError, NotFoundError) as error:
            raise Unavailable("body-missing", "the body is not in the store yet") from error
        except BROKER_ERRORS as error:
            raise Unavailable("body-store-away", "the store of bodies does not answer") from error
        return bytes(result.data or b"")


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a consumer had confirmed all, in one life of the stream, and how far the stream went by then."""

    stream: datetime | None
    confirmed: int
    end: int


class PullConsumer:
    """Pulls from one durable consumer with requests that end by themselves, and notices a server that went away.

    nats-py's own fetch waits for a full batch; here what has arrived is handed over at once. Deliveries are numbered:
    one that was lost on its way is an error before any later one is handed over.
    """

    def __init__(
        self,
        client: Client,
        durable: str,
        subjects: list[str],
        batch: int,
        *,
        linger_s: float = 0.0,
        expires_s: float = 5.0,
        streams: Streams | None = None,
    ) -> None:
        self._linger_s = linger_s
        self._client = client
        self._js = client.jetstream()
        self._durable = durable
        self._batch = batch
        self._expires_s = expires_s
        self._streams = streams or Streams()
        self._config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=subjects,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=batch * 4,
            max_deliver=-1,
        )
        self._subscription: NatsSubscription | None = None
        self._outstanding = 0
        self._next: int | None = None

    async def ensure(self) -> None:
        """Creates stream and consumer where they are missing, and a fresh reply subject."""
        await self._streams.ensure(self._js)
        await self._js.add_consumer(STREAM, self._config)
        await self._listen()

    async def position(self, before: Position | None = None) -> Position:
        """Where to begin again; `before` is where, should there be a stream and no consumer.

        So it is when somebody was cut off between the old one's end and the new one's beginning.
        """
        await self._streams.ensure(self._js)
        stream = await self._js.stream_info(STREAM)
        confirmed = before.confirmed if before is not None and before.stream == stream.created else 0
        with contextlib.suppress(NotFoundError):
            info = await self._js.consumer_info(STREAM, self._durable)
            confirmed = info.ack_floor.stream_seq if info.ack_floor else 0
        return Position(stream.created, confirmed, stream.state.last_seq)

    async def begin_again(self, position: Position) -> None:
        """Makes the consumer anew, so that what was not confirmed comes again, all of it and in the stream's order.

        What others had asked of the old one ends with it: they get nothing any more.
        """
        with contextlib.suppress(NotFoundError):
            await self._js.delete_consumer(STREAM, self._durable)
        if position.confirmed:
            policy, start = DeliverPolicy.BY_START_SEQUENCE, position.confirmed + 1
            await self._js.add_consumer(STREAM, self._config, deliver_policy=policy, opt_start_seq=start)
        else:
            await self._js.add_consumer(STREAM, self._config)
        await self._listen()
        self._next = 1

    async def _listen(self) -> None:
        await self.close()
        self._subscription = await self._client.subscribe(self._client.new_inbox())
        self._outstanding, self._next = 0, None

    async def close(self) -> None:
        """Drops the reply subject; what was delivered and not acknowledged comes again."""
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            with contextlib.suppress(*BROKER_ERRORS):
                await subscription.unsubscribe()

    async def fetch(self) -> list[Msg]:
        """What has arrived, at least one message, at most a batch; empty after a quiet while.

        Raises a broker error when no heartbeat came or a delivery was lost: begin again and go on.
        """
        subscription = self._subscription
        if subscription is None:
            raise nats.errors.BadSubscriptionError
        if self._outstanding <= 0:
            await self._request(subscription)
        messages: list[Msg] = []
        while not messages or (subscription.pending_msgs and len(messages) < self._batch):
            message = await subscription.next_msg(timeout=2.5)
            if message.reply:
                if self._linger_s and not messages and not subscription.pending_msgs:
                    await asyncio.sleep(self._linger_s)
                self._count(message)
                messages.append(message)
            elif self._is_end(message):
                break
        return messages

    def _count(self, message: Msg) -> None:
        number = message.metadata.sequence.consumer
        if self._next is not None and number != self._next:
            raise nats.errors.Error("a delivery was lost")
        self._next = number + 1
        self._outstanding -= 1

    def _is_end(self, message: Msg) -> bool:
        """True when the request ended in the ordinary way; an error when consumer or stream are gone."""
        status = (message.headers or {}).get("Status", "")
        if status == HEARTBEAT:
            return False
        self._outstanding = 0
        if status in (REQUEST_ENDED, NO_MESSAGES):
            return True
        raise nats.errors.Error(f"pull ended with status {status}")

    async def _request(self, subscription: NatsSubscription) -> None:
        request = {
            "batch": self._batch,
            "expires": int(self._expires_s * 1e9),
            "idle_heartbeat": int(1e9),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self._durable}"
        await self._client.publish(subject, json.dumps(request).encode(), reply=subscription.subject)
        self._outstanding = self._batch
