"""Fake owners over real gRPC, and a browser's eye for the forms of a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import grpc
from chassis import call_of, open_channel
from chassis.grpc_server import GrpcServer
from google.protobuf.message import Message
from journey.model import Fact
from kernel.errors import Refused
from rcm.charge.v1 import charge_pb2_grpc
from rcm.claims.v1 import claims_pb2_grpc
from rcm.coding.v1 import coding_pb2_grpc
from rcm.engine.v1 import (
    channels_pb2_grpc,
    engine_pb2,
    engine_pb2_grpc,
    messages_pb2_grpc,
    persons_pb2_grpc,
)
from rcm.remittance.v1 import remittance_pb2_grpc

JOURNEY = "ab" * 16
NOWHERE = "127.0.0.1:9"  # discard: nothing listens there

Answer = Message | Exception | Callable[[Any], Message]

# Service, the function that adds its servicer, and the prefix of its methods in `calls`.
SERVICES: tuple[tuple[str, Callable[[Any, Any], None]], ...] = (
    ("coding", coding_pb2_grpc.add_CodingServiceServicer_to_server),
    ("charge-capture", charge_pb2_grpc.add_ChargeCaptureServiceServicer_to_server),
    ("claims-gateway", claims_pb2_grpc.add_ClaimsServiceServicer_to_server),
    ("remittance", remittance_pb2_grpc.add_RemittanceServiceServicer_to_server),
    ("interface-engine", engine_pb2_grpc.add_InterfaceEngineServiceServicer_to_server),
    ("interface-engine", messages_pb2_grpc.add_MessageServiceServicer_to_server),
    ("interface-engine", channels_pb2_grpc.add_ChannelServiceServicer_to_server),
    ("interface-engine", persons_pb2_grpc.add_PersonServiceServicer_to_server),
)


@dataclass(frozen=True)
class Called:
    """One call as the owner saw it."""

    method: str
    request: Any
    tenant: str
    key: str


@dataclass
class FakeOwners:
    """`answers` by method; `calls` is what was asked; what changes something has its effect once for each key."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)
    effects: list[Called] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    _servers: list[GrpcServer] = field(default_factory=list)
    _addresses: dict[str, str] = field(default_factory=dict)
    _channels: list[grpc.aio.Channel] = field(default_factory=list)

    async def start(self) -> None:
        for name in dict.fromkeys(service for service, _ in SERVICES):
            adders = tuple((add, _Servicer(self)) for service, add in SERVICES if service == name)
            server = GrpcServer(adders, ())
            self._addresses[name] = f"127.0.0.1:{await server.start('127.0.0.1', 0)}"
            await server.serve()
            self._servers.append(server)

    async def stop(self) -> None:
        for channel in self._channels:
            await channel.close()
        for server in self._servers:
            await server.stop(0)

    def channel(self, service: str) -> grpc.aio.Channel:
        """What the runtime gives: the way to a service; to one that is away it leads nowhere."""
        address = NOWHERE if service in self.away else self._addresses.get(service, NOWHERE)
        channel = open_channel(address)
        self._channels.append(channel)
        return channel

    def asked(self, method: str) -> list[Called]:
        """The calls of a method."""
        return [one for one in self.calls if one.method == method]

    def task(self, work_id: str, focus: str = "", **identifiers: str) -> None:
        """The engine has this Task."""
        listed = [{"system": system, "value": value} for system, value in identifiers.items()]
        resource = {"resourceType": "Task", "id": work_id, "identifier": listed}
        if focus:
            resource["focus"] = {"reference": focus}
        self.answers["GetResource"] = engine_pb2.GetResourceResponse(resource=json.dumps(resource).encode())


class _Servicer:
    """Answers every method that its owner has an answer for."""

    def __init__(self, owner: FakeOwners) -> None:
        self._owner = owner

    def __getattr__(self, method: str) -> Callable[[Any, Any], Any]:
        async def answer(request: Any, context: Any) -> Any:
            owner, call = self._owner, call_of(context)
            called = Called(method, request, call.tenant, call.idempotency_key)
            owner.calls.append(called)
            given = owner.answers.get(method, Refused(f"{method}-unknown", "nothing is known of it", "not_found"))
            if isinstance(given, Exception):
                raise given
            if call.idempotency_key and call.idempotency_key not in {one.key for one in owner.effects}:
                owner.effects.append(called)
            return given(request) if callable(given) else given

        return answer


def work_opened(work_id: str, kind: str, at: datetime, reason: str = "because", **detail: Any) -> Fact:
    """A fact that opens a work item."""
    told = {"work_id": work_id, "kind": kind, "owner": "biller", "dollars_cents": 12_500, **detail}
    return Fact(f"opened-{work_id}", JOURNEY, "work.opened", "", at, kind, reason, told, "", "", at)


class _Forms(HTMLParser):
    """The forms of a page with what their fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and name and self.forms:
            unchecked = given.get("type") in ("checkbox", "radio") and "checked" not in given
            if not unchecked:
                self.forms[-1].setdefault(name, []).append(given.get("value", ""))
        elif tag == "select" and self.forms:
            self._select = name
            self.forms[-1].setdefault(name, [])
        elif tag == "option" and self._select and ("selected" in given or not self.forms[-1][self._select]):
            self.forms[-1][self._select] = [given.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


def form_of(page: str, action: str) -> dict[str, list[str]]:
    """What a browser would send of the form for an action, before anybody types."""
    parser = _Forms()
    parser.feed(page)
    found = [form for form in parser.forms if form.get("action") == [action]]
    assert len(found) == 1, f"{len(found)} forms for {action}"
    return found[0]
