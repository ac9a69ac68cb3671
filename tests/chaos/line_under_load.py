"""A line as it stands in production, load on it while something is done to it, and what the books say afterwards."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.client import Place
from cli.demo import Story
from cli.stack import Stack
from fhir_load import FhirLoad, Tally
from line_books import settled_books, story_problems

RATE = float(os.environ.get("RCM_CHAOS_RATE", "10"))  # encounters per second that are offered
SEED = 6_000
TALLIES: list[tuple[str, Tally]] = []  # by test; printed at the end of a run
BEFORE_S, AFTER_S = 2.0, 2.0  # of load, so that there is work under way at the beginning and at the end


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one stretch of load met. `stories` were all sent to their end."""

    stories: list[Story]
    tally: Tally


@dataclass
class LineUnderLoad:
    """The stack and where it is."""

    stack: Stack
    stretches: int = 0

    @property
    def place(self) -> Place:
        """Addresses and keys as of now."""
        return Place.read(self.stack.folder / "stack.json")

    async def while_loaded(self, work: Callable[[], Awaitable[None]]) -> Outcome:
        """Does the work under load, and waits for its end."""
        self.stretches += 1
        load = FhirLoad(self.place, lambda: self.stack.http_doors("interface-engine"), self.stack.folder, RATE)
        async with load.running(SEED + self.stretches):
            await asyncio.sleep(BEFORE_S)
            await work()
            await asyncio.sleep(AFTER_S)
        TALLIES.append((os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0], load.tally))
        return Outcome(load.stories, load.tally)

    async def problems(self, outcome: Outcome) -> list[str]:
        """Everything that breaks the line's promise: calls that failed for good, what was lost, what was doubled."""
        stories = await story_problems(self.place, outcome.stories)
        return outcome.tally.failures + stories + await settled_books(self.stack.owner_url, self.place)


@contextmanager
def running_line(folder: Path) -> Iterator[LineUnderLoad]:
    """Started, and stopped at the end."""
    folder.chmod(0o711)  # the database may run as another user of the machine
    with Stack(folder / "line", trace=False, nats_nodes=3, most_replicas=3, tls=True) as stack:
        yield LineUnderLoad(stack)
