"""Postgres and NATS of a stack: embedded unless the environment names others, watched, lost and brought back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.embedded.nats_cluster import EmbeddedNatsCluster

from cli.stack.certificates import BROKER, Certificates
from cli.stack.programs import StackError


class Server(Protocol):
    """What every embedded server can."""

    @property
    def pid(self) -> int | None: ...

    def start(self) -> object: ...

    def stop(self) -> None: ...


class Servers:
    """The servers by name: `postgres`, and `nats` or, where there are several nodes, `nats-1`, `nats-2`, `nats-3`."""

    def __init__(
        self, folder: Path, nats_nodes: int, tell: Callable[[str], None], certificates: Certificates | None = None
    ) -> None:
        self._folder = folder
        self._nats_nodes = nats_nodes
        self._tell = tell
        self._tls_dir = None if certificates is None else certificates.of(BROKER)
        self._cluster: EmbeddedNatsCluster | None = None
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self.by_name: dict[str, Server] = {}
        self.owner_url = ""
        self.role_password = ""
        self.nats_url = ""

    def start(self) -> None:
        """Starts what the environment does not name, and waits until it answers."""
        self.owner_url = os.environ.get("RCM_POSTGRES_URL", "")
        self.role_password = os.environ.get("RCM_ROLE_PASSWORD", "")
        self.nats_url = os.environ.get("RCM_NATS_URL", "")
        if not self.owner_url:
            self._tell("starting PostgreSQL")
            postgres = EmbeddedPostgres(self._folder / "postgres")
            self.by_name["postgres"] = postgres
            self.owner_url = postgres.start().owner_url
        if not self.nats_url:
            self._tell("starting NATS JetStream")
            self._start_nats()

    def _start_nats(self) -> None:
        folder = self._folder / "nats"
        if self._nats_nodes == 1:
            nats = EmbeddedNats(folder, tls_dir=self._tls_dir)
            self.by_name["nats"] = nats
            self.nats_url = nats.start().url
            return
        self._cluster = EmbeddedNatsCluster(folder, self._nats_nodes, tls_dir=self._tls_dir)
        self.by_name |= self._cluster.nodes
        self.nats_url = self._cluster.start().url

    def stop(self) -> None:
        """Stops what was started, the broker first."""
        with self._lock:
            self._held |= self.by_name.keys()
        for server in reversed(self.by_name.values()):
            server.stop()

    def revive(self, count: Callable[[str], None]) -> None:
        """Starts again what has died, and counts it. What was taken down on purpose stays down."""
        for name, server in self.by_name.items():
            with self._lock:
                if name in self._held or server.pid is not None:
                    continue
                count(name)
                server.start()

    def restart(self, name: str) -> None:
        """Stops in good order, as for an upgrade or a switch to another node, and starts again."""
        self._hold(name)
        self.by_name[name].stop()
        self.bring_back(name)

    def kill(self, name: str) -> int:
        """SIGKILL; the pid that was hit. Whoever watches starts it again."""
        server = self.by_name.get(name)
        pid = server.pid if server is not None else None
        if pid is None:
            raise StackError(f"{name} does not run")
        os.kill(pid, signal.SIGKILL)
        return pid

    def lose(self, name: str) -> int:
        """SIGKILL to a server that does not come back by itself, as when its machine is gone."""
        self._hold(name)
        return self.kill(name)

    def bring_back(self, name: str) -> None:
        """Starts what was lost or stopped, with the data that it had, and waits until it answers and has caught up."""
        self.by_name[name].start()
        with self._lock:
            self._held.discard(name)
        if self._cluster is not None and name in self._cluster.nodes:
            self._cluster.wait_ready()

    def reload(self) -> None:
        """Lets the broker take its newest certificate."""
        for server in self.by_name.values():
            if isinstance(server, EmbeddedNats):
                server.reload()

    def _hold(self, name: str) -> None:
        if name not in self.by_name:
            raise StackError(f"{name} is no server of this stack: there are {', '.join(self.by_name) or 'none'}")
        with self._lock:
            self._held.add(name)
