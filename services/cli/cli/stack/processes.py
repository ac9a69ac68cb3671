"""The services' processes: launched, waited for, watched, and stopped in good order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cli.stack.programs import Replica, StackError

READY_WITHIN_S = 90.0
STOP_WITHIN_S = 20.0
GOODBYE_WITHIN_S = 60.0  # a service that is asked to go while others need the processor, too


class Processes:
    """All processes by their replicas' names. One that dies is launched again by `revive`, one that was stopped is not.

    `environment` gives a replica's settings; `run_dir_of` is where it says that it is ready.
    """

    def __init__(
        self,
        logs_dir: Path,
        environment: Callable[[Replica], Mapping[str, str]],
        run_dir_of: Callable[[Replica], Path],
    ) -> None:
        self._logs_dir = logs_dir
        self._environment = environment
        self._run_dir_of = run_dir_of
        self._lock = threading.Lock()
        self._kept: dict[str, Replica] = {}
        self.by_name: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, replicas: Iterable[Replica]) -> None:
        """Launches them all at once, and waits until each is ready. StackError when one is not."""
        wanted = list(replicas)
        with self._lock:
            for replica in wanted:
                self._launch(replica)
                self._kept[replica.name] = replica
        deadline = time.monotonic() + READY_WITHIN_S
        for replica in wanted:
            self._wait_ready(replica, deadline)

    def stop(self, replica: Replica) -> None:
        """SIGTERM, and waits for the end. StackError when it does not end, or not as one does that was asked to."""
        with self._lock:
            self._kept.pop(replica.name, None)
            process = self.by_name[replica.name]
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(GOODBYE_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise StackError(f"{replica.name} did not end {GOODBYE_WITHIN_S:.0f} s after it was asked to") from None
        if status != 0:
            raise StackError(f"{replica.name} ended with {status} when it was stopped: {self._last_words(replica)}")

    def stop_all(self) -> None:
        """SIGTERM to all at once; what does not end is killed."""
        with self._lock:
            self._kept.clear()
        running = [process for process in self.by_name.values() if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def revive(self, count: Callable[[str], None]) -> None:
        """Launches again what has died, and counts it."""
        with self._lock:
            for name, replica in self._kept.items():
                if self.by_name[name].poll() is not None:
                    count(name)
                    self._launch(replica)

    def replicas_of(self, service: str) -> list[Replica]:
        """Those that run, or will again, in the order of their numbers."""
        with self._lock:
            found = [one for one in self._kept.values() if one.program.name == service]
        return sorted(found, key=lambda one: one.number)

    def kill(self, name: str) -> int:
        """SIGKILL; the pid that was hit. Whoever watches starts it again."""
        pid = self.by_name[name].pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def _launch(self, replica: Replica) -> None:
        with (self._logs_dir / f"{replica.name}.log").open("ab") as log:
            self.by_name[replica.name] = subprocess.Popen(
                [sys.executable, "-m", replica.program.module],
                env=dict(self._environment(replica)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_ready(self, replica: Replica, deadline: float) -> None:
        while not self.is_ready(replica):
            status = self.by_name[replica.name].poll()
            if status is not None:
                raise StackError(f"{replica.name} ended with {status} while starting: {self._last_words(replica)}")
            if time.monotonic() > deadline:
                raise StackError(f"{replica.name} is not ready after {READY_WITHIN_S:.0f} s; see {self._logs_dir}")
            time.sleep(0.05)

    def is_ready(self, replica: Replica) -> bool:
        """Its file is there and names this process: one that was killed leaves its own behind."""
        try:
            ready = json.loads((self._run_dir_of(replica) / f"{replica.program.name}.json").read_text())
        except FileNotFoundError:
            return False
        return bool(ready["pid"] == self.by_name[replica.name].pid)

    def _last_words(self, replica: Replica) -> str:
        lines = (self._logs_dir / f"{replica.name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
