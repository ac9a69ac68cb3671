"""What tracing every encounter costs: the whole line with it against the line without, in turns, in one run.

Metrics are on on both sides; `--bare` takes them off the other side, too, and so measures all telemetry. Two stacks
run beside each other and are given the same encounters, one after the other: with, without, without, with. Throughput
is from the first POST to the last 837 handed over. Beside it stands the processor time of everything that a stack is
made of (services, PostgreSQL, NATS) for each encounter, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import psutil
from cli.demo import Story, make_stories
from cli.stack import PROGRAMS, Stack
from line import describe_machine, measure

SETTLE_S = 5.0  # what comes back from outside is work, too, and the exporters write every second
SCRAPE_EVERY_S = 15.0
LIMIT = 0.90


@dataclass
class Side:
    """One of the two stacks and what was measured of it."""

    name: str
    stack: Stack
    per_second: list[float] = field(default_factory=list)
    encounters: int = 0
    spent_s: Counter[str] = field(default_factory=Counter)

    def processor_s(self) -> Counter[str]:
        """Processor time so far: of each service, and of the servers below them."""
        own = str(self.stack.folder)
        services = {process.pid: name for name, process in self.stack.processes.items()}
        roots = [one for one in psutil.process_iter() if one.pid in services or own in " ".join(_command(one))]
        tree = {one.pid: one for root in roots for one in (root, *_children(root))}
        used: Counter[str] = Counter()
        for pid, process in tree.items():
            used[services.get(pid, "PostgreSQL and NATS")] += _used(process)
        return used

    def processor_ms(self) -> Counter[str]:
        """Milliseconds of processor time for each encounter, by service."""
        return Counter({name: spent / max(1, self.encounters) * 1000 for name, spent in self.spent_s.items()})


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return list(process.children(recursive=True))
    return []


def _used(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def scrape(stack: Stack, stop: threading.Event) -> None:
    """What a Prometheus would ask of every service meanwhile."""
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    while not stop.wait(SCRAPE_EVERY_S):
        for program in PROGRAMS:
            with suppress(httpx.HTTPError):
                httpx.get(stack.metrics_url(program.name), headers=accept, timeout=5)


async def one_turn(side: Side, stories: list[Story]) -> None:
    """One side works, the other one idles."""
    before = side.processor_s()
    phase = await measure(side.name, side.stack, stories, None)
    await asyncio.sleep(SETTLE_S)
    side.spent_s += side.processor_s() - before
    side.per_second.append(phase.per_second)
    side.encounters += phase.sent
    print(f"  {side.name:<8} {phase.per_second:6.2f}/s  p50 {phase.percentile(0.5):6.3f} s", flush=True)


async def in_turns(sides: tuple[Side, Side], folder: Path, options: argparse.Namespace) -> None:
    """Warm up, then as many pairs of turns as were asked for."""
    warm = make_stories(folder / "warm", 1, options.warm)
    for side in sides:
        await measure(side.name, side.stack, warm, None)
    for number in range(options.rounds):
        stories = make_stories(folder / f"round-{number}", 100 + number, options.stories)
        for side in sides if number % 2 == 0 else reversed(sides):
            await one_turn(side, stories)


def report(on: Side, off: Side) -> float:
    """Prints both measures; the share of throughput that is left with everything switched on."""
    left = median(a / b for a, b in zip(on.per_second, off.per_second, strict=True) if b)
    with_ms, without_ms = on.processor_ms(), off.processor_ms()
    print(f"milliseconds of processor for each of {on.encounters} encounters, with and without:")
    for name in sorted(with_ms, key=lambda name: with_ms[name] - without_ms[name], reverse=True):
        print(f"  {name:<20} {with_ms[name]:7.1f} {without_ms[name]:7.1f}")
    for side in (on, off):
        print(f"{side.name:<8} median {median(side.per_second):6.2f}/s  {side.processor_ms().total():7.1f} ms")
    print(f"throughput with / without: {left:.3f}")
    print(f"processor time without / with: {without_ms.total() / with_ms.total():.3f}")
    return left


def main() -> int:
    """Starts both stacks, measures in turns, stops them. 1 when more than a tenth of the throughput is lost."""
    parser = argparse.ArgumentParser(prog="make bench-tracing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="pairs of turns")
    parser.add_argument("--stories", type=int, default=150, help="encounters in each turn")
    parser.add_argument("--warm", type=int, default=40, help="encounters before anything is measured")
    parser.add_argument("--bare", action="store_true", help="no metrics on the side without tracing")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stacks end with us
    folder, stop = Path(tempfile.mkdtemp(prefix="throughline-tracing-")), threading.Event()
    folder.chmod(0o711)
    print(describe_machine(), flush=True)
    try:
        with ExitStack() as stacks:
            on = Side("with", stacks.enter_context(Stack(folder / "traced")))
            less = {"*": {"RCM_METRICS": "off"}} if options.bare else {}
            off = Side("without", stacks.enter_context(Stack(folder / "plain", less, trace=False)))
            for side in (on, off):
                threading.Thread(target=scrape, args=(side.stack, stop), daemon=True).start()
            stacks.callback(stop.set)
            asyncio.run(in_turns((on, off), folder, options))
        return 0 if report(on, off) >= LIMIT else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
