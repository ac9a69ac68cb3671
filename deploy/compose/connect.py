"""Makes the throughline command know this line: registers its API client, and keeps addresses and key in a volume.

What `throughline up` writes for its own machine, for containers. Doing it again with the same volume is harmless.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.access import Credentials, keep_key, new_key, public_set
from cli.client import Line, Place
from cli.stack import PROGRAMS, SOURCES
from rcm.engine.v1 import access_pb2

TENANT = "demo"


def own_key(folder: Path, source: str) -> dict[str, Any]:
    """The private key of a source's client; made when there is none."""
    file = folder / f"key-{source}.json"
    if not file.exists():
        keep_key(file, new_key())
    return dict(json.loads(file.read_text()))


async def register(line: Line, folder: Path, source: str) -> Credentials:
    """Registers the client of a source; its name goes with its key."""
    key = own_key(folder, source)
    client = access_pb2.RegisteredClient(
        name=f"{source}-{key['kid']}", source=source, scopes="system/*.cruds", jwks=public_set(key)
    )
    added = await line.add_client(client)
    return Credentials(added.client.client_id, key, added.token_url)


async def connect(folder: Path, fhir_url: str) -> None:
    """Writes stack.json into the folder."""
    grpc = {program.name: f"{program.name}:50051" for program in PROGRAMS}
    line = Line(Place(TENANT, fhir_url, {}, grpc))
    try:
        clients = {source: asdict(await register(line, folder, source)) for source in SOURCES}
    finally:
        await line.close()
    state = {"tenant": TENANT, "fhir_url": fhir_url, "clients": clients, "grpc": grpc}
    file = folder / "stack.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(state))


if __name__ == "__main__":
    asyncio.run(connect(Path(sys.argv[1]), sys.argv[2]))
