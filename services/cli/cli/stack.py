"""All of Throughline on one machine: Postgres, NATS, every service its own process, started, watched and stopped.

Postgres and NATS are embedded unless RCM_POSTGRES_URL (an owner's URL) and RCM_NATS_URL name others; the services'
roles get RCM_ROLE_PASSWORD, where that server asks for one. A service that dies is started again on the same port;
so are the embedded servers.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.migrations import migrate

from cli.access import Credentials
from cli.client import Line, Place
from cli.own_clients import register_own

READY_WITHIN_S = 90.0
STOP_WITHIN_S = 20.0
WATCH_EVERY_S = 0.3
TENANT = "demo"
T = TypeVar("T")


class StackError(Exception):
    """Something did not start; the text names it and the next step."""


@dataclass(frozen=True, slots=True)
class Program:
    """One service process. `http` says whether it has an HTTP door; `calls` are the services that it asks by gRPC."""

    name: str
    http: bool = False
    calls: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The import package, which runs with `python -m`."""
        return self.name.replace("-", "_")


PROGRAMS: tuple[Program, ...] = (
    Program("simulator", http=True),
    Program("eligibility"),
    Program("prior-auth"),
    Program("coding"),
    Program("charge-capture"),
    Program("claims-gateway", calls=("eligibility", "prior-auth")),
    Program("remittance"),
    Program(
        "journey",
        http=True,
        calls=(
            "eligibility",
            "prior-auth",
            "coding",
            "charge-capture",
            "claims-gateway",
            "remittance",
            "interface-engine",
        ),
    ),
    Program("interface-engine", http=True, calls=("eligibility", "prior-auth", "claims-gateway")),
)


