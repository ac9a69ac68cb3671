"""The broker's side: one connection, the streams, the store for large bodies, and pulling in batches."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats
import nats.errors
from kernel.errors import Unavailable
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StorageType, StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError, ObjectNotFoundError

from bus.flow import BODY_STORE, DEAD_PREFIX, DEAD_STREAM, STREAM, SUBJECT_PREFIX

RETENTION_S = 14 * 24 * 3600
DUPLICATE_WINDOW_S = 120
ACK_WAIT_S = 15.0
HEARTBEAT, NO_MESSAGES, REQUEST_ENDED = "100", "404", "408"
BROKER_ERRORS = (nats.errors.Error, JetStreamError, OSError, TimeoutError, asyncio.TimeoutError)

_STREAMS = (
    StreamConfig(
        name=STREAM,
        subjects=[f"{SUBJECT_PREFIX}.>"],
        storage=StorageType.FILE,
        max_age=RETENTION_S,
        duplicate_window=DUPLICATE_WINDOW_S,
        allow_direct=True,
    ),
    StreamConfig(name=DEAD_STREAM, subjects=[f"{DEAD_PREFIX}.>"], storage=StorageType.FILE),
    StreamConfig(
        name="RCM_ADVISORIES",
        subjects=["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"],
        storage=StorageType.FILE,
        max_age=RETENTION_S,
    ),
)


async def connect(url: str, name: str) -> Client:
    """Connects and never gives up. Publishing while disconnected fails at once: the outbox is the buffer."""

    async def quiet(error: Exception) -> None:
        """The client reports each lost connection here; the loops that use it meet the error themselves."""

    return await nats.connect(
        url,
        name=name,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        connect_timeout=2,
        ping_interval=10,
        max_outstanding_pings=2,
        pending_size=-1,
        error_cb=quiet,
    )


async def ensure_streams(js: JetStreamContext) -> None:
    """Creates the streams that are missing. Safe to repeat and to run from several services at once."""
    for config in _STREAMS:
        try:
            await js.stream_info(str(config.name))
        except NotFoundError:
            await js.add_stream(config)


class BodyStore:
    """Bodies over 256 KiB, by event id, in JetStream's object store. Rebuilt from the outbox like the stream."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def _bucket(self) -> Any:
        try:
            return await self._js.object_store(BODY_STORE)
        except NotFoundError:
            return await self._js.create_object_store(BODY_STORE, max_bytes=-1)

    async def put(self, name: str, body: bytes) -> None:
        """Stores a body under its event id; the same id again replaces it."""
        await (await self._bucket()).put(name, body)

    async def get(self, name: str) -> bytes:
        """The body; Unavailable while the store does not have it (it comes back with the relay)."""
        try:
            result = await (await self._bucket()).get(name)
        except (ObjectNotFoundError, NotFoundError) as error:
            raise Unavailable("body-missing", "the body is not in the store yet") from error
        return bytes(result.data)


class PullConsumer:
    """Pulls from one durable consumer with requests that end by themselves, and notices a server that went away.

    nats-py's own fetch waits for a full batch; here what has arrived is handed over at once.
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
    ) -> None:
        self._linger_s = linger_s
        self._client = client
        self._js = client.jetstream()
        self._durable = durable
        self._subjects = subjects
        self._batch = batch
        self._expires_s = expires_s
        self._subscription: NatsSubscription | None = None
        self._outstanding = 0

    async def ensure(self) -> None:
        """Creates stream and consumer where they are missing, and a fresh reply subject."""
        await ensure_streams(self._js)
        config = ConsumerConfig(
            durable_name=self._durable,
            filter_subjects=self._subjects,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=self._batch * 4,
            max_deliver=-1,
        )
        await self._js.add_consumer(STREAM, config)
        await self.close()
        self._subscription = await self._client.subscribe(self._client.new_inbox())
        self._outstanding = 0

    async def close(self) -> None:
        """Drops the reply subject; what was delivered and not acknowledged comes again."""
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            try:
                await subscription.unsubscribe()
            except BROKER_ERRORS:
                self._outstanding = 0

    async def fetch(self) -> list[Msg]:
        """What has arrived, at least one message, at most a batch; empty after a quiet while.

        Raises a broker error when no heartbeat came: call `ensure` and go on.
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
                messages.append(message)
                self._outstanding -= 1
            elif self._is_end(message):
                break
        return messages

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
