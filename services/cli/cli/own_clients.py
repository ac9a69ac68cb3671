"""The command's own clients of the FHIR endpoint: one for each way of speaking, with keys that serve again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rcm.engine.v1 import access_pb2

from cli.access import Credentials, keep_key, new_key, public_set
from cli.client import Line

SOURCES = ("default", "synthea")  # one API client for each way of speaking


async def register_own(line: Line, keys: Path) -> dict[str, Credentials]:
    """By source. `keys` is the folder of their private keys, made when there is none; again is harmless."""
    return {source: await _register(line, _own_key(keys / f"{source}.json"), source) for source in SOURCES}


def _own_key(file: Path) -> dict[str, Any]:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    if not file.exists():
        keep_key(file, new_key())
    return dict(json.loads(file.read_text()))


async def _register(line: Line, key: dict[str, Any], source: str) -> Credentials:
    """Registers a source's client; its name goes with its key."""
    wanted = access_pb2.RegisteredClient(
        name=f"{source}-{key['kid']}", source=source, scopes="system/*.cruds", jwks=public_set(key)
    )
    added = await line.add_client(wanted)
    return Credentials(added.client.client_id, key, added.token_url)
