"""The clients file: who it lets in, and the one line with which a wrong one is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from chassis import SettingsError
from interface_engine.clients import client_of, load_clients
from interface_engine.model import Client

DIGEST = hashlib.sha256(b"secret").hexdigest()
ROW = f'[[client]]\nid = "ehr"\ntoken_sha256 = "{DIGEST}"\ntenant = "demo"\nsource = "default"\n'


def load(tmp_path: Path, text: str) -> dict[str, Client]:
    file = tmp_path / "clients.toml"
    file.write_text(text)
    return load_clients(file, ("default", "synthea"))


def test_a_token_is_its_client_and_no_other(tmp_path: Path) -> None:
    clients = load(tmp_path, ROW)
    assert (
        client_of(clients, "Bearer secret") == client_of(clients, "bearer  secret ") == Client("ehr", "demo", "default")
    )
    for header in ("", "secret", "Bearer", "Bearer ", "Basic secret", "Bearer Secret", f"Bearer {DIGEST}"):
        assert client_of(clients, header) is None
    assert load_clients(None, ()) == {}


@pytest.mark.parametrize(
    "text",
    [
        "[[client]",
        "client = 1",
        "[other]",
        ROW.replace('id = "ehr"', ""),
        ROW + "more = 1",
        ROW.replace(DIGEST, "secret"),
        ROW + ROW,
        ROW.replace('"demo"', '"Demo Tenant"'),
        ROW.replace('"default"', '"unknown"'),
        ROW.replace('"demo"', "5"),
    ],
)
def test_a_wrong_file_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert "clients.toml" in str(caught.value) and DIGEST not in str(caught.value)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_clients(tmp_path / "none.toml", ())
