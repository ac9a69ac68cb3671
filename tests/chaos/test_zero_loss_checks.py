"""The checks of the zero-loss tests say no where they must: each is shown what it is there to find."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from chassis.embedded.certificates import Authority
from cli.client import Line
from cli.stack import PROGRAMS, StackError
from fhir_load import FhirLoad
from kernel.errors import Unavailable
from line_books import book_problems, lost_facts, settled_books, story_problems
from line_under_load import LineUnderLoad, Outcome
from peers import shown_certificate
from stack import doubled

_FACT = """
insert into coding.outbox (tenant, event_id, type, subject, envelope, created_at, published_at, confirmed_at)
values ('demo', 'planted', 'encounter.coded', 'rcm.v1.encounter.coded.0', '', now(), now(), now())
"""
_DEAD = """
insert into coding.dead_letter (tenant, event_id, type, reason, envelope, died_at)
values ('demo', 'planted', 'encounter.finished', 'planted', '', now())
"""
_TWICE = """
create schema planted;
create table planted.claim as select * from claims_gateway.claim;
insert into planted.claim select * from claims_gateway.claim limit 1
"""


@asynccontextmanager
async def planted(owner_url: str, sql: str, undo: str) -> AsyncIterator[None]:
    """In the books for the length of the block."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(sql)
        yield
    finally:
        await connection.execute(undo)
        await connection.close()


@pytest.fixture(scope="module")
def sent(zero_loss: LineUnderLoad) -> Outcome:
    """Stories that were sent, and that are in order."""

    async def send() -> Outcome:
        outcome = await zero_loss.while_loaded(lambda: asyncio.sleep(0))
        assert await zero_loss.problems(outcome) == []
        return outcome

    return asyncio.run(send())


async def test_a_fact_that_never_came_is_found(zero_loss: LineUnderLoad, sent: Outcome) -> None:
    url = zero_loss.stack.owner_url
    async with planted(url, _FACT, "delete from coding.outbox where event_id = 'planted'"):
        assert await lost_facts(url) == [
            "1 facts of coding never came to charge_capture",
            "1 facts of coding never came to journey",
        ]
        assert await settled_books(url, zero_loss.place, within_s=0) == await lost_facts(url)
    assert await lost_facts(url) == []


async def test_a_row_that_stands_twice_is_found(zero_loss: LineUnderLoad, sent: Outcome) -> None:
    url = zero_loss.stack.owner_url
    rows = [("planted.claim", "control_number")]
    async with planted(url, _TWICE, "drop schema planted cascade"):
        assert await doubled(url, rows) == ["planted.claim (control_number): 1"]
    assert await doubled(url) == []


async def test_a_dead_letter_is_found(zero_loss: LineUnderLoad, sent: Outcome) -> None:
    url = zero_loss.stack.owner_url
    async with planted(url, _DEAD, "delete from coding.dead_letter where event_id = 'planted'"):
        assert await book_problems(url, zero_loss.place) == ["coding could not take in encounter.finished: planted"]


async def test_a_story_that_ended_otherwise_is_found(zero_loss: LineUnderLoad, sent: Outcome) -> None:
    told = next(story for story in sent.stories if story.expected["ending"] == "paid")
    other = replace(told, expected={**told.expected, "paid_cents": 1})
    unsent = replace(told, encounter="Encounter/e-nobody-sent-this")
    found = await story_problems(zero_loss.place, [other, unsent], timeout_s=3)
    assert [problem.split()[1] for problem in found] == [f"{told.encounter}:", "Encounter/e-nobody-sent-this:"]


async def test_a_call_that_fails_for_good_is_counted(
    zero_loss: LineUnderLoad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.access._TRIES", 2)
    monkeypatch.setattr("cli.access._PAUSE_S", 0.01)
    load = FhirLoad(zero_loss.place, lambda: ["127.0.0.1:1"], tmp_path, rate=50)
    async with load.running(seed=1):
        await load.answered.wait()
    assert load.tally.calls == len(load.tally.failures) > 0
    assert load.tally.retries == load.tally.tries == 2 * load.tally.calls


async def test_who_has_a_certificate_of_another_authority_is_refused(zero_loss: LineUnderLoad, tmp_path: Path) -> None:
    strange = Authority(tmp_path / "authority").issue("throughline", tmp_path / "strange", sans=["127.0.0.1"])
    line = Line(replace(zero_loss.place, tls_dir=strange))
    try:
        with pytest.raises(Unavailable):
            await line.ledger()
    finally:
        await line.close()
    for program in PROGRAMS:
        (replica,) = zero_loss.stack.replicas(program.name)
        with pytest.raises(OSError):
            await shown_certificate(zero_loss.stack.grpc_address(replica), strange)


def test_what_is_not_there_can_be_neither_restarted_nor_scaled(zero_loss: LineUnderLoad) -> None:
    for refused in (
        lambda: zero_loss.stack.restart("nobody"),
        lambda: zero_loss.stack.lose("nats-4"),
        lambda: zero_loss.stack.scale("coding", 4),
        lambda: zero_loss.stack.scale("coding", 0),
        lambda: zero_loss.stack.scale("simulator", 2),
    ):
        with pytest.raises(StackError):
            refused()
