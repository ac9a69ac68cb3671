"""`throughline client`: who may use the FHIR endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rcm.engine.v1 import access_pb2
from rich.table import Table

from cli import render
from cli.access import keep_key, new_key, public_set
from cli.asking import HOME, Folder, ask_line, fail

clients_app = typer.Typer(help="Who may use the FHIR endpoint (SMART Backend Services).", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens, such as epic-main.")]


@clients_app.command("add")
def add(
    name: Name,
    scopes: Annotated[str, typer.Option(help="What it may do, such as 'system/Patient.rs system/Encounter.cruds'.")],
    source: Annotated[str, typer.Option(help="The feed whose code maps read what it sends.")] = "default",
    jwks_url: Annotated[str, typer.Option(help="The https address that gives its public keys.")] = "",
    jwks: Annotated[Path | None, typer.Option(exists=True, help="A file with its public keys (JWKS).")] = None,
    new_key_file: Annotated[
        Path | None, typer.Option("--new-key", help="Make a key pair for it and write the private key to this file.")
    ] = None,
    rate: Annotated[int, typer.Option(min=0, help="Requests a second; 0 is no limit.")] = 0,
    folder: Folder = HOME / "up",
) -> None:
    """Register a client and print what its maker needs: client id, token endpoint, FHIR endpoint.

    Give its public keys with exactly one of --jwks-url, --jwks or --new-key. Doing it again with the same data is
    harmless.
    """
    if sum(bool(one) for one in (jwks_url, jwks, new_key_file)) != 1:
        raise fail("give exactly one of --jwks-url, --jwks and --new-key")
    key = new_key() if new_key_file is not None else None
    keys = public_set(key) if key is not None else jwks.read_text() if jwks is not None else ""
    if new_key_file is not None and key is not None:
        try:
            keep_key(new_key_file, key)
        except OSError as error:
            raise fail(f"{new_key_file} cannot be written ({type(error).__name__}): name a file that is new") from None
    client = access_pb2.RegisteredClient(
        name=name, source=source, scopes=scopes, jwks=keys, jwks_url=jwks_url, rate=rate
    )
    try:
        added = ask_line(folder, lambda line: line.add_client(client))
    except typer.Exit:
        if new_key_file is not None:
            new_key_file.unlink(missing_ok=True)  # a key of a client that was not taken opens nothing
        raise
    console = render.console()
    console.print(f"client id       {added.client.client_id}")
    console.print(f"scopes          {added.client.scopes}")
    console.print(f"token endpoint  {added.token_url}")
    console.print(f"FHIR endpoint   {added.fhir_url}")
    if new_key_file is not None:
        console.print(f"private key     {new_key_file} (ES384; keep it where only the client can read it)")


@clients_app.command("list")
def list_clients(folder: Folder = HOME / "up") -> None:
    """All clients, the revoked ones too."""
    table = Table("name", "client id", "source", "scopes", "keys", "rate", "")
    for one in ask_line(folder, lambda line: line.registered_clients()):
        keys, rate = one.jwks_url or "inline", str(one.rate) if one.rate else "no limit"
        table.add_row(one.name, one.client_id, one.source, one.scopes, keys, rate, "revoked" if one.revoked else "")
    render.console().print(table)


@clients_app.command("revoke")
def revoke(name: Name, folder: Folder = HOME / "up") -> None:
    """Take a client's access away. Tokens that it holds end within 15 seconds."""
    ask_line(folder, lambda line: line.revoke_client(name))
    render.console().print(f"{name} is revoked")
