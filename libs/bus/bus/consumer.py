"""Takes facts in: batches, one transaction, inbox first, order kept per key, dead letters with a reason.

A service's partitions are shared among its replicas (bus/share.py); what is done with one is in bus/partition.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import nats.errors
from nats.aio.client import Client

from bus.flow import PARTITIONS
from bus.jetstream import Position
from bus.partition import Partition, Setting
from bus.share import Hold, Share
from bus.streams import Streams
from bus.subscription import OnFailure, Subscription
from bus.unit import Database

Keep = Callable[[str, Callable[[], Awaitable[None]]], Awaitable[None]]


async def run_once(_name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Runs; an error ends all."""
    await run()


class Consumer:
    """All subscriptions of one service, in one of its replicas.

    `linger_s`: how long to wait for more after the first message of a batch; for services off the line's way, where
    larger transactions are worth more than the moment. `keep` runs what a partition does, and again after an error.
    """

    def __init__(
        self,
        database: Database,
        client: Client,
        service: str,
        subscriptions: Sequence[Subscription],
        on_failure: OnFailure | None = None,
        *,
        linger_s: float = 0.0,
        streams: Streams | None = None,
        keep: Keep = run_once,
    ) -> None:
        by_event = {subscription.event: subscription for subscription in subscriptions}
        told = on_failure or (lambda event, outcome, reason, attempt: None)
        self._setting = Setting(database, client, service, by_event, told, streams or Streams(), linger_s)
        self._keep = keep
        self._positions: dict[int, Position] = {}
        self._held = 0
        database.measures.subscribed(by_event)
        duties = {f"partition:{service}:{number}": self._work(number) for number in range(PARTITIONS)}
        self._share = Share(database, service, duties, able=self._is_able)

    @property
    def held(self) -> frozenset[int]:
        """The partitions that this replica holds now."""
        return frozenset(int(name.rpartition(":")[2]) for name in self._share.held)

    async def run(self) -> None:
        """Takes its part of the partitions until cancelled. Raises on a lost session: run it again."""
        await self._share.run()

    def _is_able(self) -> bool:
        """Whether the broker answers. Raises on a connection that was given up: make a consumer with another."""
        client = self._setting.client
        if client.is_closed:
            raise nats.errors.ConnectionClosedError
        return bool(client.is_connected)

    def _work(self, number: int) -> Callable[[Hold], Awaitable[None]]:
        async def work(hold: Hold) -> None:
            self._count(1)
            try:
                await self._keep(f"consumer-{number}", lambda: self._hold(number, hold))
            finally:
                self._count(-1)

        return work

    def _count(self, change: int) -> None:
        self._held += change
        self._setting.database.measures.see("rcm.bus.partitions.held", {(): self._held})

    async def _hold(self, number: int, hold: Hold) -> None:
        """Once more from what was confirmed: when the partition was taken, and after every error."""
        if hold.leaving.done():
            return
        partition = Partition(self._setting, number)
        position = self._positions[number] = await partition.position(self._positions.get(number))
        await partition.begin(position)
        await partition.run(hold)
