"""What the door asks of the gate and of the audit."""

from __future__ import annotations

from typing import Protocol

from interface_engine.model_access import Access, Caller

__all__ = ["Access", "Audit", "Caller", "Gate", "NoAudit"]


class Gate(Protocol):
    """Gives the caller of a request by its Authorization header; Rejected 401 when it is nobody's."""

    async def caller(self, authorization: str) -> Caller: ...


class Audit(Protocol):
    """Keeps an access; the answer goes out after that."""

    async def record(self, access: Access) -> None: ...


class NoAudit:
    """Keeps no record: for doors that nobody but a test stands at."""

    async def record(self, access: Access) -> None:
        del access
