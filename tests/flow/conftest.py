"""One whole line for all tests of this folder, with the stories of the demo sent through it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.client import Line, Place
from cli.stack import Stack
from flow_types import Line200
from rcm.remittance.v1 import remittance_pb2
from stack import Run, run_stories, stories_of

sys.path.insert(0, str(Path(__file__).parent))  # spans.py lies here

SEED = 7
ENCOUNTERS = 500
# What the outside does wrong meanwhile, as a share of its files. None of it may change how an encounter ends.
FAULTS = "unknown-set-999:0.2,unknown-claim-835:0.3,duplicate-file:0.3,batch-503:0.2"
# Spans are sent when nothing more is heard; on a busy machine a fact may be seconds late.
EXTRA = {"simulator": {"RCM_FAULTS": FAULTS}, "journey": {"RCM_SETTLE_MS": "5000", "RCM_GAUGES_EVERY_S": "1"}}


async def _send(stack: Stack, folder: Path) -> tuple[Run, remittance_pb2.GetLedgerResponse]:
    stories = await asyncio.to_thread(stories_of, folder / "stories", SEED, ENCOUNTERS)
    run = await run_stories(stack, stories, timeout_s=400)
    line = Line(Place.read(stack.folder / "stack.json"))
    try:
        return run, await line.ledger(totals_only=False)
    finally:
        await line.close()


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line200]:
    folder = tmp_path_factory.mktemp("flow")
    folder.chmod(0o711)
    with Stack(folder, extra=EXTRA) as stack:
        run, ledger = asyncio.run(_send(stack, folder))
        yield Line200(stack, run, ledger)
