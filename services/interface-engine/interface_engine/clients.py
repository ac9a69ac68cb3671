"""Who may come in: the clients file, read once at start, with digests of tokens and never a token."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

from chassis import SettingsError

from interface_engine.model import Client

_FIELDS = {"id", "token_sha256", "tenant", "source"}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SCHEME = "bearer "


def load_clients(file: Path | None, sources: Collection[str]) -> dict[str, Client]:
    """Clients by the SHA-256 of their token. SettingsError names the file and the row that cannot be used."""
    if file is None:
        return {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"RCM_CLIENTS_FILE {file.name} cannot be read ({type(error).__name__})") from error
    rows = document.get("client", [])
    if document.keys() - {"client"} or not isinstance(rows, list):
        raise SettingsError(f"RCM_CLIENTS_FILE {file.name} holds nothing but [[client]] rows")
    clients: dict[str, Client] = {}
    for number, row in enumerate(rows, 1):
        problem = _problem(row, sources, clients)
        if problem:
            raise SettingsError(f"RCM_CLIENTS_FILE {file.name}, client {number}: {problem}")
        clients[row["token_sha256"]] = Client(row["id"], row["tenant"], row["source"])
    return clients


def _problem(row: object, sources: Collection[str], clients: Mapping[str, Client]) -> str:
    if not isinstance(row, dict) or row.keys() != _FIELDS or not all(isinstance(one, str) for one in row.values()):
        return f"{', '.join(sorted(_FIELDS))} are needed, as text, and nothing else"
    if not _DIGEST.fullmatch(row["token_sha256"]) or row["token_sha256"] in clients:
        return "token_sha256 is 64 lower-case hex digits, one client's only"
    if not row["id"] or not _TENANT.fullmatch(row["tenant"]):
        return "id and tenant are names in lower case"
    return "" if row["source"] in sources else "no source of that name"


def client_of(clients: Mapping[str, Client], authorization: str) -> Client | None:
    """The client whose bearer token this is; None for no token or an unknown one."""
    if not authorization.lower().startswith(_SCHEME):
        return None
    token = authorization[len(_SCHEME) :].strip()
    return clients.get(hashlib.sha256(token.encode()).hexdigest())
