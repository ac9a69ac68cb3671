"""A consumer that begins again: behind what was confirmed without a gap, and nothing goes to whoever asked before."""

from __future__ import annotations

from dataclasses import replace

import nats.errors
import pytest
from bus.flow import STREAM
from bus.jetstream import PullConsumer, ensure_streams
from bus_replicas import until
from nats.aio.client import Client

SUBJECT = "rcm.v1.encounter.finished.9"  # a partition of our own


async def number_of(broker: Client, count: int) -> int:
    """Publishes so many; the sequence of the first."""
    js = broker.jetstream()
    sent = [(await js.publish(SUBJECT, str(number).encode())).seq for number in range(count)]
    return sent[0]


async def fetch(puller: PullConsumer, count: int) -> list[bytes]:
    """So many messages, unconfirmed."""
    found: list[bytes] = []
    while len(found) < count:
        found += [message.data for message in await puller.fetch()]
    return found


@pytest.fixture
async def pullers(broker: Client, tenant: str) -> tuple[PullConsumer, PullConsumer]:
    await ensure_streams(broker.jetstream())
    await broker.jetstream().purge_stream(STREAM, subject=SUBJECT)
    one, other = (PullConsumer(broker, f"probe-{tenant}", [SUBJECT], 10) for _ in range(2))
    return one, other


async def test_what_was_not_confirmed_comes_again_in_order(
    broker: Client, pullers: tuple[PullConsumer, PullConsumer]
) -> None:
    first, second = pullers
    start = await number_of(broker, 6)
    await first.begin_again(await first.position())
    messages = []
    while len(messages) < 6:
        messages += await first.fetch()
    for message in (*messages[:2], messages[4]):
        await message.ack_sync()
    await messages[3].nak(3600)  # an hour, as somebody whose payer is away
    position = await second.position()
    assert position.confirmed == start + 1
    assert position.end == start + 5
    await second.begin_again(position)
    assert await fetch(second, 4) == [b"2", b"3", b"4", b"5"]
    assert (await second.position()).confirmed == start + 1
    info = await broker.jetstream().consumer_info(STREAM, second._durable)
    assert info.ack_floor is not None and info.ack_floor.stream_seq == start + 1  # what the relay reads


async def test_a_former_holder_gets_nothing(broker: Client, pullers: tuple[PullConsumer, PullConsumer]) -> None:
    first, second = pullers
    await first.begin_again(await first.position())
    subscription = first._subscription
    assert subscription is not None
    await first._request(subscription)  # it waits for ten
    await second.begin_again(await second.position())
    await number_of(broker, 3)
    assert await fetch(second, 3) == [b"0", b"1", b"2"]
    with pytest.raises(nats.errors.Error):
        while True:
            assert await first.fetch() == []


async def test_where_no_consumer_is_left_it_begins_where_it_was_seen_last(
    broker: Client, pullers: tuple[PullConsumer, PullConsumer]
) -> None:
    first, second = pullers
    await number_of(broker, 3)
    await first.begin_again(await first.position())
    messages = []
    while len(messages) < 3:
        messages += await first.fetch()
    for message in messages[:2]:
        await message.ack_sync()
    seen = await first.position()
    await broker.jetstream().delete_consumer(STREAM, first._durable)
    assert (await second.position(seen)).confirmed == seen.confirmed > 0
    assert (await second.position()).confirmed == 0  # all of it, and the inbox knows what it had
    other_life = replace(seen, stream=None)
    assert (await second.position(other_life)).confirmed == 0  # numbers of another stream mean nothing


async def test_a_lost_delivery_is_an_error_before_any_later_one(
    broker: Client, pullers: tuple[PullConsumer, PullConsumer]
) -> None:
    puller, _ = pullers
    await puller.begin_again(await puller.position())
    subscription = puller._subscription
    assert subscription is not None
    await puller._request(subscription)
    await number_of(broker, 2)
    await until(lambda: subscription.pending_msgs >= 2)
    await subscription.next_msg()  # as if it had been lost on its way
    with pytest.raises(nats.errors.Error, match="lost"):
        await puller.fetch()
    await puller.begin_again(await puller.position())
    assert await fetch(puller, 2) == [b"0", b"1"]
