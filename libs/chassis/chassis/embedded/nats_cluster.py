"""Several NATS servers on 127.0.0.1 as one cluster: streams with replicas, and a node that may be lost."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from chassis.embedded.nats import EmbeddedNats
from chassis.embedded.process import wait_until

NAME = "throughline"
READY_WITHIN_S = 60.0
CONFIGURATION = """\
server_name: "{name}"
http: "127.0.0.1:{monitor}"
cluster {{
  name: "{cluster}"
  listen: "127.0.0.1:{route}"
  routes: [{routes}]
{tls}}}
"""
TLS = """\
  tls {{
    cert_file: "{tls_dir}/tls.crt"
    key_file: "{tls_dir}/tls.key"
    ca_file: "{tls_dir}/ca.crt"
    verify: true
  }}
"""


class EmbeddedNatsCluster:
    """`count` servers below `data_dir`, by their names `nats-1`, `nats-2` and so on. An odd count keeps a majority.

    What is acknowledged is on the disks of a majority (`sync_interval` is always). Ports stay the same over restarts.
    With `tls_dir` the nodes speak mutual TLS with each other, too: its certificate is for 127.0.0.1 as well.
    """

    def __init__(self, data_dir: Path | str, count: int = 3, *, tls_dir: Path | str | None = None) -> None:
        folder = Path(data_dir).absolute()
        self._tls = "" if tls_dir is None else TLS.format(tls_dir=Path(tls_dir).absolute())
        self._ports = _ports(folder / "ports.json", count)
        self.nodes = {
            name: EmbeddedNats(
                folder / name,
                port=ports["client"],
                sync_interval="always",
                tls_dir=tls_dir,
                more=self._configuration(name),
            )
            for name, ports in self._ports.items()
        }

    @property
    def url(self) -> str:
        """The nodes' URLs, separated by commas."""
        return ",".join(f"nats://127.0.0.1:{ports['client']}" for ports in self._ports.values())

    def start(self) -> EmbeddedNatsCluster:
        """Start all nodes and wait until they are one cluster."""
        for node in self.nodes.values():
            node.start()
        self.wait_ready()
        return self

    def stop(self) -> None:
        """Stop all nodes."""
        for node in self.nodes.values():
            node.stop()

    def reload(self) -> None:
        """Let every node take what is in `tls_dir` by now."""
        for node in self.nodes.values():
            node.reload()

    def wait_ready(self) -> None:
        """Wait until each node that runs has caught up with the others. Returns at once where there is no majority."""
        running = [name for name, node in self.nodes.items() if node.pid is not None]
        if 2 * len(running) <= len(self.nodes):
            return
        if not wait_until(lambda: all(self._is_current(name) for name in running), READY_WITHIN_S):
            raise RuntimeError(f"the nodes of NATS do not come together within {READY_WITHIN_S:.0f} s")

    def __enter__(self) -> EmbeddedNatsCluster:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_current(self, name: str) -> bool:
        """The server's own word: it has a leader, and all of its streams and consumers are in step."""
        url = f"http://127.0.0.1:{self._ports[name]['monitor']}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _configuration(self, name: str) -> str:
        own = self._ports[name]
        routes = ", ".join(f'"nats://127.0.0.1:{ports["route"]}"' for ports in self._ports.values())
        return CONFIGURATION.format(
            name=name, monitor=own["monitor"], cluster=NAME, route=own["route"], routes=routes, tls=self._tls
        )


def _ports(file: Path, count: int) -> dict[str, dict[str, int]]:
    """Three ports for each node, chosen the first time and kept in a file."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        free = iter(_free_ports(3 * count))
        doors = ("client", "route", "monitor")
        chosen = {f"nats-{number}": {door: next(free) for door in doors} for number in range(1, count + 1)}
        file.write_text(json.dumps(chosen))
    return {str(name): dict(ports) for name, ports in json.loads(file.read_text()).items()}


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, all different: held open together until all are chosen."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
