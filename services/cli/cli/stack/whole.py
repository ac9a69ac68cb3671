"""The stack as a whole: what starts when, what each service is told, and what is done to it while it runs.

Postgres and NATS are embedded unless RCM_POSTGRES_URL (an owner's URL) and RCM_NATS_URL name others; the services'
roles get RCM_ROLE_PASSWORD, where that server asks for one. A service that dies is started again on the same port;
so are the embedded servers.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from chassis.migrations import migrate

from cli.access import Credentials
from cli.client import Place
from cli.stack.addresses import Addresses
from cli.stack.certificates import COMMAND, RENEW_EVERY_S, Certificates
from cli.stack.processes import Processes
from cli.stack.programs import PROGRAMS, Program, Replica, StackError, program_of
from cli.stack.servers import Servers
from cli.stack.state import register_clients, remove_state, write_state

WATCH_EVERY_S = 0.3
TENANT = "demo"


@dataclass
class Stack:
    """What runs in `folder`. `extra` adds environment for all services or, by name, for one; `site` is the folder of
    the site's own rules, prices and feeds.

    `most_replicas` is how far a service can be scaled; `nats_nodes` is 1, or 3 for a cluster with replicated streams.
    With `tls`, gRPC and NATS speak mutual TLS by certificates of an authority in `folder`.
    """

    folder: Path
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda line: None
    trace: bool = True
    site: Path | None = None
    most_replicas: int = 1
    nats_nodes: int = 1
    tls: bool = False

    def __post_init__(self) -> None:
        self.folder = self.folder.absolute()
        self.run_dir = self.folder / "run"
        self.traces_dir = self.folder / "traces"
        self.logs_dir = self.folder / "logs"
        self.clients: dict[str, Credentials] = {}
        self.restarts: dict[str, int] = {}
        self._addresses = Addresses(self.most_replicas)
        self._certificates = Certificates(self.folder / "certificates") if self.tls else None
        self._servers = Servers(self.folder, self.nats_nodes, self.tell, self._certificates)
        self._services = Processes(self.logs_dir, self._environment_of, self._run_dir_of)
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._issued_at = 0.0

    # Starting and stopping

    def start(self) -> Stack:
        """Starts everything and waits until every service is ready. StackError when one is not; all is stopped then."""
        try:
            self._prepare()
            self.rotate()
            self._servers.start()
            self.tell("applying migrations")
            migrate(self._servers.owner_url, password=self._servers.role_password)
            self.tell(f"starting {len(PROGRAMS)} services")
            self._services.start(Replica(program) for program in PROGRAMS)
            self.clients = register_clients(self._place(), self.folder / "keys")
            write_state(self.folder, self._state())
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
        self._services.stop_all()
        self._servers.stop()
        self._addresses.release()
        remove_state(self.folder)

    def __enter__(self) -> Stack:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        for folder in (self.folder, self.run_dir, self.traces_dir, self.logs_dir):
            folder.mkdir(parents=True, exist_ok=True)
        for left in self.run_dir.rglob("*.json"):
            left.unlink()
        self._addresses.take()

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_EVERY_S):
            self._servers.revive(self._count)
            if not self._stopping.is_set():
                self._services.revive(self._count)
            if time.monotonic() > self._issued_at + RENEW_EVERY_S:
                self.rotate()

    def _count(self, name: str) -> None:
        self.restarts[name] = self.restarts.get(name, 0) + 1

    # What a service is told

    def environment(self, program: Program, number: int = 1) -> dict[str, str]:
        """The settings of one replica, on top of our own environment without the owner's credentials."""
        replica = Replica(program, number)
        given = {name: value for name, value in os.environ.items() if not name.startswith("RCM_")}
        own = self._storage(program) | self._doors(replica) | self._habits(program) | self._callees(program)
        if self._certificates is not None:
            own["RCM_TLS_DIR"] = str(self.tls_dir_of(program.name))
        if self.site is not None:
            own["RCM_SITE_DIR"] = str(self.site.absolute())
        return given | own | dict(self.extra.get("*", {})) | dict(self.extra.get(program.name, {}))

    def _environment_of(self, replica: Replica) -> dict[str, str]:
        return self.environment(replica.program, replica.number)

    def _storage(self, program: Program) -> dict[str, str]:
        servers = {"RCM_POSTGRES_URL": self._service_url(program), "RCM_NATS_URL": self._servers.nats_url}
        return servers | ({"RCM_NATS_REPLICAS": str(self.nats_nodes)} if self.nats_nodes > 1 else {})

    def _service_url(self, program: Program) -> str:
        parts = urlsplit(self._servers.owner_url)
        _, _, host = parts.netloc.rpartition("@")
        password = f":{quote(self._servers.role_password, safe='')}" if self._servers.role_password else ""
        return urlunsplit(parts._replace(netloc=f"{program.module}{password}@{host}"))

    def _doors(self, replica: Replica) -> dict[str, str]:
        ports = self._addresses.ports
        return {
            "RCM_RUN_DIR": str(self._run_dir_of(replica)),
            "RCM_GRPC_PORT": str(ports[f"{replica.name}/grpc"]),
            "RCM_HTTP_PORT": str(ports.get(f"{replica.name}/http", 0)),
            "RCM_METRICS_PORT": str(ports[f"{replica.name}/metrics"]),
        }

    def _habits(self, program: Program) -> dict[str, str]:
        return {
            "RCM_TRACING": "on" if self.trace else "off",
            "RCM_TRACES_DIR": str(self.traces_dir),
            "RCM_CONSOLE_LOGIN": "local",
            "RCM_CONSOLE_URL": self.console_url,
            "RCM_METRICS_URLS": json.dumps({one.name: self.metrics_url(one.name) for one in PROGRAMS}),
            "RCM_CLEARINGHOUSE_URL": self.clearinghouse_url,
            "RCM_DATA_DIR": str(self.folder / program.name),
            "RCM_TENANT": TENANT,
            "RCM_BASE_URL": self.fhir_url,
            # The payers of one machine decide in seconds, not in days, and are back in seconds when they were away.
            "RCM_INQUIRE_WAITS_S": "[1, 2, 5, 15]",
            "RCM_RETRY_WAITS_S": "[1, 2, 5, 15]",
        }

    def _callees(self, program: Program) -> dict[str, str]:
        return {
            f"RCM_ADDRESS_{callee.upper().replace('-', '_')}": self._addresses.grpc_target(program_of(callee))
            for callee in program.calls
        }

    def _run_dir_of(self, replica: Replica) -> Path:
        return self.run_dir if replica.number == 1 else self.run_dir / replica.name

    # What is done to it while it runs

    def kill(self, name: str) -> int:
        """SIGKILL to a service or a server, as a machine that fails would; the pid that was hit. It comes back."""
        part = self._services if name in self._services.by_name else self._servers
        return part.kill(name)

    def restart(self, name: str) -> None:
        """Stops a service or a server in good order and starts it again; back when it is ready.

        Of a service one replica after the other; where there is room for one more, the new one is ready before the
        old one is asked to go. StackError when one does not end with 0 or does not come back.
        """
        if name in self._servers.by_name:
            self._servers.restart(name)
            return
        program = program_of(name)
        for old in self._services.replicas_of(name):
            if spare := self._room_for(program, 1):
                self._services.start(spare)
            self._services.stop(old)
            if not spare:
                self._services.start([old])

    def _room_for(self, program: Program, count: int) -> list[Replica]:
        """Up to so many replicas that do not run and could."""
        running = self._services.replicas_of(program.name)
        return [one for one in self._addresses.replicas(program) if one not in running][:count]

    def roll(self) -> None:
        """Restarts every service, one after the other: an upgrade of the whole line. The outside world stays."""
        for program in PROGRAMS:
            if not program.alone:
                self.restart(program.name)

    def scale(self, name: str, count: int) -> None:
        """Makes it so many replicas, from 1 to `most_replicas`: the new ones are ready, or the last ones have ended.

        Replicas share everything but ports and run folders, as pods do: a feed that listens on a port of its own can
        have it in one of them only.
        """
        most = len(self._addresses.replicas(program_of(name)))
        if not 1 <= count <= most:
            raise StackError(f"{name} can have 1 to {most} replicas here: see most_replicas")
        running = self._services.replicas_of(name)
        self._services.start(self._room_for(program_of(name), max(0, count - len(running))))
        for replica in reversed(running[count:]):
            self._services.stop(replica)

    def lose(self, server: str) -> int:
        """SIGKILL to a server that stays away until `bring_back`, as when its machine is gone; the pid that was hit."""
        return self._servers.lose(server)

    def bring_back(self, server: str) -> None:
        """Starts a server that was lost, with the data that it had, and waits until it answers."""
        self._servers.bring_back(server)

    def rotate(self) -> None:
        """New certificates for everybody; nobody is told but the broker. Does nothing without `tls`."""
        if self._certificates is not None:
            self._certificates.issue()
            self._servers.reload()
        self._issued_at = time.monotonic()

    # Where things are

    @property
    def tls_dir(self) -> Path | None:
        """The command's own certificates; None without `tls`."""
        return None if self._certificates is None else self.tls_dir_of(COMMAND)

    def tls_dir_of(self, name: str) -> Path:
        """The certificates of a service, of `nats`, or of the command (`throughline`). StackError without `tls`."""
        if self._certificates is None:
            raise StackError("nobody has certificates here: start the stack with tls")
        return self._certificates.of(name)

    @property
    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """The process of each replica, by its name; those that have ended, too."""
        return self._services.by_name

    @property
    def fhir_url(self) -> str:
        """The FHIR endpoint's base."""
        return f"http://{self._addresses.of('interface-engine', 'http')}/fhir"

    @property
    def console_url(self) -> str:
        """The web console."""
        return f"http://{self._addresses.of('journey', 'http')}"

    def metrics_url(self, replica: str) -> str:
        """Where a service, or one of its replicas, shows its metrics."""
        return f"http://{self._addresses.of(replica, 'metrics')}/metrics"

    @property
    def clearinghouse_url(self) -> str:
        """The simulated clearinghouse's HTTP door."""
        return f"http://{self._addresses.of('simulator', 'http')}"

    @property
    def owner_url(self) -> str:
        """The database owner's URL, for checks over all schemas."""
        return self._servers.owner_url

    @property
    def nats_url(self) -> str:
        """The broker's URL; of a cluster all nodes, separated by commas."""
        return self._servers.nats_url

    def programs(self) -> tuple[str, ...]:
        """The names of all services."""
        return tuple(program.name for program in PROGRAMS)

    def replicas(self, service: str) -> tuple[str, ...]:
        """The names of a service's replicas that run now."""
        return tuple(one.name for one in self._services.replicas_of(service))

    def http_doors(self, service: str) -> tuple[str, ...]:
        """host:port of the HTTP doors of a service's replicas that are ready: what a load balancer would know."""
        ready = (one for one in self._services.replicas_of(service) if self._services.is_ready(one))
        return tuple(self._addresses.of(one.name, "http") for one in ready)

    def grpc_address(self, replica: str) -> str:
        """host:port of the gRPC door of a service, or of one of its replicas."""
        return self._addresses.of(replica, "grpc")

    def _place(self) -> Place:
        grpc = {program.name: self._addresses.grpc_target(program) for program in PROGRAMS}
        return Place(TENANT, self.fhir_url, self.clients, grpc, self.tls_dir)

    def _state(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "tenant": TENANT,
            "fhir_url": self.fhir_url,
            "console_url": self.console_url,
            "clients": {source: asdict(client) for source, client in self.clients.items()},
            "grpc": self._place().grpc,
            "folder": str(self.folder),
            "tls_dir": str(self.tls_dir) if self.tls_dir else None,
        }
