"""`throughline connect`: makes the other commands know a Throughline that runs elsewhere, on a cluster for instance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from chassis import SettingsError
from kernel.errors import LineError

from cli import render
from cli.asking import Folder, fail
from cli.client import Line, Place
from cli.own_clients import register_own

Address = Annotated[str, typer.Option(help="host:port of its gRPC door.")]


def connect(
    folder: Folder,
    fhir: Annotated[str, typer.Option(help="Its FHIR endpoint, as RCM_BASE_URL has it.")],
    interface_engine: Address,
    journey: Address,
    remittance: Address,
    tenant: Annotated[str, typer.Option(help="RCM_TENANT over there.")] = "demo",
    tls_dir: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            envvar="RCM_TLS_DIR",
            help="tls.crt, tls.key and ca.crt, where it speaks mutual TLS.",
        ),
    ] = None,
    submit: Annotated[bool, typer.Option(help="Register the clients that `throughline submit` sends as.")] = False,
) -> None:
    """Write down where a running Throughline is; the other commands then take the same --folder.

    Doing it again with the same folder is harmless, and needed when an address has changed.
    """
    doors = {"interface-engine": interface_engine, "journey": journey, "remittance": remittance}
    place = Place(tenant, fhir.rstrip("/"), {}, doors, tls_dir.absolute() if tls_dir else None)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        clients = asyncio.run(_first_words(place, folder / "keys", submit))
    except (LineError, SettingsError) as error:
        raise fail(getattr(error, "reason", str(error))) from None
    except grpc.aio.AioRpcError as error:
        raise fail(f"no answer from {interface_engine} ({error.code().name})") from None
    _write(folder, place, clients)
    render.console().print(f"connected: give the other commands --folder {folder}")


async def _first_words(place: Place, keys: Path, submit: bool) -> Mapping[str, Any]:
    """Asks the engine something, so that a wrong address is told now; the clients of `submit`, when they are wanted."""
    line = Line(place)
    try:
        if not submit:
            await line.registered_clients()
            return {}
        return {source: asdict(one) for source, one in (await register_own(line, keys)).items()}
    finally:
        await line.close()


def _write(folder: Path, place: Place, clients: Mapping[str, Any]) -> None:
    """The file holds keys: for its owner alone. It appears whole, and only when the line has answered."""
    state = {"tenant": place.tenant, "fhir_url": place.fhir_url, "clients": clients, "grpc": place.grpc}
    if place.tls_dir is not None:
        state["tls_dir"] = str(place.tls_dir)
    draft = folder / "stack.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(state))
    draft.replace(folder / "stack.json")
