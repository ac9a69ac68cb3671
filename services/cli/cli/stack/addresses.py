"""Which port each door of each replica has, from the start to the end of the stack."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from cli.stack.programs import PROGRAMS, Program, Replica, StackError

HOST = "127.0.0.1"


class Addresses:
    """Ports for up to `most` replicas of every service.

    Each stays reserved by a socket that is bound and does not listen: whoever starts again or later finds its port
    free, because the system gives it to nobody else, neither as a free port nor as the near end of a connection.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.ports: dict[str, int] = {}
        self._held = ExitStack()

    def take(self) -> None:
        """Chooses the ports, which stay the same from now on."""
        for program in PROGRAMS:
            for replica in self.replicas(program):
                for door in program.doors:
                    self.ports[f"{replica.name}/{door}"] = self._reserve()

    def replicas(self, program: Program) -> list[Replica]:
        """All that there may be."""
        return [Replica(program, number) for number in range(1, (1 if program.alone else self.most) + 1)]

    def release(self) -> None:
        """Gives all of them back."""
        self._held.close()

    def _reserve(self) -> int:
        held = self._held.enter_context(socket.socket())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the service may bind it, too, and listen
        held.bind((HOST, 0))
        return int(held.getsockname()[1])

    def of(self, name: str, door: str) -> str:
        """host:port of a replica's door. StackError for what has no such door."""
        port = self.ports.get(f"{name}/{door}")
        if port is None:
            raise StackError(f"{name} has no {door} door here")
        return f"{HOST}:{port}"

    def grpc_target(self, program: Program) -> str:
        """What a gRPC client is given: one address, or all that replicas may have; it takes those that answer."""
        addresses = [self.of(replica.name, "grpc") for replica in self.replicas(program)]
        return addresses[0] if len(addresses) == 1 else f"ipv4:{','.join(addresses)}"
