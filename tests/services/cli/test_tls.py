"""The command asks by mutual TLS where the services want it, and says in one line why it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from chassis.embedded.certificates import Authority
from chassis.grpc_server import GrpcServer
from chassis.tls import Certificates, Files
from cli.asking import place_of
from cli.client import Line, Place
from kernel.clock import SystemClock
from kernel.errors import Unavailable
from rcm.engine.v1 import engine_pb2, engine_pb2_grpc


class Engine(engine_pb2_grpc.InterfaceEngineServiceServicer):  # type: ignore[misc]
    async def CountResources(self, request: Any, context: Any) -> engine_pb2.CountResourcesResponse:
        return engine_pb2.CountResourcesResponse(by_type={"Claim": 3})


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.delenv("RCM_TLS_DIR", raising=False)
    return Authority(tmp_path / "authority")


def write_state(folder: Path, grpc: dict[str, str], **more: str) -> None:
    state = {"tenant": "demo", "fhir_url": "http://none", "clients": {}, "grpc": grpc, **more}
    (folder / "stack.json").write_text(json.dumps(state))


def test_the_folder_is_the_stacks_or_the_environments(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(tmp_path, {})
    assert place_of(tmp_path).tls_dir is None
    for name in ("a", "b"):
        authority.issue("cli", tmp_path / name)
    write_state(tmp_path, {}, tls_dir=str(tmp_path / "a"))
    assert place_of(tmp_path).tls_dir == tmp_path / "a"
    monkeypatch.setenv("RCM_TLS_DIR", str(tmp_path / "b"))
    assert place_of(tmp_path).tls_dir == tmp_path / "b"


def test_a_bad_folder_is_one_line(tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]) -> None:
    (authority.issue("cli", tmp_path / "tls") / "tls.key").unlink()
    write_state(tmp_path, {}, tls_dir=str(tmp_path / "tls"))
    with pytest.raises(typer.Exit) as caught:
        place_of(tmp_path)
    assert caught.value.exit_code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{tmp_path}/tls/tls.key is missing") and said.count("\n") == 1


async def test_it_asks_by_mutual_tls_and_goes_on_after_a_rotation(tmp_path: Path, authority: Authority) -> None:
    files = Files.of(authority.issue("interface-engine", tmp_path / "engine"))
    certificates = Certificates(files, SystemClock(), structlog.get_logger(), "interface-engine")
    add = engine_pb2_grpc.add_InterfaceEngineServiceServicer_to_server
    server = GrpcServer(((add, Engine()),), (), certificates=certificates)
    address = f"127.0.0.1:{await server.start('127.0.0.1', 0)}"
    authority.issue("cli", tmp_path / "tls")
    write_state(tmp_path, {"interface-engine": address}, tls_dir=str(tmp_path / "tls"))
    line = Line(place_of(tmp_path))
    following = Authority(tmp_path / "following")
    for by, *trusted in ([authority], [authority, following], [following, authority], [following]):
        by.issue("interface-engine", tmp_path / "engine", trusted=trusted)
        by.issue("cli", tmp_path / "tls", trusted=trusted)
        certificates.look()
        assert await line.resource_counts() == {"Claim": 3}
    await line.close()
    plain = Line(Place("demo", "http://none", {}, {"interface-engine": address}))
    with pytest.raises(Unavailable):
        await plain.resource_counts()
    await plain.close()
    await server.stop(0)
