"""The services that answer $submit and $inquire, asked over gRPC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from chassis import SettingsError
from chassis.grpc_client import ask
from kernel.errors import Refused
from rcm.claims.v1 import claims_pb2
from rcm.claims.v1.claims_pb2_grpc import ClaimsServiceStub
from rcm.eligibility.v1 import eligibility_pb2
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceStub
from rcm.priorauth.v1 import priorauth_pb2
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceStub

from interface_engine.handlers.submitting import Inquired, Owner, Submitted
from interface_engine.model import Client

# How long each may take: eligibility asks a payer meanwhile, prior-auth pends by itself before its time is over.
DEADLINES_S: Mapping[str, float] = {"eligibility": 25.0, "claims-gateway": 30.0, "prior-auth": 15.0}
_STUBS: Mapping[str, tuple[Any, Any]] = {
    "eligibility": (EligibilityServiceStub, eligibility_pb2),
    "claims-gateway": (ClaimsServiceStub, claims_pb2),
    "prior-auth": (PriorAuthServiceStub, priorauth_pb2),
}


class GrpcOwners:
    """Asks the owners. A channel is taken when it is first needed: an engine without $submit needs no addresses."""

    def __init__(self, channel: Callable[[str], grpc.aio.Channel]) -> None:
        self._channel = channel
        self._stubs: dict[str, Any] = {}

    async def submit(self, owner: Owner, client: Client, resource: bytes, context: bytes, key: str) -> Submitted:
        request = _STUBS[owner][1].SubmitFhirRequest(
            resource=resource, context=context, idempotency_key=key, client_id=client.id
        )
        answer = await ask(
            self._stub(owner).SubmitFhir,
            request,
            tenant=client.tenant,
            deadline_s=DEADLINES_S[owner],
            idempotency_key=key,
        )
        return Submitted(answer.resource, answer.status)

    async def inquire(self, client: Client, resource: bytes, context: bytes) -> Inquired:
        request = priorauth_pb2.InquireFhirRequest(resource=resource, context=context, client_id=client.id)
        method = self._stub("prior-auth").InquireFhir
        answer = await ask(method, request, tenant=client.tenant, deadline_s=DEADLINES_S["prior-auth"])
        return Inquired(answer.resource, answer.single, answer.status)

    def _stub(self, owner: Owner) -> Any:
        if owner not in self._stubs:
            try:
                self._stubs[owner] = _STUBS[owner][0](self._channel(owner))
            except SettingsError:
                raise Refused("submit-not-served", f"this engine has no address of {owner}", "not_found") from None
        return self._stubs[owner]
