"""Encounters per second from FHIR POST to 837 handed over, and the line's own latency at half load.

Everything is on this machine: all services, Postgres, NATS, the simulated clearinghouse and this load generator.
Three phases, each with encounters of its own: capacity (as many as it takes, from the first POST to the last 837
handed over), sustained (an even rate for some minutes), half load (an even rate of half the capacity).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import psutil
from cli.client import Place
from cli.demo import Story, make_stories
from cli.stack import Stack

SUBMITTED = (
    "select detail->>'encounter' as encounter, min(occurred_at) as at from journey.fact where type = $1 group by 1"
)
STRAIGHT = frozenset({"paid", "partly-paid", "denied", "rejected"})  # endings that pass the hand-over of an 837
STILL_S = 15.0  # nothing handed over for so long: nothing more will be


@dataclass(frozen=True, slots=True)
class Phase:
    """What one phase measured. Latencies in seconds from the POST of the finished encounter to the hand-over."""

    name: str
    sent: int
    seconds: float
    handed_over: int
    latencies: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return self.handed_over / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Load:
    """Sends stories and remembers when each encounter's last bundle was posted."""

    def __init__(self, place: Place, http: httpx.AsyncClient) -> None:
        self._client = place.fhir(http)
        self.posted: dict[str, datetime] = {}
        self.refused: list[str] = []

    async def send(self, story: Story) -> None:
        for number, file in enumerate(story.files, 1):
            content = file.read_bytes()
            if number == len(story.files):
                self.posted[story.encounter] = datetime.now(UTC)
            sent = await self._client.post_bundle(content)
            if problem := sent.problem():
                self.refused.append(problem)

    async def at_rate(self, stories: list[Story], rate: float) -> None:
        """Open loop: a story every 1/rate seconds, whether or not the earlier ones have been answered."""
        begin = time.monotonic()
        tasks = []
        for number, story in enumerate(stories):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(self.send(story)))
        await asyncio.gather(*tasks)

    async def as_fast_as_possible(self, stories: list[Story], parallel: int = 8) -> None:
        """Closed loop: `parallel` stories under way at any time."""
        waiting = iter(stories)

        async def worker() -> None:
            for story in waiting:
                await self.send(story)

        await asyncio.gather(*(worker() for _ in range(parallel)))


async def handed_over(owner_url: str, encounters: set[str]) -> dict[str, datetime]:
    """When each encounter's 837 was handed over, for those that were."""
    connection = await asyncpg.connect(owner_url)
    try:
        rows = await connection.fetch(SUBMITTED, "claim.submitted")
    finally:
        await connection.close()
    return {row["encounter"]: row["at"] for row in rows if row["encounter"] in encounters}


async def drain(owner_url: str, stories: list[Story]) -> dict[str, datetime]:
    """Waits until all that can be handed over is, or nothing has moved for a while."""
    wanted = {story.encounter for story in stories if str(story.expected["ending"]) in STRAIGHT}
    found: dict[str, datetime] = {}
    moved_at = time.monotonic()
    while len(found) < len(wanted) and time.monotonic() < moved_at + STILL_S:
        newer = await handed_over(owner_url, wanted)
        if len(newer) > len(found):
            moved_at = time.monotonic()
        found = newer
        await asyncio.sleep(0.5)
    return found


async def measure(name: str, stack: Stack, stories: list[Story], rate: float | None) -> Phase:
    """Runs one phase to its end."""
    place = Place.read(stack.folder / "stack.json")
    async with httpx.AsyncClient(timeout=60) as http:
        load = Load(place, http)
        begin = datetime.now(UTC)
        if rate is None:
            await load.as_fast_as_possible(stories)
        else:
            await load.at_rate(stories, rate)
        sending_s = (datetime.now(UTC) - begin).total_seconds()
    found = await drain(stack.owner_url, stories)
    latencies = tuple((at - load.posted[encounter]).total_seconds() for encounter, at in found.items())
    last = max(found.values(), default=begin)
    if load.refused:
        print(f"  {len(load.refused)} bundles refused: {load.refused[0]}")
    return Phase(name, len(stories), max(sending_s, (last - begin).total_seconds()), len(found), latencies)


def describe_machine() -> str:
    """The machine in one line."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, embedded PostgreSQL (durable) and NATS JetStream (file, default sync)"
    )


def report(phase: Phase) -> None:
    """One line per phase."""
    print(
        f"{phase.name:<34} sent {phase.sent:>5}  handed over {phase.handed_over:>5}  {phase.per_second:6.1f}/s  "
        f"p50 {phase.percentile(0.5):6.3f} s  p99 {phase.percentile(0.99):6.3f} s",
        flush=True,
    )


async def bench(stack: Stack, folder: Path, options: argparse.Namespace) -> None:
    """The three phases, each on encounters of its own."""
    warm = make_stories(folder / "warm", 1, 40)
    await measure("warm-up", stack, warm, None)
    stories = make_stories(folder / "capacity", 2, options.capacity_stories)
    capacity = await measure("capacity, 8 in flight", stack, stories, None)
    report(capacity)
    stories = make_stories(folder / "sustained", 3, int(options.rate * options.seconds))
    report(await measure(f"sustained, {options.rate:g}/s for {options.seconds:g} s", stack, stories, options.rate))
    half = max(1.0, len(stories) and capacity.sent / capacity.seconds / 2)
    stories = make_stories(folder / "half", 4, int(half * options.half_seconds))
    report(await measure(f"half load, {half:.1f}/s for {options.half_seconds:g} s", stack, stories, half))


def main() -> int:
    """Starts a stack of its own, measures, stops it."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rate", type=float, default=25.0, help="encounters per second in the sustained phase")
    parser.add_argument("--seconds", type=float, default=120.0, help="length of the sustained phase")
    parser.add_argument("--half-seconds", type=float, default=60.0, help="length of the phase at half load")
    parser.add_argument("--capacity-stories", type=int, default=1000, help="encounters of the capacity phase")
    parser.add_argument("--no-trace", action="store_true", help="switch tracing off")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="throughline-bench-"))
    folder.chmod(0o711)
    print(describe_machine(), flush=True)
    try:
        with Stack(folder, trace=not options.no_trace) as stack:
            asyncio.run(bench(stack, folder, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
