"""What operations do on an ordinary day, under load: no call fails for good, nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import httpx
import pytest
from bus.flow import FLOW, STREAM
from bus.jetstream import connect
from cli.stack import PROGRAMS
from line_under_load import LineUnderLoad
from nats.errors import Error as NatsError
from peers import shown_certificate

CONSUMING = sorted({service for flow in FLOW for service in flow.heard_by()})
ROTATIONS = 10
NOTICED_AFTER_S = 2.5  # a service looks every two seconds


async def eventually(holds: Callable[[], Coroutine[Any, Any, bool]], what: str, within_s: float = 300) -> None:
    """Waits until it holds, which has no time of its own here."""
    try:
        async with asyncio.timeout(within_s):
            while not await holds():  # noqa: ASYNC110 - other processes are asked
                await asyncio.sleep(0.3)
    except TimeoutError:
        pytest.fail(what)


async def test_every_service_is_replaced_one_after_the_other(zero_loss: LineUnderLoad) -> None:
    stack = zero_loss.stack
    before = {program.name: stack.processes[program.name].pid for program in PROGRAMS if not program.alone}

    outcome = await zero_loss.while_loaded(lambda: asyncio.to_thread(stack.roll))

    assert await zero_loss.problems(outcome) == []
    for name, pid in before.items():
        (replica,) = stack.replicas(name)
        assert stack.processes[replica].pid != pid
    assert stack.restarts == {}, "something ended that nobody had asked to"


async def handled(stack_url: str) -> float:
    """How many facts a replica has handled, by its own metrics; 0 while it cannot be asked."""
    async with httpx.AsyncClient(timeout=10) as http:
        with suppress(httpx.TransportError):
            lines = (await http.get(stack_url)).text.splitlines()
            own = [line for line in lines if line.startswith("rcm_bus_handled_total{") and '"handled"' in line]
            return sum(float(line.rpartition(" ")[2]) for line in own)
    return 0


async def test_every_consumer_goes_from_one_to_three_and_back(zero_loss: LineUnderLoad) -> None:
    stack, shared = zero_loss.stack, {}

    async def all_work(name: str) -> bool:
        counts = [await handled(stack.metrics_url(replica)) for replica in stack.replicas(name)]
        shared[name] = sum(count > 0 for count in counts)
        return shared[name] == 3

    async def scale_each() -> None:
        for name in CONSUMING:
            await asyncio.to_thread(stack.scale, name, 3)
            await eventually(lambda name=name: all_work(name), f"not all replicas of {name} get facts")  # type: ignore[misc]
            await asyncio.to_thread(stack.scale, name, 1)

    outcome = await zero_loss.while_loaded(scale_each)

    assert await zero_loss.problems(outcome) == []
    assert shared == dict.fromkeys(CONSUMING, 3)
    assert all(len(stack.replicas(name)) == 1 for name in CONSUMING)
    assert stack.restarts == {}


async def test_postgres_goes_and_comes_back(zero_loss: LineUnderLoad) -> None:
    async def fail_over() -> None:
        for _ in range(2):
            await asyncio.to_thread(zero_loss.stack.restart, "postgres")
            await asyncio.sleep(2)

    outcome = await zero_loss.while_loaded(fail_over)

    assert await zero_loss.problems(outcome) == []
    assert zero_loss.stack.restarts == {}, "a service did not live through it"


async def leader_of(line: LineUnderLoad) -> str:
    """The node that leads the stream just now; "" while they are choosing one."""
    certificates = line.place.certificates()
    client = await connect(line.stack.nats_url, "chaos", certificates.client_context() if certificates else None)
    try:
        info = await client.jetstream().stream_info(STREAM)
        assert info.cluster is not None and info.config.num_replicas == 3
        return str(info.cluster.leader or "")
    except (NatsError, TimeoutError):
        return ""
    finally:
        await client.close()


async def test_nodes_of_nats_are_lost_one_after_the_other(zero_loss: LineUnderLoad) -> None:
    stack, lost = zero_loss.stack, []

    async def another_leads() -> bool:
        return await leader_of(zero_loss) not in ("", *lost[-1:])

    async def lose_and_bring_back() -> None:
        for _ in range(2):
            await eventually(another_leads, "nobody leads the stream")
            lost.append(await leader_of(zero_loss))
            await asyncio.to_thread(stack.lose, lost[-1])
            await eventually(another_leads, "nobody has followed the leader that was lost")
            await asyncio.sleep(3)
            await asyncio.to_thread(stack.bring_back, lost[-1])

    outcome = await zero_loss.while_loaded(lose_and_bring_back)

    assert await zero_loss.problems(outcome) == []
    assert len(lost) == 2
    assert stack.restarts == {}, "a service did not live through it"


async def test_certificates_are_rotated_ten_times(zero_loss: LineUnderLoad) -> None:
    stack = zero_loss.stack

    async def rotate() -> None:
        for number in range(ROTATIONS):
            await asyncio.to_thread(stack.rotate)
            await asyncio.sleep(NOTICED_AFTER_S)
            if number == ROTATIONS // 2:  # whoever was connected to this node comes again, with what is newest
                await asyncio.to_thread(stack.restart, "nats-1")

    outcome = await zero_loss.while_loaded(rotate)

    assert await zero_loss.problems(outcome) == []
    assert stack.restarts == {}, "a service did not live through it"
    for program in PROGRAMS:
        issued = (stack.tls_dir_of(program.name) / "tls.crt").read_text()
        doors = [stack.grpc_address(replica) for replica in stack.replicas(program.name)]

        async def shows_the_last(doors: list[str] = doors, issued: str = issued) -> bool:
            return [await shown_certificate(door, stack.tls_dir_of("throughline")) for door in doors] == [issued]

        await eventually(shows_the_last, f"{program.name} still shows an older certificate")
