"""What travels beside a gRPC request: the metadata names, and how a servicer reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TENANT = "rcm-tenant"
IDEMPOTENCY_KEY = "idempotency-key"
TRACEPARENT = "traceparent"


@dataclass(frozen=True, slots=True)
class Call:
    """The caller's side of one gRPC call. `idempotency_key` is empty where the caller gave none."""

    tenant: str
    idempotency_key: str = ""
    traceparent: str = ""


def call_from(metadata: Sequence[tuple[str, Any]] | None) -> Call:
    """The call of a metadata sequence; an absent value is an empty text."""
    found: Mapping[str, Any] = dict(metadata or ())
    return Call(
        tenant=str(found.get(TENANT, "")),
        idempotency_key=str(found.get(IDEMPOTENCY_KEY, "")),
        traceparent=str(found.get(TRACEPARENT, "")),
    )


def call_of(context: Any) -> Call:
    """The Call of a servicer's context. The tenant is never empty: the server's interceptor has seen to that."""
    return call_from(context.invocation_metadata())
