"""The other services as the desks ask them: one method per question, each with a deadline, the tenant and, where it
changes something, the form's idempotency key.

Everything here raises the kernel's errors: Refused and Unreadable as the owner said them, Away when it did not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from chassis import ask
from chassis.settings import SettingsError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kernel.errors import Unavailable
from rcm.charge.v1 import charge_pb2, charge_pb2_grpc
from rcm.claims.v1 import claims_pb2, claims_pb2_grpc
from rcm.coding.v1 import coding_pb2, coding_pb2_grpc
from rcm.engine.v1 import (
    channels_pb2,
    channels_pb2_grpc,
    engine_pb2,
    engine_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    persons_pb2,
    persons_pb2_grpc,
)
from rcm.remittance.v1 import remittance_pb2, remittance_pb2_grpc

# A page is worth waiting for only so long; an action may have to ask payers and other services first.
READ_S = 3.0
CHANGE_S = 20.0
HEALTH_S = 1.5

CODING, CHARGES, CLAIMS = "coding", "charge-capture", "claims-gateway"
REMITTANCE, ENGINE = "remittance", "interface-engine"

Stub = Callable[[grpc.aio.Channel], Any]


class Away(Unavailable):
    """A service did not answer, or nobody has said where it is. `service` is the name of its folder."""

    def __init__(self, service: str, cause: str, retry_after_s: float | None = None) -> None:
        super().__init__("service-away", cause, retry_after_s)
        self.service = service


@dataclass(frozen=True, slots=True)
class Owners:
    """The services that own what the desks show, for one tenant. `channel` opens the way to one by its name."""

    channel: Callable[[str], grpc.aio.Channel]
    tenant: str

    # Coding and charges

    async def review(self, work_id: str) -> coding_pb2.Review | None:
        """The open coder review of this work item; None when coding has none (any more)."""
        request = coding_pb2.ListReviewsRequest(work_id=work_id, limit=1)
        answer = await self._read(CODING, coding_pb2_grpc.CodingServiceStub, "ListReviews", request)
        return next(iter(answer.reviews), None)

    async def resolve_review(self, request: coding_pb2.ResolveReviewRequest, key: str) -> str:
        """A coder's word; the state of the item."""
        answer = await self._change(CODING, coding_pb2_grpc.CodingServiceStub, "ResolveReview", request, key)
        return str(answer.state)

    async def missing_charge(self, work_id: str) -> charge_pb2.MissingCharge | None:
        """The open missing or late charge of this work item; None when there is none (any more)."""
        request = charge_pb2.ListMissingChargesRequest(work_id=work_id, limit=1)
        stub = charge_pb2_grpc.ChargeCaptureServiceStub
        answer = await self._read(CHARGES, stub, "ListMissingCharges", request)
        return next(iter(answer.missing), None)

    async def add_charge(self, request: charge_pb2.AddChargeRequest, key: str) -> str:
        """A charge that was missing, or the word that there is none; the state of the item."""
        stub = charge_pb2_grpc.ChargeCaptureServiceStub
        return str((await self._change(CHARGES, stub, "AddCharge", request, key)).state)

    # Claims

    async def claims(self, request: claims_pb2.ListClaimsRequest) -> claims_pb2.ListClaimsResponse:
        """A page of claims, the newest first."""
        return await self._read(CLAIMS, claims_pb2_grpc.ClaimsServiceStub, "ListClaims", request)  # type: ignore[no-any-return]

    async def claim(self, claim_id: str, *, masked: bool) -> claims_pb2.GetClaimResponse:
        """One claim; masked: without names, numbers, FHIR and raw X12."""
        request = claims_pb2.GetClaimRequest(claim_id=claim_id, masked=masked)
        return await self._read(CLAIMS, claims_pb2_grpc.ClaimsServiceStub, "GetClaim", request)  # type: ignore[no-any-return]

    async def release_hold(self, request: claims_pb2.ReleaseHoldRequest, key: str) -> claims_pb2.ClaimSummary:
        """A held claim, scrubbed again with what a person has said."""
        stub = claims_pb2_grpc.ClaimsServiceStub
        answer: claims_pb2.ReleaseHoldResponse = await self._change(CLAIMS, stub, "ReleaseHold", request, key)
        return answer.claim

    async def resubmit_claim(self, request: claims_pb2.ResubmitClaimRequest, key: str) -> claims_pb2.ClaimSummary:
        """A rejected claim, corrected and on its way again."""
        request.idempotency_key = key
        stub = claims_pb2_grpc.ClaimsServiceStub
        answer: claims_pb2.ResubmitClaimResponse = await self._change(CLAIMS, stub, "ResubmitClaim", request, key)
        return answer.claim

    # Money

    async def remittances(
        self, request: remittance_pb2.ListRemittancesRequest
    ) -> remittance_pb2.ListRemittancesResponse:
        """A page of remittances, the newest first."""
        return await self._remittance("ListRemittances", request)  # type: ignore[no-any-return]

    async def remittance(self, request: remittance_pb2.GetRemittanceRequest) -> remittance_pb2.GetRemittanceResponse:
        """One remittance with its sums, a page of its claims and a page of its X12."""
        return await self._remittance("GetRemittance", request)  # type: ignore[no-any-return]

    async def ledger(self, claim_id: str) -> remittance_pb2.GetLedgerResponse:
        """The books of one claim. Refused claim-unknown while nothing was posted."""
        return await self._remittance("GetLedger", remittance_pb2.GetLedgerRequest(claim_id=claim_id))  # type: ignore[no-any-return]

    async def denial(self, work_id: str) -> remittance_pb2.GetDenialResponse:
        """One denial with the balance of its claim and what can be done. Refused denial-unknown."""
        return await self._remittance("GetDenial", remittance_pb2.GetDenialRequest(work_id=work_id))  # type: ignore[no-any-return]

    async def denials_of(self, claim_id: str) -> remittance_pb2.ListDenialsResponse:
        """The denials of a claim."""
        return await self._remittance("ListDenials", remittance_pb2.ListDenialsRequest(claim_id=claim_id, limit=50))  # type: ignore[no-any-return]

    async def resolve_denial(self, request: remittance_pb2.ResolveDenialRequest, key: str) -> remittance_pb2.Balance:
        """An appeal or a write-off; the claim's balance after it."""
        stub = remittance_pb2_grpc.RemittanceServiceStub
        answer: remittance_pb2.ResolveDenialResponse = await self._change(
            REMITTANCE, stub, "ResolveDenial", request, key
        )
        return answer.balance

    async def record_payment(
        self, request: remittance_pb2.RecordPatientPaymentRequest, key: str
    ) -> remittance_pb2.RecordPatientPaymentResponse:
        """What a patient has paid."""
        request.idempotency_key = key
        stub = remittance_pb2_grpc.RemittanceServiceStub
        return await self._change(REMITTANCE, stub, "RecordPatientPayment", request, key)  # type: ignore[no-any-return]

    async def _remittance(self, method: str, request: Any) -> Any:
        return await self._read(REMITTANCE, remittance_pb2_grpc.RemittanceServiceStub, method, request)

    # The interface engine

    async def resource(self, reference: str) -> bytes:
        """A resource of the repository as JSON. Refused resource-not-found."""
        stub = engine_pb2_grpc.InterfaceEngineServiceStub
        answer = await self._read(ENGINE, stub, "GetResource", engine_pb2.GetResourceRequest(reference=reference))
        return bytes(answer.resource)

    async def messages(self, request: messages_pb2.SearchMessagesRequest) -> messages_pb2.SearchMessagesResponse:
        """A page of the feeds' messages, the newest first."""
        return await self._read(ENGINE, messages_pb2_grpc.MessageServiceStub, "SearchMessages", request)  # type: ignore[no-any-return]

    async def message(self, message_id: str) -> messages_pb2.GetMessageResponse:
        """One message with its text."""
        request = messages_pb2.GetMessageRequest(id=message_id)
        return await self._read(ENGINE, messages_pb2_grpc.MessageServiceStub, "GetMessage", request)  # type: ignore[no-any-return]

    async def replay_message(self, message_id: str, key: str) -> bool:
        """Has a message worked on again; False when its state does not allow that."""
        request = messages_pb2.ReplayMessagesRequest(ids=[message_id])
        stub = messages_pb2_grpc.MessageServiceStub
        return bool((await self._change(ENGINE, stub, "ReplayMessages", request, key)).replayed)

    async def dismiss_message(self, message_id: str, reason: str, key: str) -> messages_pb2.FeedMessage:
        """Decides that a message shall not be worked on. `reason` is a short code."""
        request = messages_pb2.DismissMessageRequest(id=message_id, reason=reason)
        stub = messages_pb2_grpc.MessageServiceStub
        answer: messages_pb2.DismissMessageResponse = await self._change(ENGINE, stub, "DismissMessage", request, key)
        return answer.message

    async def channels(self) -> channels_pb2.ListChannelsResponse:
        """The feeds, and why a change of their files was refused."""
        request = channels_pb2.ListChannelsRequest()
        return await self._read(ENGINE, channels_pb2_grpc.ChannelServiceStub, "ListChannels", request)  # type: ignore[no-any-return]

    async def feed(self, name: str) -> channels_pb2.GetChannelResponse:
        """One feed with its versions and files."""
        request = channels_pb2.GetChannelRequest(name=name)
        return await self._read(ENGINE, channels_pb2_grpc.ChannelServiceStub, "GetChannel", request)  # type: ignore[no-any-return]

    async def person(self, patient: str) -> persons_pb2.GetPersonResponse:
        """A Patient with those who are the same person, and the pairs that were judged."""
        request = persons_pb2.GetPersonRequest(patient=patient)
        return await self._read(ENGINE, persons_pb2_grpc.PersonServiceStub, "GetPerson", request)  # type: ignore[no-any-return]

    async def decide_pair(self, request: persons_pb2.DecidePairRequest, key: str) -> persons_pb2.PatientPair:
        """Two Patients are one person, or they are not."""
        stub = persons_pb2_grpc.PersonServiceStub
        answer: persons_pb2.DecidePairResponse = await self._change(ENGINE, stub, "DecidePair", request, key)
        return answer.pair

    # How all of it is asked

    async def healthy(self, service: str) -> str:
        """serving, not-serving, away or not-configured: what a service says of itself."""
        try:
            stub = health_pb2_grpc.HealthStub(self.channel(service))
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=HEALTH_S)
        except SettingsError:
            return "not-configured"
        except grpc.aio.AioRpcError:
            return "away"
        return _HEALTH.get(answer.status, "not-serving")

    async def _read(self, service: str, stub: Stub, method: str, request: Any) -> Any:
        return await self._ask(service, stub, method, request, deadline_s=READ_S)

    async def _change(self, service: str, stub: Stub, method: str, request: Any, key: str) -> Any:
        return await self._ask(service, stub, method, request, deadline_s=CHANGE_S, idempotency_key=key)

    async def _ask(self, service: str, stub: Stub, method: str, request: Any, **how: Any) -> Any:
        try:
            call = getattr(stub(self.channel(service)), method)
            return await ask(call, request, tenant=self.tenant, **how)
        except SettingsError as error:
            raise Away(service, str(error)) from None
        except Unavailable as error:
            raise Away(service, f"The service {service} does not answer.", error.retry_after_s) from None


_HEALTH: Mapping[int, str] = {health_pb2.HealthCheckResponse.SERVING: "serving"}
