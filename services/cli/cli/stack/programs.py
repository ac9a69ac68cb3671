"""What the line is made of on one machine: every service as a program, and the replicas of it that run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """One service. `http` says whether it has an HTTP door; `calls` are the services that it asks by gRPC.

    `alone` is what can run once only: the outside world keeps its memory in files of its own.
    """

    name: str
    http: bool = False
    calls: tuple[str, ...] = ()
    alone: bool = False

    @property
    def module(self) -> str:
        """The import package, which runs with `python -m`."""
        return self.name.replace("-", "_")

    @property
    def doors(self) -> tuple[str, ...]:
        """What it listens with, each on a port of its own."""
        return ("grpc", "http", "metrics") if self.http else ("grpc", "metrics")


@dataclass(frozen=True, slots=True)
class Replica:
    """One of a service's processes. The first goes by the service's name, the others are numbered from 2."""

    program: Program
    number: int = 1

    @property
    def name(self) -> str:
        """coding, coding-2, coding-3: its key among the processes, its log, its run folder."""
        return self.program.name if self.number == 1 else f"{self.program.name}-{self.number}"


PROGRAMS: tuple[Program, ...] = (
    Program("simulator", http=True, alone=True),
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


class StackError(Exception):
    """Something did not start or stop; the text names it and the next step."""


def program_of(name: str) -> Program:
    """The service of that name. StackError when there is none."""
    found = next((program for program in PROGRAMS if program.name == name), None)
    if found is None:
        raise StackError(f"there is no service {name}: there are {', '.join(one.name for one in PROGRAMS)}")
    return found
