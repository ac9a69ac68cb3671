"""The gRPC door: single resources and counts of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bus import Database
from chassis import call_of
from kernel.errors import Refused, Unreadable
from rcm.engine.v1 import engine_pb2 as pb
from rcm.engine.v1.engine_pb2_grpc import InterfaceEngineServiceServicer

from interface_engine.store import Repository
from interface_engine.wire.text import with_meta


@dataclass(frozen=True)
class EngineServicer(InterfaceEngineServiceServicer):
    """Answers from the repository of the caller's tenant."""

    database: Database

    async def GetResource(self, request: pb.GetResourceRequest, context: Any) -> pb.GetResourceResponse:
        type_name, slash, identity = request.reference.partition("/")
        if not (type_name and slash and identity):
            raise Unreadable("reference-shape", "reference", "Type/id is needed")
        async with self.database.unit(call_of(context).tenant) as unit:
            stored = await Repository(unit).read(type_name, identity)
        if stored is None or stored.deleted:
            raise Refused("resource-not-found", "there is no such resource", "not_found")
        text = with_meta(stored.content, stored.version, stored.updated_at)
        return pb.GetResourceResponse(resource=text, version=stored.version)

    async def CountResources(self, request: pb.CountResourcesRequest, context: Any) -> pb.CountResourcesResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            return pb.CountResourcesResponse(by_type=await Repository(unit).count_by_type())
