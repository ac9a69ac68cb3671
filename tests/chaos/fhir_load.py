"""Encounters at an even rate through the FHIR door, by a client that tries again as a real one does, and its tally.

The client stands behind a balancer, as in front of pods: each try goes to one of the engine's replicas that run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
from cli.client import RETRY_STATUS, FhirClient, Place
from cli.demo import Story
from kernel.errors import LineError
from stack import stories_of

CHUNK = 60
IN_FLIGHT = 16  # a feed has so many connections; when all wait, the rate is what the line can do


@dataclass
class Tally:
    """What came of the calls. `failures` are those that failed after all retries, one line each."""

    calls: int = 0
    tries: int = 0
    retries: int = 0
    failures: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.calls / self.seconds if self.seconds else 0.0
        return (
            f"{self.calls} FHIR calls ({rate:.1f}/s), {self.retries} retries, {len(self.failures)} failed, "
            f"longest call {self.longest_s:.2f} s"
        )


class Balancer(httpx.AsyncBaseTransport):
    """Gives each try to the next of the doors that there are just now, and counts what the client will retry."""

    def __init__(
        self, doors: Callable[[], Sequence[str]], tally: Tally, inner: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._doors = doors
        self._tally = tally
        self._inner = inner or httpx.AsyncHTTPTransport()
        self._turn = count()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if doors := self._doors():
            host, _, port = doors[next(self._turn) % len(doors)].partition(":")
            request.url = request.url.copy_with(host=host, port=int(port))
        self._tally.tries += 1
        try:
            answer = await self._inner.handle_async_request(request)
        except httpx.TransportError:
            self._tally.retries += 1
            raise
        self._tally.retries += answer.status_code in RETRY_STATUS
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class FhirLoad:
    """Sends stories of its own until told to stop. `stories` are those that were begun, all of them sent to the end."""

    def __init__(self, place: Place, doors: Callable[[], Sequence[str]], folder: Path, rate: float) -> None:
        self._place = place
        self._doors = doors
        self._folder = folder
        self._rate = rate
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self.stories: list[Story] = []
        self.tally = Tally()
        self.answered = asyncio.Event()

    @asynccontextmanager
    async def running(self, seed: int) -> AsyncIterator[None]:
        """Load from the first line of the block to the last; behind it everything has been answered."""
        began, stop = time.monotonic(), asyncio.Event()
        balancer = Balancer(self._doors, self.tally)
        async with httpx.AsyncClient(timeout=30, transport=balancer) as http:
            sending = asyncio.create_task(self._offer(self._place.fhir(http), seed, stop))
            try:
                yield
            finally:
                stop.set()
                await sending
                self.tally.seconds = time.monotonic() - began

    async def _offer(self, client: FhirClient, seed: int, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for story in self._supply(seed):
                await self._gate.acquire()
                if stop.is_set():
                    self._gate.release()
                    return
                self.stories.append(story)
                tasks.create_task(self._send(client, story))
                await asyncio.sleep(1 / self._rate)

    async def _supply(self, seed: int) -> AsyncIterator[Story]:
        """Stories without end, the next ones written while these are sent."""
        for number in count(seed * 1000):
            folder = self._folder / f"stories-{number}"
            for story in await asyncio.to_thread(stories_of, folder, number, CHUNK):
                yield story

    async def _send(self, client: FhirClient, story: Story) -> None:
        try:
            for file in story.files:
                await self._call(client, file.read_bytes(), story.kind)
        finally:
            self._gate.release()

    async def _call(self, client: FhirClient, bundle: bytes, kind: str) -> None:
        began = time.monotonic()
        self.tally.calls += 1
        try:
            problem = (await client.post_bundle(bundle)).problem()
        except (httpx.TransportError, LineError) as error:
            problem = type(error).__name__
        self.tally.longest_s = max(self.tally.longest_s, time.monotonic() - began)
        self.answered.set()
        if problem:
            self.tally.failures.append(f"{kind}: {problem}")