@dataclass
class Stack:
    """What runs in `folder`. `extra` adds environment for all services or, by name, for one; `site` is the folder of
    the site's own rules, prices and feeds."""

    folder: Path
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda line: None
    trace: bool = True
    site: Path | None = None

    def __post_init__(self) -> None:
        self.folder = self.folder.absolute()
        self.run_dir = self.folder / "run"
        self.traces_dir = self.folder / "traces"
        self.logs_dir = self.folder / "logs"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}
        self.clients: dict[str, Credentials] = {}
        self.restarts: dict[str, int] = {}
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._nats: EmbeddedNats | None = None
        self._cleanup = ExitStack()
        self._owner_url = ""
        self._role_password = ""
        self._nats_url = ""

    # Starting and stopping

    def start(self) -> Stack:
        """Starts everything and waits until every service is ready. StackError when one is not; all is stopped then."""
        try:
            self._prepare()
            self._start_servers()
            self.tell("applying migrations")
            migrate(self._owner_url, password=self._role_password)
            self.tell(f"starting {len(PROGRAMS)} services")
            for program in PROGRAMS:
                self._launch(program)
            self._wait_ready()
            self.clients = _apart(self._register_clients())
            self._write_state()
        except BaseException:
            self.stop()
            raise
        self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._watcher.start()
        return self

    def stop(self) -> None:
        """Stops everything that was started, services first."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(10)
        running = [process for process in self.processes.values() if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._cleanup.close()
        (self.folder / "stack.json").unlink(missing_ok=True)

    def __enter__(self) -> Stack:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        for folder in (self.folder, self.run_dir, self.traces_dir, self.logs_dir):
            folder.mkdir(parents=True, exist_ok=True)
        for left in self.run_dir.glob("*.json"):
            left.unlink()
        names = [f"{program.name}/grpc" for program in PROGRAMS]
        names += [f"{program.name}/http" for program in PROGRAMS if program.http]
        names += [f"{program.name}/metrics" for program in PROGRAMS]
        self.ports = dict(zip(names, _free_ports(len(names)), strict=True))

    def _start_servers(self) -> None:
        self._owner_url = os.environ.get("RCM_POSTGRES_URL", "")
        self._role_password = os.environ.get("RCM_ROLE_PASSWORD", "")
        self._nats_url = os.environ.get("RCM_NATS_URL", "")
        if not self._owner_url:
            self.tell("starting PostgreSQL")
            self._postgres = EmbeddedPostgres(self.folder / "postgres")
            self._cleanup.callback(self._postgres.stop)
            self._postgres.start()
            self._owner_url = self._postgres.owner_url
        if not self._nats_url:
            self.tell("starting NATS JetStream")
            self._nats = EmbeddedNats(self.folder / "nats")
            self._cleanup.callback(self._nats.stop)
            self._nats.start()
            self._nats_url = self._nats.url

    def _launch(self, program: Program) -> None:
        with (self.logs_dir / f"{program.name}.log").open("ab") as log:
            self.processes[program.name] = subprocess.Popen(
                [sys.executable, "-m", program.module],
                env=self.environment(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def environment(self, program: Program) -> dict[str, str]:
        """The settings of one service, on top of our own environment without the owner's credentials."""
        given = {name: value for name, value in os.environ.items() if not name.startswith("RCM_")}
        own = {
            "RCM_POSTGRES_URL": self._service_url(program),
            "RCM_NATS_URL": self._nats_url,
            "RCM_RUN_DIR": str(self.run_dir),
            "RCM_TRACING": "on" if self.trace else "off",
            "RCM_TRACES_DIR": str(self.traces_dir),
            "RCM_GRPC_PORT": str(self.ports[f"{program.name}/grpc"]),
            "RCM_HTTP_PORT": str(self.ports.get(f"{program.name}/http", 0)),
            "RCM_METRICS_PORT": str(self.ports[f"{program.name}/metrics"]),
            "RCM_CONSOLE_LOGIN": "local",
            "RCM_CONSOLE_URL": self.console_url,
            "RCM_METRICS_URLS": json.dumps({one.name: self.metrics_url(one.name) for one in PROGRAMS}),
            "RCM_CLEARINGHOUSE_URL": f"http://127.0.0.1:{self.ports['simulator/http']}",
            "RCM_DATA_DIR": str(self.folder / program.name),
            "RCM_TENANT": TENANT,
            "RCM_BASE_URL": self.fhir_url,
            # The payers of one machine decide in seconds, not in days, and are back in seconds when they were away.
            "RCM_INQUIRE_WAITS_S": "[1, 2, 5, 15]",
            "RCM_RETRY_WAITS_S": "[1, 2, 5, 15]",
        }
        if self.site is not None:
            own["RCM_SITE_DIR"] = str(self.site.absolute())
        for callee in program.calls:
            variable = f"RCM_ADDRESS_{callee.upper().replace('-', '_')}"
            own[variable] = f"127.0.0.1:{self.ports[f'{callee}/grpc']}"
        return given | own | dict(self.extra.get("*", {})) | dict(self.extra.get(program.name, {}))

    def _service_url(self, program: Program) -> str:
        parts = urlsplit(self._owner_url)
        _, _, host = parts.netloc.rpartition("@")
        password = f":{quote(self._role_password, safe='')}" if self._role_password else ""
        return urlunsplit(parts._replace(netloc=f"{program.module}{password}@{host}"))

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        for program in PROGRAMS:
            while not (self.run_dir / f"{program.name}.json").exists():
                status = self.processes[program.name].poll()
                if status is not None:
                    raise StackError(f"{program.name} ended with {status} while starting: {self._last_words(program)}")
                if time.monotonic() > deadline:
                    raise StackError(f"{program.name} is not ready after {READY_WITHIN_S:.0f} s; see {self.logs_dir}")
                time.sleep(0.05)

    def _last_words(self, program: Program) -> str:
        lines = (self.logs_dir / f"{program.name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    async def _register_clients(self) -> dict[str, Credentials]:
        """One client of the FHIR endpoint for each source; keys of an earlier run in this folder serve again."""
        line = Line(Place(TENANT, self.fhir_url, {}, {"interface-engine": self.grpc_address("interface-engine")}))
        try:
            return await register_own(line, self.folder / "keys")
        finally:
            await line.close()

    # Watching: what dies is started again

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_EVERY_S):
            for server in (self._postgres, self._nats):
                if server is not None and server.pid is None:
                    self._count("postgres" if server is self._postgres else "nats")
                    server.start()
            for program in PROGRAMS:
                if self.processes[program.name].poll() is not None and not self._stopping.is_set():
                    self._count(program.name)
                    self._launch(program)

    def _count(self, name: str) -> None:
        self.restarts[name] = self.restarts.get(name, 0) + 1

    def kill(self, name: str) -> int:
        """SIGKILL to a service, `postgres` or `nats`, as a machine that fails would; the pid that was hit."""
        servers = {"postgres": self._postgres, "nats": self._nats}
        if name in servers:
            server = servers[name]
            pid = server.pid if server is not None else None
        else:
            pid = self.processes[name].pid
        if pid is None:
            raise StackError(f"{name} does not run")
        os.kill(pid, signal.SIGKILL)
        return pid

    # Where things are

    @property
    def fhir_url(self) -> str:
        """The FHIR endpoint's base."""
        return f"http://127.0.0.1:{self.ports['interface-engine/http']}/fhir"

    @property
    def console_url(self) -> str:
        """The web console."""
        return f"http://127.0.0.1:{self.ports['journey/http']}"

    def metrics_url(self, service: str) -> str:
        """Where a service shows its metrics."""
        return f"http://127.0.0.1:{self.ports[f'{service}/metrics']}/metrics"

    @property
    def clearinghouse_url(self) -> str:
        """The simulated clearinghouse's HTTP door."""
        return f"http://127.0.0.1:{self.ports['simulator/http']}"

    @property
    def owner_url(self) -> str:
        """The database owner's URL, for checks over all schemas."""
        return self._owner_url

    @property
    def nats_url(self) -> str:
        """The broker's URL."""
        return self._nats_url

    def programs(self) -> tuple[str, ...]:
        """The names of all services."""
        return tuple(program.name for program in PROGRAMS)

    def grpc_address(self, service: str) -> str:
        """host:port of a service's gRPC door."""
        return f"127.0.0.1:{self.ports[f'{service}/grpc']}"

    def _write_state(self) -> None:
        """For the other commands: addresses and the clients' keys, readable by their owner only."""
        state = {
            "pid": os.getpid(),
            "tenant": TENANT,
            "fhir_url": self.fhir_url,
            "console_url": self.console_url,
            "clients": {source: asdict(client) for source, client in self.clients.items()},
            "grpc": {program.name: self.grpc_address(program.name) for program in PROGRAMS},
            "folder": str(self.folder),
        }
        file = self.folder / "stack.json"
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(state))
        draft.replace(file)


def _apart(task: Coroutine[Any, Any, T]) -> T:
    """The task's result from an event loop of its own: the caller may have one already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, task).result()


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, all different: held open together until all are chosen."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
