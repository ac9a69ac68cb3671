"""The parts of the stack by themselves: ports that stay ours, and processes that are started, kept and let go."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.stack import PROGRAMS, Program, Replica, StackError, program_of
from cli.stack.addresses import Addresses
from cli.stack.processes import Processes

SLEEPER = """
import json, os, pathlib, signal, sys, time
if os.environ["HOW"] == "never":
    sys.exit("cannot start: it was told not to")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(os.environ["HOW"])))
ready = pathlib.Path(os.environ["RUN"], "sleeper.json")
ready.with_suffix(".new").write_text(json.dumps({"pid": os.getpid()}))
ready.with_suffix(".new").replace(ready)
while True:
    time.sleep(0.05)
"""
SLEEP = Program("sleeper")


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    taken = Addresses(3)
    taken.take()
    yield taken
    taken.release()


def test_every_door_of_every_replica_has_a_port_of_its_own(addresses: Addresses) -> None:
    doors = sum(len(program.doors) * (1 if program.alone else 3) for program in PROGRAMS)
    assert len(addresses.ports) == len(set(addresses.ports.values())) == doors
    assert addresses.of("coding-3", "grpc") != addresses.of("coding", "grpc")
    for name, door in (("coding-4", "grpc"), ("coding", "http"), ("simulator-2", "grpc")):
        with pytest.raises(StackError):
            addresses.of(name, door)


def test_a_port_is_given_to_nobody_else_but_its_service_can_listen(addresses: Addresses) -> None:
    ours = set(addresses.ports.values())
    port = addresses.ports["coding/grpc"]
    sockets = [socket.socket() for _ in range(400)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        assert not ours & {one.getsockname()[1] for one in sockets}
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=2)
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
    finally:
        for one in sockets:
            one.close()


def test_a_grpc_client_is_given_all_replicas(addresses: Addresses) -> None:
    target = addresses.grpc_target(program_of("coding"))
    assert target == "ipv4:" + ",".join(addresses.of(name, "grpc") for name in ("coding", "coding-2", "coding-3"))
    assert addresses.grpc_target(program_of("simulator")) == addresses.of("simulator", "grpc")


class Sleepers:
    """Processes of a service that only waits; `how` it ends when asked to."""

    def __init__(self, folder: Path) -> None:
        (folder / "sleeper.py").write_text(SLEEPER)
        self.how = "0"
        self._folder = folder
        self.processes = Processes(folder, self._environment, self._run_dir)

    def _environment(self, replica: Replica) -> dict[str, str]:
        own = {"PYTHONPATH": str(self._folder), "RUN": str(self._run_dir(replica)), "HOW": self.how}
        return {**os.environ, **own}

    def _run_dir(self, replica: Replica) -> Path:
        folder = self._folder / replica.name
        folder.mkdir(exist_ok=True)
        return folder


@pytest.fixture
def sleepers(tmp_path: Path) -> Iterator[Sleepers]:
    made = Sleepers(tmp_path)
    yield made
    made.processes.stop_all()


def test_what_dies_comes_back_and_what_was_stopped_does_not(sleepers: Sleepers) -> None:
    first, second = Replica(SLEEP), Replica(SLEEP, 2)
    processes, counted = sleepers.processes, []
    processes.start([first, second])
    assert processes.replicas_of("sleeper") == [first, second]
    hit = processes.kill("sleeper")
    processes.by_name["sleeper"].wait(10)
    processes.stop(second)
    processes.revive(counted.append)
    assert counted == ["sleeper"]
    assert processes.by_name["sleeper"].pid != hit
    assert processes.by_name["sleeper-2"].poll() == 0
    assert processes.replicas_of("sleeper") == [first]


def test_the_ready_file_of_one_that_was_killed_counts_for_nothing(sleepers: Sleepers) -> None:
    replica, processes = Replica(SLEEP), sleepers.processes
    processes.start([replica])
    processes.kill("sleeper")
    processes.by_name["sleeper"].wait(10)
    sleepers.how = "never"
    with pytest.raises(StackError, match="sleeper ended with 1 while starting: cannot start: it was told not to"):
        processes.start([replica])


def test_one_that_does_not_end_as_it_was_asked_to_is_named(sleepers: Sleepers) -> None:
    sleepers.how = "3"
    sleepers.processes.start([Replica(SLEEP)])
    with pytest.raises(StackError, match="sleeper ended with 3 when it was stopped"):
        sleepers.processes.stop(Replica(SLEEP))


def test_nobody_is_left_at_the_end(sleepers: Sleepers) -> None:
    sleepers.processes.start([Replica(SLEEP), Replica(SLEEP, 2)])
    sleepers.processes.stop_all()
    assert [one.returncode for one in sleepers.processes.by_name.values()] == [0, 0]
    sleepers.processes.revive(lambda name: pytest.fail(f"{name} was started again"))
    for process in sleepers.processes.by_name.values():
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, signal.SIG_DFL)
