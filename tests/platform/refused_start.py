"""Starts a service on purpose with something wrong, and the servers that are wrong on purpose."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import structlog
from chassis.run import Process
from chassis.service import Service
from chassis.settings import SettingsError, load_settings
from chassis.storage import CannotStart
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECRET, PATIENT = "open-sesame", "DOE^JANE"
PORTS = ("RCM_GRPC_PORT", "RCM_HTTP_PORT", "RCM_METRICS_PORT", "RCM_HEALTH_PORT")


def service_of(name: str) -> Service:
    """The description of a service, by its kebab-case name."""
    found: Service = importlib.import_module(f"{name.replace('-', '_')}.app").SERVICE
    return found


def package_of(name: str) -> Path:
    return Path(str(importlib.import_module(name.replace("-", "_")).__file__)).parent


@contextmanager
def environment(given: Mapping[str, str]) -> Iterator[None]:
    """Only these settings and no others."""
    before = {name: value for name, value in os.environ.items() if name.startswith("RCM_")}
    for name in before:
        del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            os.environ.pop(name, None)
        os.environ.update(before)


async def _start(name: str, checks: Callable[[Process], Any]) -> Any:
    service = service_of(name)
    process = Process(service, load_settings(service.settings), structlog.get_logger())
    try:
        await process.start()
        return await checks(process)
    finally:
        await process.stop()


async def _health(process: Process) -> str:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{process.grpc_port}") as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def start(name: str, settings: Mapping[str, str]) -> str:
    """What becomes of a service with these settings: its health, or the line in which it refuses."""
    with environment(settings):
        try:
            return str(asyncio.run(_start(name, _health)))
        except (CannotStart, SettingsError) as refusal:
            return f"cannot start: {refusal}"


def check_refusal(line: str, settings: Mapping[str, str], name: str) -> None:
    """One line, no secret and no patient in it, and nothing left behind."""
    assert line.startswith("cannot start: "), line
    assert "\n" not in line
    assert "unforeseen" not in line
    assert SECRET not in line
    assert PATIENT not in line
    assert not Path(settings["RCM_RUN_DIR"], f"{name}.json").exists()
    for port in PORTS:
        if settings.get(port, "").isdigit() and int(settings[port]) < 65536:
            assert not _listens(int(settings[port])), port


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True, slots=True)
class RefusingPostgres:
    """A server that answers every login with one SQLSTATE; "" answers nothing at all."""

    sqlstate: str
    listener: socket.socket

    @property
    def url(self) -> str:
        return f"postgresql://somebody:{SECRET}@127.0.0.1:{self.listener.getsockname()[1]}/throughline"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._refuse, args=(connection,), daemon=True).start()

    def _refuse(self, connection: socket.socket) -> None:
        with connection:
            while len(head := connection.recv(8)) == 8:
                length, code = struct.unpack("!II", head)
                if not self.sqlstate:
                    connection.recv(4096)
                elif code == 80877103:  # asks for TLS
                    connection.sendall(b"N")
                else:
                    connection.recv(length - 8)
                    connection.sendall(self._error())
                    return

    def _error(self) -> bytes:
        fields = {"S": "FATAL", "V": "FATAL", "C": self.sqlstate, "M": f"no {SECRET} for {PATIENT}"}
        body = b"".join(key.encode() + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
        return b"E" + struct.pack("!I", len(body) + 4) + body


@contextmanager
def refusing_postgres(sqlstate: str) -> Iterator[str]:
    """The URL of such a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RefusingPostgres(sqlstate, listener)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server.url
