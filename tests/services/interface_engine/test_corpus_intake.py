"""Messages that nobody here wrote: each is on disk before it is answered, and rightly answered."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hl7v2
import pytest
from bus import Database
from interface_engine.entry_intake import Intake
from interface_engine.model_messages import Wanted
from interface_engine.store.messages import Messages
from kernel.clock import FixedClock
from kernel.errors import Unreadable
from message_feed import feed
from platform_fixture import Platform

CORPUS = Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora")) / "hl7v2"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="public sample messages are not here (RCM_CORPORA)")
# What a reader of the standard would accept as a reason.
ODD = {"duplicate-key"}  # two different messages under one MSH-10: the second is kept apart and its sender told


def messages() -> Iterator[tuple[str, bytes]]:
    """Each with its file: the files are of many senders, who count their messages for themselves."""
    for number, file in enumerate(sorted(CORPUS.rglob("*"))):
        if file.is_file() and file.suffix.lower() in (".hl7", ".txt") and "expected" not in file.parts:
            try:
                found = hl7v2.split_batch(file.read_bytes()).messages
            except Unreadable:
                found = (file.read_bytes(),)
            yield from ((f"sender-{number}", raw) for raw in found)


@pytest.fixture
async def intake(platform: Platform, tenant: str) -> AsyncIterator[Intake]:
    clock = FixedClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC))
    database = Database(platform.url_for("interface-engine"), "interface_engine", clock)
    await database.open()
    yield Intake(database, tenant, timedelta(days=30))
    await database.close()


async def test_every_message_is_stored_and_acknowledged(intake: Intake) -> None:
    answers: Counter[str] = Counter()
    sent = list(messages())
    for sender, raw in sent:
        taken = await intake.take(replace(feed(), name=sender), raw)
        message = hl7v2.read(raw)
        wanted = hl7v2.ack_plan(message).immediate_code("accepted")
        answer = hl7v2.parse_ack(taken.ack) if taken.ack else None
        async with intake.database.unit(intake.tenant) as unit:
            stored = await Messages(unit).message(taken.id)
        assert stored is not None
        assert stored.raw == raw
        if answer is not None:
            assert answer.control_id == message.control_id
        right = (answer.code if answer else "") == wanted
        answers["right" if right else stored.reason] += 1
    assert len(sent) > 100
    assert answers.keys() - {"right"} <= ODD, answers
    assert answers["right"] >= 0.99 * len(sent), answers
    async with intake.database.unit(intake.tenant) as unit:
        assert len(await Messages(unit).find(Wanted(limit=500))) == len(sent)
