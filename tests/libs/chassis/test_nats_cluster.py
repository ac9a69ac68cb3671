"""A cluster of embedded NATS servers keeps what was acknowledged when a node is lost, and keeps strangers out."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from bus.jetstream import connect
from chassis.embedded.certificates import Authority
from chassis.embedded.nats_cluster import EmbeddedNatsCluster
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import APIError


def context_of(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder / "authority")
    authority.issue("nats", folder / "nats", sans=["127.0.0.1"])
    authority.issue("peer", folder / "peer")
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[EmbeddedNatsCluster]:
    with EmbeddedNatsCluster(tmp_path_factory.mktemp("nats"), tls_dir=certificates / "nats") as started:
        yield started


async def test_what_was_acknowledged_outlives_the_node_that_led(
    cluster: EmbeddedNatsCluster, certificates: Path
) -> None:
    client = await connect(cluster.url, "test", context_of(certificates / "peer"))
    js = client.jetstream()
    try:
        await js.add_stream(StreamConfig(name="KEPT", subjects=["kept.>"], num_replicas=3))
        for number in range(20):
            await js.publish("kept.one", str(number).encode())
        info = await js.stream_info("KEPT")
        assert info.cluster is not None and info.cluster.leader in cluster.nodes
        leader = cluster.nodes[info.cluster.leader]
        leader.stop()
        await published(js, b"20")
        leader.start()
        await asyncio.to_thread(cluster.wait_ready)
        assert (await js.stream_info("KEPT")).state.messages == 21
    finally:
        await client.close()


async def published(js: JetStreamContext, content: bytes) -> None:
    """Again until it is acknowledged, as the relay does; the message id keeps it single."""
    async with asyncio.timeout(60):
        while True:
            try:
                await js.publish("kept.one", content, timeout=3, headers={"Nats-Msg-Id": "last"})
                return
            except (NatsError, APIError, OSError, TimeoutError):
                await asyncio.sleep(0.2)


async def test_it_serves_only_holders_of_its_own_certificates(
    cluster: EmbeddedNatsCluster, tmp_path: Path, certificates: Path
) -> None:
    Authority(tmp_path / "authority").issue("peer", tmp_path / "strange")
    strange = ssl.create_default_context(cafile=str(certificates / "peer" / "ca.crt"))
    strange.load_cert_chain(tmp_path / "strange" / "tls.crt", tmp_path / "strange" / "tls.key")
    host, _, port = cluster.url.partition(",")[0].removeprefix("nats://").partition(":")
    with pytest.raises(OSError):
        reader, _ = await asyncio.open_connection(host, int(port), ssl=strange)
        if not await reader.readline():  # TLS 1.3 tells a refusal with the first answer
            raise ConnectionResetError


def test_ports_stay_the_same(cluster: EmbeddedNatsCluster, tmp_path: Path) -> None:
    first = EmbeddedNatsCluster(tmp_path, 3).url
    assert EmbeddedNatsCluster(tmp_path, 3).url == first
    assert len(set(first.split(","))) == 3
