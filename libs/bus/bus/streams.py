"""The streams, and how many servers of a NATS cluster keep each of them.

Consumers have the number of their stream: it is left open when they are made, and follows a stream that changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nats.js import JetStreamContext
from nats.js.api import ObjectStoreConfig, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError
from nats.js.object_store import ObjectStore

from bus.flow import BODY_STORE, DEAD_PREFIX, DEAD_STREAM, STREAM, SUBJECT_PREFIX

RETENTION_S = 14 * 24 * 3600
DUPLICATE_WINDOW_S = 120
RETRY_S = 5.0
BODY_STREAM = f"OBJ_{BODY_STORE}"
# The server's words for "too few of us": not in a cluster, and no server that could take a copy.
TOO_FEW = (10074, 10005)

STREAMS = (
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


class Streams:
    """Makes the streams that are missing, and gives those that are there the wanted number of replicas, once.

    `replicas` None takes one for a new stream and leaves the others as they are. `refused` is told the name of a
    stream for which the cluster is too small, once each: one that is there stays as it is, one that is missing is
    waited for.
    """

    def __init__(self, replicas: int | None = None, refused: Callable[[str], None] = lambda stream: None) -> None:
        self._replicas = replicas
        self._refused = refused
        self._told: set[str] = set()
        self._settled: set[str] = set()
        self._again_at = 0.0

    async def ensure(self, js: JetStreamContext) -> None:
        """Safe to repeat and to run from several services at once. A broker's error where it does not answer."""
        for config in STREAMS:
            await self._ensure(js, config)
        if self._replicas is not None and BODY_STREAM not in self._settled:
            await self._replicate(js, BODY_STREAM)

    async def bodies(self, js: JetStreamContext) -> ObjectStore:
        """The store of large bodies, made where it is missing."""
        try:
            return await js.object_store(BODY_STORE)
        except NotFoundError:
            while True:
                try:
                    wanted = ObjectStoreConfig(max_bytes=-1, replicas=self._replicas or 1)
                    return await js.create_object_store(BODY_STORE, wanted)
                except APIError as error:
                    await self._wait_for_servers(BODY_STREAM, error)

    async def _ensure(self, js: JetStreamContext, config: StreamConfig) -> None:
        name = str(config.name)
        if self._replicas is not None and name not in self._settled and await self._replicate(js, name):
            return
        while True:
            try:
                await js.stream_info(name)
                return
            except NotFoundError:
                pass
            try:
                await js.add_stream(config, num_replicas=self._replicas or 1)
                return
            except APIError as error:
                await self._wait_for_servers(name, error)

    async def _wait_for_servers(self, name: str, error: APIError) -> None:
        if error.err_code not in TOO_FEW:
            raise error
        self._tell(name)
        await asyncio.sleep(RETRY_S)

    async def _replicate(self, js: JetStreamContext, name: str) -> bool:
        """Gives a stream its number. False where it is missing; one that was refused is tried again after a while."""
        now = asyncio.get_running_loop().time()
        if name in self._told and now < self._again_at:
            return False
        try:
            config = (await js.stream_info(name)).config
            if (config.num_replicas or 1) != self._replicas:
                await js.update_stream(config, num_replicas=self._replicas)
        except NotFoundError:
            return False
        except APIError as error:
            if error.err_code not in TOO_FEW:
                raise
            self._tell(name)
            self._again_at = now + RETRY_S
            return True
        self._settled.add(name)
        return True

    def _tell(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._refused(name)


async def ensure_streams(js: JetStreamContext) -> None:
    """The streams, with one replica where they are missing; those that are there stay as they are."""
    await Streams().ensure(js)
