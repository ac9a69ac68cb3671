"""Makes the throughline command know this line: registers its API client, and keeps addresses and key in a volume.

What `throughline up` writes for its own machine, for containers. Doing it again with the same volume is harmless.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from cli.client import Line, Place
from cli.own_clients import register_own
from cli.stack import PROGRAMS

TENANT = "demo"


async def connect(folder: Path, fhir_url: str) -> None:
    """Writes stack.json into the folder."""
    grpc = {program.name: f"{program.name}:50051" for program in PROGRAMS}
    line = Line(Place(TENANT, fhir_url, {}, grpc))
    try:
        clients = {source: asdict(client) for source, client in (await register_own(line, folder / "keys")).items()}
    finally:
        await line.close()
    state = {"tenant": TENANT, "fhir_url": fhir_url, "clients": clients, "grpc": grpc}
    file = folder / "stack.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(state))


if __name__ == "__main__":
    asyncio.run(connect(Path(sys.argv[1]), sys.argv[2]))
