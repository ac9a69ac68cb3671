"""The OpenAPI description is made from the route table, and nothing that is made from it breaks the door."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from contextlib import nullcontext, suppress
from typing import Any

import schemathesis
from engine_records import BASICS, CONDITION, encounter
from engine_served import served
from engine_world import TOKENS, World
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from interface_engine.entry_http.table import places_of
from platform_fixture import Platform
from schemathesis import GenerationMode

EXAMPLES = int(os.environ.get("RCM_FUZZ_EXAMPLES", "6"))  # of each operation, right and wrong: more for a longer look
ANSWER_S = 20
HEADERS = {"Authorization": f"Bearer {TOKENS['default']}"}
QUIET = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


async def test_every_row_of_the_table_is_described(world: World) -> None:
    described = (await world.http.get("/fhir/openapi.json")).json()
    assert described["openapi"].startswith("3.") and described["servers"] == [{"url": world.door.base_url}]
    rows = {(row.path.removeprefix("/fhir") or "/", row.method.lower()) for row in places_of(world.door).routes}
    told = {(path, method) for path, methods in described["paths"].items() for method in methods}
    assert told == rows and ("/{type}/{id}", "patch") in told
    names = Counter(one["operationId"] for methods in described["paths"].values() for one in methods.values())
    assert set(names.values()) == {1}
    for path, methods in described["paths"].items():
        for one in methods.values():
            placed = {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"}
            assert placed == set(re.findall(r"\{(\w+)\}", path))


def attack(base: str, seen: Counter[int]) -> None:
    """Requests of each operation, right and wrong, from what the description says."""
    schema = schemathesis.openapi.from_url(f"{base}/openapi.json", timeout=ANSWER_S)
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            attack_operation(operation, mode, seen)


def attack_operation(operation: Any, mode: GenerationMode, seen: Counter[int]) -> None:
    @QUIET
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        answer = case.call(headers=HEADERS, timeout=ANSWER_S)
        seen[answer.status_code] += 1
        assert answer.status_code < 500, (case.method, case.path, answer.status_code, answer.content[:300])
        if answer.status_code >= 400:
            told = json.loads(answer.content)
            assert told["resourceType"] == "OperationOutcome"

    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():  # some cannot be asked wrongly
        send()


async def test_nothing_that_fits_or_breaks_the_description_breaks_the_door(platform: Platform, tenant: str) -> None:
    seen: Counter[int] = Counter()
    async with served(platform.url_for("interface-engine"), tenant) as door:
        await door.world.post(*BASICS, encounter(), CONDITION)
        await asyncio.to_thread(attack, door.base, seen)
    assert {200, 400, 404, 422} <= seen.keys() and sum(seen.values()) > 100
