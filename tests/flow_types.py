"""What the tests of the whole line are given."""

from __future__ import annotations

from dataclasses import dataclass

from cli.client import Place
from cli.stack import Stack
from rcm.remittance.v1 import remittance_pb2
from stack import Run


@dataclass
class Line200:
    """The running stack, what was sent, what came of it, and the ledger at the end."""

    stack: Stack
    run: Run
    ledger: remittance_pb2.GetLedgerResponse

    @property
    def place(self) -> Place:
        """Addresses and clients."""
        return Place.read(self.stack.folder / "stack.json")
