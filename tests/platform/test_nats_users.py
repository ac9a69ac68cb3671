"""The users of NATS that deploy/k8s makes: each may do a service's work, in a real server, and nothing else."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path

import nats
import pytest
from bus.flow import DEAD_PREFIX, FLOW, STREAM, subject_of
from bus.jetstream import BodyStore, PullConsumer, ensure_streams
from chassis.embedded.certificates import Authority
from cli.stack import PROGRAMS

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]  # the helpers lie here, and what writes manifests

import write_manifests as written  # noqa: E402
from k8s_nats import GuardedNats, connected, context_of  # noqa: E402


def test_a_nats_user_may_tell_its_own_facts_and_no_other() -> None:
    users = {one["user"]: one["permissions"] for one in written.nats_users()}
    assert set(users) == {one.name for one in PROGRAMS} - {"simulator"}
    for flow in FLOW:
        subject = subject_of(flow.event, "key")
        tellers = {
            name for name, may in users.items() if any(fnmatchcase(subject, one) for one in may["publish"]["allow"])
        }
        assert tellers == ({flow.producer} if flow.producer != "*" else set(users))


async def test_nats_lets_a_service_do_its_work_and_nothing_else(tmp_path: Path) -> None:
    """The rows of permissions.yaml, in a real server, for a client with a certificate in the service's name."""
    authority = Authority(tmp_path / "authority")
    with GuardedNats(tmp_path / "nats", authority) as server:
        async with connected(server, context_of(authority, "coding")) as client:
            js, elsewhere = client.jetstream(timeout=15), client.jetstream(timeout=0.5)
            await ensure_streams(js)
            puller = PullConsumer(client, "coding-0", ["rcm.v1.encounter.finished.0"], 10)
            await puller.ensure()
            async with connected(server, context_of(authority, "interface-engine")) as engine:
                await engine.jetstream(timeout=15).publish("rcm.v1.encounter.finished.0", b"a")
            for message in await puller.fetch():
                await message.ack_sync(timeout=15)
            await puller.begin_again(await puller.position())
            await puller.close()
            config = (await js.stream_info(STREAM)).config
            await js.update_stream(config, num_replicas=1)  # as when a cluster grows
            assert (await js.consumer_info(STREAM, "coding-0")).config.opt_start_seq == 2
            assert (await js.publish("rcm.v1.encounter.coded.1", b"b")).seq == 2
            assert (await js.publish(f"{DEAD_PREFIX}.coding", b"c")).seq == 1
            await BodyStore(js).put("body", b"d" * 300_000)
            assert len(await BodyStore(js).get("body")) == 300_000
            for forbidden in ("rcm.v1.claim.submitted.0", f"{DEAD_PREFIX}.remittance"):
                with pytest.raises(nats.errors.TimeoutError):  # the server says nothing to us
                    await elsewhere.publish(forbidden, b"e")
            with pytest.raises(nats.errors.TimeoutError):  # the server says nothing to us
                await PullConsumer(client, "remittance-0", ["rcm.v1.claim.submitted.0"], 10).ensure()
            with pytest.raises(nats.errors.TimeoutError):  # the server says nothing to us
                await elsewhere.delete_consumer(STREAM, "remittance-0")
            with pytest.raises(nats.errors.TimeoutError):  # the server says nothing to us
                await elsewhere.delete_stream(STREAM)
        for unknown in ("stranger", ""):
            with pytest.raises((nats.errors.Error, OSError)):
                async with connected(server, context_of(authority, unknown)):
                    pass
