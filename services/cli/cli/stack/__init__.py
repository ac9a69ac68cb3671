"""All of Throughline on one machine: Postgres, NATS, every service its own process, started, watched and stopped."""

from cli.stack.programs import PROGRAMS, Program, Replica, StackError, program_of
from cli.stack.whole import TENANT, Stack

__all__ = ["PROGRAMS", "TENANT", "Program", "Replica", "Stack", "StackError", "program_of"]
