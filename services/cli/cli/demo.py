"""The demo: seeded encounters in through the FHIR door, until each journey has ended or waits for a person."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
from kernel.errors import LineError
from rcm.journey.v1 import journey_pb2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli import render
from cli.client import Line, Place

PARALLEL = 8
POLL_S = 0.5
SETTLED = ("ended", "waiting")


@dataclass(frozen=True, slots=True)
class Story:
    """One visit of the generator: its bundles' files in order, and what should come of it."""

    kind: str
    encounter: str
    files: tuple[Path, ...]
    expected: dict[str, object]


def make_stories(folder: Path, seed: int, count: int) -> list[Story]:
    """Has the EHR generator write its bundles, and reads the list of them."""
    command = [sys.executable, "-m", "simulator.ehr", "--seed", str(seed), "--count", str(count), "--out", str(folder)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    rows = [json.loads(line) for line in (folder / "stories.jsonl").read_text().splitlines()]
    return [
        Story(row["kind"], row["encounter"], tuple(folder / name for name in row["bundles"]), row["expected"])
        for row in rows
    ]


@contextmanager
def progress_bars(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function (label, done, total) that draws one bar per label; plain lines where there is no terminal."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, object] = {}
        printed: dict[str, int] = {}

        def show(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(label, total=total)
            progress.update(tasks[label], completed=done, total=total)  # type: ignore[arg-type]
            tenth = done * 10 // total if total else 10
            if not console.is_terminal and printed.get(label) != tenth:
                printed[label] = tenth
                console.print(f"  {label}: {done}/{total}")

        yield show


async def send_stories(place: Place, stories: list[Story], show: Callable[[str, int, int], None]) -> list[str]:
    """Posts every story's bundles in their order, several stories at a time; the problems, one line each."""
    problems: list[str] = []
    done = 0
    gate = asyncio.Semaphore(PARALLEL)

    async with httpx.AsyncClient(timeout=30) as http:
        client = place.fhir(http)

        async def send(story: Story) -> None:
            nonlocal done
            async with gate:
                for file in story.files:
                    sent = await client.post_bundle(await asyncio.to_thread(file.read_bytes))
                    if problem := sent.problem():
                        problems.append(f"{story.kind}: {problem}")
            done += 1
            show("encounters sent", done, len(stories))

        await asyncio.gather(*(send(story) for story in stories))
    return problems


async def wait_settled(
    line: Line, encounters: set[str], timeout_s: float, show: Callable[[str, int, int], None]
) -> list[journey_pb2.Journey]:
    """Waits until the journey of each encounter has ended or waits for a person; those that did when time was over."""
    settled: list[journey_pb2.Journey] = []
    deadline = asyncio.get_running_loop().time() + timeout_s
    while asyncio.get_running_loop().time() < deadline:
        try:
            found = await line.journeys()
        except (LineError, grpc.aio.AioRpcError):
            await asyncio.sleep(POLL_S)
            continue
        settled = [one for one in found if one.encounter in encounters and one.state in SETTLED]
        show("journeys settled", len(settled), len(encounters))
        if len(settled) == len(encounters):
            break
        await asyncio.sleep(POLL_S)
    return settled


def print_report(console: Console, journeys: list[journey_pb2.Journey], kinds: dict[str, str], ledger: object) -> None:
    """The table of encounters, the outcomes, the ledger, and the waterfall of the longest straight journey."""
    console.print(render.encounter_table(sorted(journeys, key=lambda one: kinds.get(one.encounter, "")), kinds))
    console.print()
    console.print(render.outcome_table(journeys))
    console.print()
    console.print(render.ledger_table(ledger))  # type: ignore[arg-type]
    paid = [one for one in journeys if one.outcome == "paid"]
    if paid:
        console.print()
        console.print(render.waterfall(max(paid, key=lambda one: (len(one.stages), one.elapsed_us))))


def compare(stories: list[Story], journeys: list[journey_pb2.Journey]) -> list[str]:
    """Where a journey did not end as its story says: one line each."""
    by_encounter = {one.encounter: one for one in journeys}
    problems = []
    for story in stories:
        journey = by_encounter.get(story.encounter)
        if journey is None:
            problems.append(f"{story.kind} {story.encounter}: did not settle")
            continue
        problems.extend(f"{story.kind} {story.encounter}: {problem}" for problem in _differences(story, journey))
    return problems


OUTCOME_OF_ENDING = {
    "paid": "paid",
    "partly-paid": "denied",
    "denied": "denied",
    "rejected": "rejected",
    "claim-held": "held",
    "coder-review": "review",
    "unmapped-code": "review",
    "missing-charge": "held",
}


def _differences(story: Story, journey: journey_pb2.Journey) -> Iterator[str]:
    wanted = OUTCOME_OF_ENDING[str(story.expected["ending"])]
    if journey.outcome != wanted:
        yield f"{journey.outcome}/{journey.reason}, expected {wanted}/{story.expected['reason']}"
        return
    for name in ("paid_cents", "patient_cents"):
        if getattr(journey, name) != story.expected[name]:
            yield f"{name} {getattr(journey, name)}, expected {story.expected[name]}"


def equation_breaks(journeys: list[journey_pb2.Journey]) -> list[str]:
    """Journeys whose claim does not satisfy billed = paid + adjusted + patient + open."""
    return [
        one.journey_id
        for one in journeys
        if one.claim_id and one.billed_cents != one.paid_cents + one.adjusted_cents + one.patient_cents + one.open_cents
    ]


def summary(journeys: list[journey_pb2.Journey]) -> str:
    """One line: how many ended how."""
    counts = Counter(one.outcome or one.state for one in journeys)
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
