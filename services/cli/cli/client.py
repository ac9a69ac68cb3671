"""A client of the services through their public doors: FHIR over HTTP, and gRPC."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import structlog
from chassis import ask, open_channel
from chassis.call import TENANT
from chassis.grpc_status import error_of
from chassis.tls import Certificates, Files
from kernel.clock import SystemClock
from rcm.engine.v1 import (
    access_pb2,
    access_pb2_grpc,
    channels_pb2_grpc,
    charges_pb2,
    charges_pb2_grpc,
    engine_pb2,
    engine_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    persons_pb2_grpc,
)
from rcm.journey.v1 import journey_pb2, journey_pb2_grpc, kpi_pb2_grpc
from rcm.remittance.v1 import remittance_pb2, remittance_pb2_grpc

from cli.access import Credentials, TokenSource

FHIR_JSON = "application/fhir+json"
RETRY_STATUS = frozenset({429, 502, 503, 504})
TLS_DIR = "RCM_TLS_DIR"
TRIES = 60
PAUSE_S = 0.5
REBUILD_S = 3600.0
KPI_CHECK_S = 900.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running Throughline is, as its stack.json says. With `tls_dir` its gRPC doors speak mutual TLS."""

    tenant: str
    fhir_url: str
    clients: dict[str, Credentials]
    grpc: dict[str, str]
    tls_dir: Path | None = None

    @classmethod
    def read(cls, file: Path) -> Place:
        """From the file that `up` writes; RCM_TLS_DIR goes before its tls_dir. FileNotFoundError when nothing runs."""
        state = json.loads(file.read_text())
        clients = {source: Credentials(**client) for source, client in state["clients"].items()}
        tls_dir = os.environ.get(TLS_DIR) or state.get("tls_dir")
        return cls(state["tenant"], state["fhir_url"], clients, state["grpc"], Path(tls_dir) if tls_dir else None)

    def certificates(self) -> Certificates | None:
        """Those of the command, None without TLS. SettingsError when they cannot be used."""
        if self.tls_dir is None:
            return None
        return Certificates(Files.of(self.tls_dir), SystemClock(), structlog.get_logger())

    def fhir(self, http: httpx.AsyncClient, source: str = "default") -> FhirClient:
        """A client of the FHIR endpoint that speaks as this feed does."""
        return FhirClient(self.fhir_url, TokenSource(self.clients[source], http), http)


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to one FHIR request: HTTP status and the resource that came back."""

    status: int
    body: dict[str, Any]

    def problem(self) -> str:
        """One line on what was wrong, empty when it was taken in."""
        if self.status < 400:
            return ""
        issues = self.body.get("issue") or [{}]
        first = issues[0]
        where = (first.get("expression") or [""])[0]
        text = (first.get("details") or {}).get("text") or first.get("diagnostics") or first.get("code", "")
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        return f"{self.status} {where} {text}{more}".strip()


class FhirClient:
    """Posts Bundles and reads resources. What is not answered is sent again: the server answers the same bytes once."""

    def __init__(self, base_url: str, tokens: TokenSource, http: httpx.AsyncClient) -> None:
        self._base_url = base_url
        self._headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON}
        self._tokens = tokens
        self._http = http

    async def post_bundle(self, bundle: bytes) -> Sent:
        """Sends a transaction or batch Bundle; waits out a server that is away for up to half a minute."""
        return await self._send("POST", self._base_url, bundle)

    async def create(self, type_: str, resource: bytes) -> Sent:
        """Creates one resource."""
        return await self._send("POST", f"{self._base_url}/{type_}", resource)

    async def read(self, reference: str) -> Sent:
        """Reads `Type/id`."""
        return await self._send("GET", f"{self._base_url}/{reference}", b"")

    async def _send(self, method: str, url: str, content: bytes) -> Sent:
        for attempt in range(TRIES):
            headers = self._headers | {"Authorization": f"Bearer {await self._tokens.token()}"}
            try:
                answer = await self._http.request(method, url, content=content or None, headers=headers)
            except httpx.TransportError:
                if attempt == TRIES - 1:
                    raise
            else:
                if answer.status_code == 401 and attempt == 0:
                    self._tokens.forget()
                elif answer.status_code not in RETRY_STATUS or attempt == TRIES - 1:
                    return Sent(answer.status_code, answer.json() if answer.content else {})
            await asyncio.sleep(PAUSE_S)
        raise AssertionError("the last attempt returns or raises")


class Line:
    """The gRPC doors that the command asks."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._certificates = place.certificates()
        self._channels: dict[str, grpc.aio.Channel] = {}

    def _channel(self, service: str) -> grpc.aio.Channel:
        if self._certificates is not None:
            self._certificates.look()
        if service not in self._channels:
            address = self._place.grpc[service]
            self._channels[service] = open_channel(address, certificates=self._certificates, service=service)
        return self._channels[service]

    async def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels.values():
            await channel.close()

    async def journey(self, journey_or_encounter: str) -> journey_pb2.Journey:
        """One journey by its id or by an encounter reference. Refused when there is none."""
        by_encounter = "/" in journey_or_encounter
        request = journey_pb2.GetJourneyRequest(
            journey_id="" if by_encounter else journey_or_encounter,
            encounter=journey_or_encounter if by_encounter else "",
        )
        stub = journey_pb2_grpc.JourneyServiceStub(self._channel("journey"))  # type: ignore[no-untyped-call]
        answer = await ask(stub.GetJourney, request, tenant=self._place.tenant)
        return answer.journey  # type: ignore[no-any-return]

    async def journeys(self, state: str = "", outcome: str = "") -> Sequence[journey_pb2.Journey]:
        """All journeys, page by page."""
        stub = journey_pb2_grpc.JourneyServiceStub(self._channel("journey"))  # type: ignore[no-untyped-call]
        found: list[journey_pb2.Journey] = []
        after = ""
        while True:
            request = journey_pb2.FindJourneysRequest(state=state, outcome=outcome, limit=500, after=after)
            page = await ask(stub.FindJourneys, request, tenant=self._place.tenant, deadline_s=15)
            found.extend(page.journeys)
            if len(page.journeys) < 500:
                return found
            after = page.next

    async def kpis(self) -> journey_pb2.GetKpisResponse:
        """Counts, cents and stage percentiles."""
        stub = journey_pb2_grpc.JourneyServiceStub(self._channel("journey"))  # type: ignore[no-untyped-call]
        request = journey_pb2.GetKpisRequest()
        return await ask(stub.GetKpis, request, tenant=self._place.tenant, deadline_s=15)  # type: ignore[no-any-return]

    async def journey_service(self, call: str, request: Any) -> Any:
        """One call of the journey service by its name."""
        stub = journey_pb2_grpc.JourneyServiceStub(self._channel("journey"))  # type: ignore[no-untyped-call]
        return await ask(getattr(stub, call), request, tenant=self._place.tenant, deadline_s=30)

    async def rebuild(self, *, check: bool) -> AsyncIterator[journey_pb2.RebuildProgress]:
        """The ledger added up again, and how far that is. Refused or Unavailable as the service says."""
        stub = journey_pb2_grpc.JourneyServiceStub(self._channel("journey"))  # type: ignore[no-untyped-call]
        request = journey_pb2.RebuildLedgerRequest(check=check)
        try:
            async for progress in stub.RebuildLedger(
                request, timeout=REBUILD_S, metadata=[(TENANT, self._place.tenant)]
            ):
                yield progress
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from None

    async def kpi_service(self, call: str, request: Any) -> Any:
        """One call of the KPI service by its name; a check computes everything twice and takes its time."""
        stub = kpi_pb2_grpc.KpiServiceStub(self._channel("journey"))  # type: ignore[no-untyped-call]
        return await ask(getattr(stub, call), request, tenant=self._place.tenant, deadline_s=KPI_CHECK_S)

    async def ledger(self, claim_id: str = "", *, totals_only: bool = True) -> remittance_pb2.GetLedgerResponse:
        """The ledger of a claim or, without one, of the tenant: totals by payer, and every entry unless told not to."""
        stub = remittance_pb2_grpc.RemittanceServiceStub(self._channel("remittance"))  # type: ignore[no-untyped-call]
        request = remittance_pb2.GetLedgerRequest(claim_id=claim_id, totals_only=totals_only)
        return await ask(stub.GetLedger, request, tenant=self._place.tenant, deadline_s=15)  # type: ignore[no-any-return]

    async def resource_counts(self) -> dict[str, int]:
        """How many resources of each type the engine holds."""
        channel = self._channel("interface-engine")
        stub = engine_pb2_grpc.InterfaceEngineServiceStub(channel)  # type: ignore[no-untyped-call]
        request = engine_pb2.CountResourcesRequest()
        answer = await ask(stub.CountResources, request, tenant=self._place.tenant, deadline_s=15)
        return dict(answer.by_type)

    async def add_client(self, client: access_pb2.RegisteredClient) -> access_pb2.AddClientResponse:
        """Registers a client of the FHIR endpoint, or again the same. Refused when another has its name."""
        request = access_pb2.AddClientRequest(client=client)
        return await ask(self._clients().AddClient, request, tenant=self._place.tenant)  # type: ignore[no-any-return]

    async def registered_clients(self) -> Sequence[access_pb2.RegisteredClient]:
        """Those that were registered, the revoked ones too."""
        request = access_pb2.ListClientsRequest()
        answer = await ask(self._clients().ListClients, request, tenant=self._place.tenant)
        return answer.clients  # type: ignore[no-any-return]

    async def revoke_client(self, name: str) -> None:
        """Takes away a client's access. Refused when there is none of that name."""
        request = access_pb2.RevokeClientRequest(name=name)
        await ask(self._clients().RevokeClient, request, tenant=self._place.tenant)

    def _clients(self) -> access_pb2_grpc.ClientServiceStub:
        return access_pb2_grpc.ClientServiceStub(self._channel("interface-engine"))  # type: ignore[no-untyped-call]

    async def search_messages(self, request: messages_pb2.SearchMessagesRequest) -> messages_pb2.SearchMessagesResponse:
        """Messages of the feeds, the newest first."""
        return await ask(self._messages().SearchMessages, request, tenant=self._place.tenant)  # type: ignore[no-any-return]

    async def message(self, message_id: str) -> messages_pb2.GetMessageResponse:
        """One message with its text. Refused when there is none."""
        request = messages_pb2.GetMessageRequest(id=message_id)
        return await ask(self._messages().GetMessage, request, tenant=self._place.tenant)  # type: ignore[no-any-return]

    async def replay_messages(
        self, ids: Sequence[str], matching: messages_pb2.SearchMessagesRequest
    ) -> messages_pb2.ReplayMessagesResponse:
        """Works on messages again: those of the ids, or without ids those that match."""
        request = messages_pb2.ReplayMessagesRequest(ids=ids, matching=matching)
        return await ask(self._messages().ReplayMessages, request, tenant=self._place.tenant, deadline_s=120)  # type: ignore[no-any-return]

    async def dismiss_message(self, message_id: str, reason: str) -> messages_pb2.FeedMessage:
        """Decides that a message shall not be worked on."""
        request = messages_pb2.DismissMessageRequest(id=message_id, reason=reason)
        answer = await ask(self._messages().DismissMessage, request, tenant=self._place.tenant)
        return answer.message  # type: ignore[no-any-return]

    def _messages(self) -> messages_pb2_grpc.MessageServiceStub:
        return messages_pb2_grpc.MessageServiceStub(self._channel("interface-engine"))  # type: ignore[no-untyped-call]

    async def reconcile(self, request: charges_pb2.ReconcileRequest) -> charges_pb2.ReconcileResponse:
        """The accounts of feeds and days."""
        stub = charges_pb2_grpc.ReconciliationServiceStub(self._channel("interface-engine"))  # type: ignore[no-untyped-call]
        return await ask(stub.Reconcile, request, tenant=self._place.tenant, deadline_s=30)  # type: ignore[no-any-return]

    async def persons(self, call: str, request: Any) -> Any:
        """One call of the engine's PersonService by its name."""
        stub = persons_pb2_grpc.PersonServiceStub(self._channel("interface-engine"))  # type: ignore[no-untyped-call]
        return await ask(getattr(stub, call), request, tenant=self._place.tenant, deadline_s=60)

    async def channels(self, call: str, request: Any) -> Any:
        """Asks the channel service: `call` is the name of the procedure."""
        stub = channels_pb2_grpc.ChannelServiceStub(self._channel("interface-engine"))  # type: ignore[no-untyped-call]
        return await ask(getattr(stub, call), request, tenant=self._place.tenant, deadline_s=300)
