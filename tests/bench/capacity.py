"""How many encounters per second a whole processor carries in each service: what capacity is planned with.

The line works under its full load, and each process says how much processor time it has used: services, PostgreSQL
and NATS, each with its children. An encounter counts from its first bundle until its journey has ended or waits for a
person, so that answers, remittances and postings are in it. Processor time and not the clock is measured, because
other work on the machine disturbs it little; several turns, of which the median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import httpx
import psutil
from cli.client import Place
from cli.demo import SETTLED, Story, make_stories
from cli.stack import PROGRAMS, Stack
from line import Load, describe_machine

SERVERS = ("postgres", "nats-server")
LABELS = {"postgres": "PostgreSQL", "nats-server": "NATS"}
OUTSIDE = "simulator"  # plays clearinghouse, payers and bank: no part of the line
OPEN = "select count(*) from journey.journey where encounter = any($1::text[]) and state <> all($2::text[])"
KNOWN = "select count(*) from journey.journey where encounter = any($1::text[])"
LOOK_EVERY_S = 2.0
SETTLE_S = 5.0  # exporters write every second, acknowledgements follow
STILL_S = 120.0  # nothing settled for so long: nothing more will be


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the line: processor seconds for an encounter, and encounters per second on one processor."""

    name: str
    seconds: float

    @property
    def per_processor(self) -> float:
        return 1.0 / self.seconds if self.seconds else float("inf")


def rows_of(turns: Sequence[Mapping[str, float]], encounters: int) -> list[Row]:
    """The median over turns of each part's processor time for an encounter, dearest first, and the line's sum.

    `turns` are seconds by part; a part that a turn does not name used none. The last row is the sum of the rows above
    without the simulator, and so what all processors together must carry. ValueError where there is nothing to divide.
    """
    if not turns or encounters < 1:
        raise ValueError("no turn with an encounter in it")
    names = {name for turn in turns for name in turn}
    rows = [Row(name, median(turn.get(name, 0.0) for turn in turns) / encounters) for name in names]
    rows.sort(key=lambda row: (-row.seconds, row.name))
    return [*rows, Row("the line", sum(row.seconds for row in rows if row.name != OUTSIDE))]


def table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown; milliseconds, encounters per second, and those in an hour."""
    lines = ["| part | processor for an encounter | encounters/s on one processor |", "| --- | ---: | ---: |"]
    lines += [
        f"| {LABELS.get(one.name, one.name)} | {one.seconds * 1000:.1f} ms | {one.per_processor:.1f} |" for one in rows
    ]
    return "\n".join(lines)


def used_by(process: psutil.Process) -> float:
    """Seconds of processor time that a process and its children have used, those that have ended as well."""
    total = 0.0
    with suppress(psutil.Error):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system
                total += times.children_user + times.children_system
    return float(total)


def servers_of(folder: Path) -> dict[str, psutil.Process]:
    """The stack's own PostgreSQL and NATS, by the name of their program."""
    found: dict[str, psutil.Process] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            name = Path(command[0]).name if command else ""
            if name in SERVERS and str(folder) in " ".join(command):
                found[name] = process
    return found


class Meter:
    """Reads what each part of a stack has used so far, in seconds."""

    def __init__(self, stack: Stack) -> None:
        self._processes = {name: psutil.Process(one.pid) for name, one in stack.processes.items()}
        self._processes |= servers_of(stack.folder)
        if missing := {*SERVERS, *(program.name for program in PROGRAMS)} - self._processes.keys():
            raise LookupError(f"not found among the processes: {', '.join(sorted(missing))}")

    def read(self) -> Counter[str]:
        return Counter({name: used_by(process) for name, process in self._processes.items()})


async def settled(owner_url: str, stories: list[Story]) -> int:
    """Waits until each encounter's journey has ended or waits for a person, or nothing moves; how many did."""
    wanted = [story.encounter for story in stories]
    connection = await asyncpg.connect(owner_url)
    try:
        done, moved_at = 0, time.monotonic()
        while done < len(wanted) and time.monotonic() < moved_at + STILL_S:
            await asyncio.sleep(LOOK_EVERY_S)
            now = await connection.fetchval(KNOWN, wanted) - await connection.fetchval(OPEN, wanted, list(SETTLED))
            done, moved_at = (now, time.monotonic()) if now > done else (done, moved_at)
        return done
    finally:
        await connection.close()


async def one_turn(stack: Stack, stories: list[Story]) -> tuple[float, int]:
    """All stories, eight under way at any time; the seconds until the last has settled, and how many did."""
    begin = time.monotonic()
    async with httpx.AsyncClient(timeout=120) as http:
        load = Load(Place.read(stack.folder / "stack.json"), http)
        await load.as_fast_as_possible(stories)
    if load.refused:
        print(f"  {len(load.refused)} bundles refused: {load.refused[0]}")
    done = await settled(stack.owner_url, stories)
    seconds = time.monotonic() - begin
    await asyncio.sleep(SETTLE_S)
    return seconds, done


async def in_turns(stack: Stack, folder: Path, options: argparse.Namespace) -> list[Counter[str]]:
    """What each turn used, after one that only warms up."""
    await one_turn(stack, make_stories(folder / "warm", 1, options.warm))
    meter, turns = Meter(stack), []
    for number in range(options.turns):
        stories = make_stories(folder / f"turn-{number}", 200 + number, options.stories)
        before = meter.read()
        seconds, done = await one_turn(stack, stories)
        turns.append(meter.read() - before)
        used = turns[-1].total()
        print(
            f"  turn {number + 1}: {done} of {len(stories)} settled in {seconds:.0f} s, {used:.1f} s of processor",
            flush=True,
        )
    return turns


def main() -> int:
    """Starts a stack of its own, measures, stops it, and prints the table."""
    parser = argparse.ArgumentParser(prog="make bench-capacity", description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="how often; the median counts")
    parser.add_argument("--stories", type=int, default=200, help="encounters in each turn")
    parser.add_argument("--warm", type=int, default=60, help="encounters before anything is measured")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stack ends with us
    folder = Path(tempfile.mkdtemp(prefix="throughline-capacity-"))
    folder.chmod(0o711)
    print(describe_machine(), flush=True)
    try:
        with Stack(folder / "line") as stack:
            turns = asyncio.run(in_turns(stack, folder, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(rows_of(turns, options.stories)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
