"""Streams with replicas: made with the number, given it later, refused in one line, and served while a node is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from bus import Consumer, Database, Event, Relay, Streams, Subscription
from bus.flow import DEAD_STREAM, PARTITIONS, STREAM
from bus.jetstream import BodyStore, PullConsumer, connect, ensure_streams
from bus.streams import BODY_STREAM, RETRY_S
from bus_replicas import EVENT, SERVICE, again, effects, emit, keep, out_of_order, stop, until, write_effect
from chassis.embedded import EmbeddedNats
from chassis.embedded.nats_cluster import EmbeddedNatsCluster
from nats.js import JetStreamContext

ADVISORIES = "RCM_ADVISORIES"
LARGE = 300_000  # such a body goes by reference


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNatsCluster]:
    with EmbeddedNatsCluster(tmp_path_factory.mktemp("cluster"), 3) as started:
        yield started


async def replicas(js: JetStreamContext, *names: str) -> list[int | None]:
    """How many servers keep each of them."""
    return [(await js.stream_info(name)).config.num_replicas for name in names]


async def test_streams_bodies_and_consumers_get_their_replicas_later_too(cluster: EmbeddedNatsCluster) -> None:
    client = await connect(cluster.url, "probe")
    js = client.jetstream(timeout=20)
    await ensure_streams(js)
    await BodyStore(js).put("before", b"x" * 300_000)
    puller = PullConsumer(client, "coding-0", ["rcm.v1.encounter.finished.0"], 10)
    await puller.begin_again(await puller.position())
    assert await replicas(js, STREAM, DEAD_STREAM, ADVISORIES, BODY_STREAM) == [1, 1, 1, 1]
    refused: list[str] = []
    await Streams(3, refused.append).ensure(js)
    assert await replicas(js, STREAM, DEAD_STREAM, ADVISORIES, BODY_STREAM) == [3, 3, 3, 3]
    await ensure_streams(js)  # who has no opinion changes nothing
    assert await replicas(js, STREAM) == [3]

    async def consumer_follows() -> bool:
        info = await js.consumer_info(STREAM, "coding-0")
        return bool(info.cluster and len(info.cluster.replicas or []) == 2)

    await until(consumer_follows)
    assert await BodyStore(js).get("before") == b"x" * 300_000
    for name in (STREAM, DEAD_STREAM, ADVISORIES, BODY_STREAM):
        await js.delete_stream(name)
    streams = Streams(3, refused.append)
    await streams.ensure(js)
    await BodyStore(js, streams).put("after", b"y" * 300_000)
    assert await replicas(js, STREAM, DEAD_STREAM, ADVISORIES, BODY_STREAM) == [3, 3, 3, 3]
    assert refused == []
    await client.close()


async def test_a_cluster_that_is_too_small_is_told_once_and_asked_again(tmp_path: Path) -> None:
    with EmbeddedNats(tmp_path / "alone") as alone:
        client = await connect(alone.url, "probe")
        js, refused = client.jetstream(), []
        streams = Streams(3, refused.append)
        missing = asyncio.create_task(streams.ensure(js))
        await until(lambda: refused == [STREAM])
        assert not missing.done()  # it waits for servers and neither fails nor takes fewer
        await stop(missing)
        await ensure_streams(js)
        refused.clear()
        streams = Streams(3, refused.append)
        for _ in range(3):
            await streams.ensure(js)  # what is there goes on as it is
        assert refused == [STREAM, DEAD_STREAM, ADVISORIES]
        assert await replicas(js, STREAM) == [1]
        assert RETRY_S > 1
        await Streams(1).ensure(js)
        await client.close()


async def test_the_line_goes_on_when_a_node_is_lost(  # type: ignore[no-untyped-def]
    cluster: EmbeddedNatsCluster, database: Database, tenant: str
) -> None:
    """Each node once, with facts and large bodies on their way; each key in order, each fact once."""
    client = await connect(cluster.url, "probe")
    streams = Streams(3)
    handled: list[int] = []

    async def prepare(event: Event) -> None:
        handled.append(len(event.body.encounter_key))

    consumer = Consumer(
        database, client, SERVICE, [Subscription(EVENT, write_effect, prepare)], streams=streams, keep=keep
    )
    relay = Relay(database, client, SERVICE, streams=streams)
    tasks = [asyncio.create_task(again(work)) for work in (consumer.run, relay.run)]
    await until(lambda: len(consumer.held) == PARTITIONS)
    sent = dict.fromkeys(("Encounter/1", "Encounter/2", "Encounter/3"), 0)

    async def all_there() -> bool:
        return len(await effects(database, tenant)) == sum(sent.values())

    for node in cluster.nodes.values():
        for _ in range(10):
            for key in sent:
                await emit(database, tenant, key, sent[key])
                sent[key] += 1
        await asyncio.to_thread(node.stop)
        for key in sent:
            await emit(database, tenant, key, sent[key], LARGE)
            sent[key] += 1
        await until(all_there, 90)
        await asyncio.to_thread(node.start)
        await asyncio.to_thread(cluster.wait_ready)
    for task in tasks:
        await stop(task)
    await client.close()
    assert out_of_order(await effects(database, tenant), sent) == []
    assert sum(size > LARGE for size in handled) >= len(cluster.nodes) * len(sent)
