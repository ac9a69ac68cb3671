"""The clearinghouse's two doors, spoken to by the line's own client, and the process as a whole."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from chassis import http_app
from clearinghouse import Clearinghouse, open_clearinghouse
from kernel.errors import Refused, Unavailable
from simulator.entry_directory import Drop
from simulator.entry_http import Door, clearinghouse_routes
from simulator.faults import read_faults
from simulator.handlers import World, pay_due
from simulator.store import Store
from simulator_world import MAILBOX, NOW, RULES, a_claim, a_question, an_envelope
from x12 import transaction_sets
from x12.views.claim import build_837p

BATCH = build_837p((a_claim(),), an_envelope())
KINDS = ("999", "277CA", "TA1", "835", "CCD")
LATER = NOW + timedelta(seconds=10)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(tmp_path / "memory")
    yield World(store, RULES)
    store.close()


def over_http(world: World, token: str = "", given: str | None = None, silent_s: float = 0.0) -> Clearinghouse:
    app = http_app(SimpleNamespace(settings=SimpleNamespace(max_body_bytes=64_000_000)), "Clearinghouse")  # type: ignore[arg-type]
    app.include_router(clearinghouse_routes(Door(world, lambda: NOW, token, silent_s)))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
    return open_clearinghouse("http://clearinghouse.example", MAILBOX, client, token if given is None else given)


@pytest.fixture
async def folder(world: World, tmp_path: Path) -> AsyncIterator[Clearinghouse]:
    """The folder with its watcher running."""
    drop = Drop(world, tmp_path / "drop", MAILBOX)

    async def watch() -> None:
        while True:
            await asyncio.to_thread(drop.look, NOW)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(watch())
    yield open_clearinghouse((tmp_path / "drop").as_uri(), MAILBOX)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def mail_of(clearinghouse: Clearinghouse, count: int) -> list[str]:
    async with asyncio.timeout(20):
        while True:
            files = await clearinghouse.list_files(KINDS, 0)
            if len(files) >= count:
                assert [file.cursor for file in files] == sorted(file.cursor for file in files)
                return [(await clearinghouse.fetch(file.id)).decode() for file in files]
            await asyncio.sleep(0.02)


async def use(clearinghouse: Clearinghouse, world: World) -> None:
    """The whole conversation over one door."""
    answer = await clearinghouse.realtime(a_question())
    assert next(transaction_sets(answer)).code == "271"
    first = await clearinghouse.send_batch(BATCH, "batch-1")
    assert await clearinghouse.send_batch(BATCH, "batch-2") == first
    assert [next(transaction_sets(text)).code for text in await mail_of(clearinghouse, 2)] == ["999", "277"]
    assert pay_due(world, LATER) == 1
    *_, remittance, deposit = await mail_of(clearinghouse, 4)
    assert next(transaction_sets(remittance)).code == "835" and deposit.startswith("101 ")
    files = await clearinghouse.list_files(("835",), 0)
    assert [file.kind for file in files] == ["835"]
    assert await clearinghouse.list_files(("835",), files[0].cursor) == []


async def test_the_conversation_over_http(world: World) -> None:
    await use(over_http(world), world)


async def test_the_conversation_over_a_folder(world: World, folder: Clearinghouse) -> None:
    await use(folder, world)


async def test_nobody_comes_in_without_the_token(world: World) -> None:
    with pytest.raises(Unavailable):
        await over_http(world, "secret", "wrong").send_batch(BATCH, "b")
    assert world.store.list_mail(MAILBOX, (), 0, 10) == []
    assert await over_http(world, "secret").send_batch(BATCH, "b")


async def test_what_cannot_be_read_is_refused(world: World) -> None:
    with pytest.raises(Refused):
        await over_http(world).send_batch("hello", "b")
    with pytest.raises(Refused):
        await over_http(world).realtime(BATCH)
    with pytest.raises(Refused) as caught:
        await over_http(world).fetch("f0000000099")
    assert caught.value.kind == "not_found"


@pytest.mark.parametrize("fault", ["realtime-503", "realtime-timeout"])
async def test_a_fault_at_the_door_says_try_later(world: World, fault: str) -> None:
    bad = World(world.store, world.rules, world.pay_after, read_faults(fault))
    with pytest.raises(Unavailable):
        await over_http(bad).realtime(a_question())
    assert await over_http(bad).send_batch(BATCH, "b")


async def test_a_batch_refused_by_fault_is_not_taken_in(world: World) -> None:
    bad = World(world.store, world.rules, world.pay_after, read_faults("batch-503"))
    with pytest.raises(Unavailable):
        await over_http(bad).send_batch(BATCH, "b")
    assert world.store.list_mail(MAILBOX, (), 0, 10) == []


def test_an_unreadable_file_is_set_aside_and_the_next_is_worked_on(world: World, tmp_path: Path) -> None:
    drop = Drop(world, tmp_path, MAILBOX)
    drop.look(NOW)
    (tmp_path / "in" / "a.837").write_text("hello")
    (tmp_path / "in" / "b.837").write_text(BATCH)
    (tmp_path / "in" / ".c.837").write_text(BATCH)  # still being written
    drop.look(NOW)
    assert [file.name for file in (tmp_path / "refused").iterdir()] == ["a.837"]
    assert [file.name for file in (tmp_path / "in").iterdir()] == [".c.837"]
    assert len(list((tmp_path / "out").glob("999/*.x12"))) == 1


def test_mail_that_a_crash_kept_back_is_written_once(world: World, tmp_path: Path) -> None:
    with world.store.change():
        world.store.put_mail(MAILBOX, "999", "one")
        world.store.put_mail(MAILBOX, "835", "two")
    drop = Drop(world, tmp_path, MAILBOX)
    assert (drop.look(NOW), drop.look(NOW)) == (2, 0)
    assert (tmp_path / "out" / "835" / "000000000002-f0000000002.x12").read_text() == "two"


def start(tmp_path: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The process with its own memory under `tmp_path`, and the address that it tells when it is ready."""
    ready = tmp_path / "run" / "simulator.json"
    ready.unlink(missing_ok=True)
    settings = {"RCM_DATA_DIR": str(tmp_path / "data"), "RCM_RUN_DIR": str(tmp_path / "run"), "RCM_PAY_AFTER_MS": "0"}
    process = subprocess.Popen([sys.executable, "-m", "simulator"], env=os.environ | settings)
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return process, f"http://127.0.0.1:{json.loads(ready.read_text())['http']}"


async def test_a_killed_process_has_lost_nothing(tmp_path: Path) -> None:
    process, url = await asyncio.to_thread(start, tmp_path)
    async with httpx.AsyncClient() as http:
        id = await open_clearinghouse(url, MAILBOX, http).send_batch(BATCH, "b")
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        process, url = await asyncio.to_thread(start, tmp_path)
        try:
            again = open_clearinghouse(url, MAILBOX, http)
            assert await again.send_batch(BATCH, "b") == id
            texts = await mail_of(again, 4)
            assert [text[:3] for text in texts] == ["ISA", "ISA", "ISA", "101"]
        finally:
            process.terminate()
            assert process.wait(20) == 0
