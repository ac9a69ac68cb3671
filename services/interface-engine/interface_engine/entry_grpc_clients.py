"""The gRPC door for whoever administers the FHIR door: which clients may come in."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bus import Database
from chassis import call_of
from kernel.errors import Refused, Unreadable
from rcm.engine.v1 import access_pb2 as pb
from rcm.engine.v1.access_pb2_grpc import ClientServiceServicer

from interface_engine.handlers.access import register_client
from interface_engine.model_access import Registration, Scopes, split_id
from interface_engine.store.access import AccessStore


@dataclass(frozen=True)
class ClientServicer(ClientServiceServicer):
    """Clients of the caller's tenant. `sources` are the feeds that are configured."""

    database: Database
    sources: Collection[str]
    token_url: str
    base_url: str

    async def AddClient(self, request: pb.AddClientRequest, context: Any) -> pb.AddClientResponse:
        tenant = call_of(context).tenant
        client = _read(request.client, tenant)
        async with self.database.unit(tenant) as unit:
            await register_client(AccessStore(unit), client, self.sources)
        return pb.AddClientResponse(client=_write(client, tenant), token_url=self.token_url, fhir_url=self.base_url)

    async def ListClients(self, request: pb.ListClientsRequest, context: Any) -> pb.ListClientsResponse:
        tenant = call_of(context).tenant
        async with self.database.unit(tenant) as unit:
            found = await AccessStore(unit).clients()
        return pb.ListClientsResponse(clients=[_write(one, tenant) for one in found])

    async def RevokeClient(self, request: pb.RevokeClientRequest, context: Any) -> pb.RevokeClientResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            if not await AccessStore(unit).revoke_client(request.name):
                raise Refused("client-not-found", "there is no such client", "not_found")
        return pb.RevokeClientResponse()


def _read(sent: pb.RegisteredClient, tenant: str) -> Registration:
    try:
        split_id(f"{tenant}.{sent.name}")
    except ValueError:
        raise Unreadable("client-name", "name", "lower-case letters, digits and hyphens, up to 63") from None
    try:
        scopes = Scopes.read(sent.scopes)
    except ValueError as error:
        raise Unreadable("client-scopes", "scopes", str(error)) from None
    if sent.rate < 0:
        raise Unreadable("client-rate", "rate", "requests a second, 0 for no limit")
    return Registration(sent.name, sent.source, scopes, _keys(sent.jwks), sent.jwks_url, sent.rate)


def _keys(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreadable("client-keys", "jwks", "a JSON Web Key Set is needed")
    return found


def _write(client: Registration, tenant: str) -> pb.RegisteredClient:
    return pb.RegisteredClient(
        name=client.name,
        source=client.source,
        scopes=client.scopes.text(),
        jwks=json.dumps(client.jwks) if client.jwks else "",
        jwks_url=client.jwks_url,
        rate=client.rate,
        revoked=client.revoked,
        client_id=client.client_id(tenant),
    )
