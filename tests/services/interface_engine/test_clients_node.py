"""The two public clients for Node against a door that listens: fhir-kit-client and @medplum/core."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from engine_served import Served, served
from engine_smart import assertion, register
from engine_world import TOKENS
from platform_fixture import Platform

DRIVER = Path(__file__).parent / "node_clients.mjs"
PACKAGES = ("fhir-kit-client@2.0.3", "@medplum/core@4.5.2")
TOO_LONG_S = 240


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two packages in a folder of this run. Without Node, or a registry that has them, there is nothing to try."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefix"]
    done = subprocess.run([*command, str(folder), *PACKAGES], capture_output=True, timeout=TOO_LONG_S, check=False)
    if done.returncode:
        pytest.skip("npm could not fetch the packages")
    return folder


@pytest.fixture
async def open_door(platform: Platform, tenant: str) -> AsyncIterator[Served]:
    async with served(platform.url_for("interface-engine"), tenant) as opened:
        yield opened


async def drive(door: Served, packages: Path, token: str, *assertions: str) -> dict[str, Any]:
    """What the driver saw."""
    process = await asyncio.create_subprocess_exec(
        "node", str(DRIVER), door.base, token, str(packages), *assertions,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    told, wrong = await asyncio.wait_for(process.communicate(), TOO_LONG_S)
    assert process.returncode == 0, wrong.decode()[-2000:]
    seen: dict[str, Any] = json.loads(told)
    return seen


EXPECTED = {
    "kit_version": "4.0.1",
    "kit_read": "Sample-Beech",
    "kit_patch": "male",
    "kit_vread": "none",
    "kit_history": 3,
    "kit_type_history": 3,
    "kit_system_history": 3,
    "kit_search": 1,
    "kit_post_search": 1,
    "kit_transaction": ["201 Created", "201 Created"],
    "kit_batch": True,
    "kit_pages": True,
    "kit_validate": "Patient.gender",
    "kit_everything": "searchset",
    "kit_gone": 410,
    "kit_refused": [422, "Patient.gender"],
    "medplum_once": True,
    "medplum_upsert": "female",
    "medplum_patch": "male",
    "medplum_update": "4",
    "medplum_history": 4,
    "medplum_vread": "1",
    "medplum_search": True,
    "medplum_none": "nothing",
    "medplum_pages": True,
    "medplum_batch": "200 OK",
    "medplum_everything": "searchset",
    "medplum_validate": "information",
    "medplum_gone": "deleted",
    "medplum_refused": "Patient.gender",
}


async def test_both_clients_do_what_their_users_write(open_door: Served, packages: Path) -> None:
    seen = await drive(open_door, packages, TOKENS["default"])
    assert {name: seen.get(name) for name in EXPECTED} == EXPECTED


async def test_both_clients_get_their_tokens_first(platform: Platform, tenant: str, packages: Path) -> None:
    async with served(platform.url_for("interface-engine"), tenant, smart=True) as door:
        await register(door.world)
        seen = await drive(door, packages, "-", assertion(door.world), assertion(door.world))
        assert {name: seen.get(name) for name in EXPECTED} == EXPECTED
        assert seen["kit_token_url"] == f"{door.server}/oauth2/token"
        assert await door.world.count("access_event") > 20
