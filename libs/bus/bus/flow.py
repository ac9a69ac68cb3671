"""The line as one table: which facts there are, what they carry, who tells them and who listens.

Streams, consumers, the README picture and the trace-edge tests are derived from this table or checked against it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

from google.protobuf.message import Message
from rcm.charge.v1 import charge_pb2
from rcm.claims.v1 import claims_pb2
from rcm.coding.v1 import coding_pb2
from rcm.eligibility.v1 import eligibility_pb2
from rcm.engine.v1 import engine_pb2
from rcm.priorauth.v1 import priorauth_pb2
from rcm.remittance.v1 import remittance_pb2
from rcm.work.v1 import work_pb2

STREAM = "RCM"
DEAD_STREAM = "RCM_DEAD"
BODY_STORE = "rcm-bodies"
SUBJECT_PREFIX = "rcm.v1"
DEAD_PREFIX = "rcm.dead.v1"
PARTITIONS = 4
SCHEMA_VERSION = 1

ENGINE = "interface-engine"
ELIGIBILITY = "eligibility"
PRIOR_AUTH = "prior-auth"
CODING = "coding"
CHARGE = "charge-capture"
CLAIMS = "claims-gateway"
REMITTANCE = "remittance"
JOURNEY = "journey"
ANY = "*"


@dataclass(frozen=True, slots=True)
class Flow:
    """One fact: its name, message type, producer, consumers, and how often a handler may fail on it.

    The journey service hears every fact. The engine hears those that carry a FHIR resource of the line's own
    (`carries_resource`), for the read model behind its API.
    """

    event: str
    message: type[Message]
    producer: str
    consumers: tuple[str, ...] = ()
    carries_resource: bool = False
    max_attempts: int = 8

    def heard_by(self) -> tuple[str, ...]:
        """All consumers, the listeners included."""
        return (*self.consumers, JOURNEY, *((ENGINE,) if self.carries_resource else ()))


FLOW: tuple[Flow, ...] = (
    Flow("appointment.booked", engine_pb2.AppointmentBooked, ENGINE, (ELIGIBILITY,)),
    Flow("appointment.changed", engine_pb2.AppointmentBooked, ENGINE, (ELIGIBILITY,)),
    Flow("encounter.started", engine_pb2.EncounterStarted, ENGINE, (ELIGIBILITY,)),
    Flow("order.placed", engine_pb2.OrderPlaced, ENGINE, (PRIOR_AUTH,)),
    Flow("order.performed", engine_pb2.OrderPlaced, ENGINE, (CHARGE,)),
    Flow("encounter.finished", engine_pb2.EncounterFinished, ENGINE, (CODING,)),
    Flow("encounter.amended", engine_pb2.EncounterFinished, ENGINE, (CODING,)),
    Flow("encounter.cancelled", engine_pb2.EncounterCancelled, ENGINE, (CODING,)),
    Flow("coverage.verified", eligibility_pb2.CoverageVerified, ELIGIBILITY, (CLAIMS,), carries_resource=True),
    Flow("coverage.gap_found", eligibility_pb2.CoverageVerified, ELIGIBILITY, (CLAIMS,), carries_resource=True),
    Flow(
        "authorization.determined", priorauth_pb2.AuthorizationDetermined, PRIOR_AUTH, (CLAIMS,), carries_resource=True
    ),
    Flow("encounter.coded", coding_pb2.EncounterCoded, CODING, (CHARGE,)),
    Flow("charges.captured", charge_pb2.ChargesCaptured, CHARGE, (CLAIMS,), carries_resource=True),
    Flow("claim.built", claims_pb2.ClaimChanged, CLAIMS, carries_resource=True),
    Flow("claim.held", claims_pb2.ClaimChanged, CLAIMS, carries_resource=True),
    Flow("claim.submitted", claims_pb2.ClaimChanged, CLAIMS, (REMITTANCE,), carries_resource=True),
    Flow("claim.acknowledged", claims_pb2.ClaimChanged, CLAIMS, carries_resource=True),
    Flow("claim.rejected", claims_pb2.ClaimChanged, CLAIMS, carries_resource=True),
    Flow("claim.replaced", claims_pb2.ClaimChanged, CLAIMS, carries_resource=True),
    Flow("claim.voided", claims_pb2.ClaimChanged, CLAIMS, carries_resource=True),
    Flow("remittance.received", remittance_pb2.RemittanceReceived, REMITTANCE, carries_resource=True),
    Flow("remittance.quarantined", remittance_pb2.RemittanceReceived, REMITTANCE, carries_resource=True),
    Flow("payment.posted", remittance_pb2.PaymentPosted, REMITTANCE, (CLAIMS,), carries_resource=True),
    Flow("payment.reversed", remittance_pb2.PaymentPosted, REMITTANCE, (CLAIMS,), carries_resource=True),
    Flow("claim.denied", remittance_pb2.ClaimDenied, REMITTANCE, (CLAIMS,)),
    Flow("claim.underpaid", remittance_pb2.ClaimDenied, REMITTANCE, (CLAIMS,)),
    Flow("claim.appealed", remittance_pb2.ClaimDenied, REMITTANCE, (CLAIMS,)),
    Flow("patient.paid", remittance_pb2.PatientPaid, REMITTANCE),
    Flow("deposit.matched", remittance_pb2.DepositMatched, REMITTANCE),
    Flow("deposit.unmatched", remittance_pb2.DepositMatched, REMITTANCE),
    Flow("work.opened", work_pb2.WorkOpened, ANY, carries_resource=True),
    Flow("work.closed", work_pb2.WorkClosed, ANY, carries_resource=True),
)


@cache
def _by_event() -> dict[str, Flow]:
    return {flow.event: flow for flow in FLOW}


def flow_of(event: str) -> Flow:
    """The row of a fact. KeyError for a fact that the line does not know."""
    return _by_event()[event]


def partition_of(ordering_key: str) -> int:
    """0..PARTITIONS-1; facts with one ordering key share a partition and so keep their order."""
    return zlib.crc32(ordering_key.encode()) % PARTITIONS


def subject_of(event: str, ordering_key: str) -> str:
    """The JetStream subject: rcm.v1.<noun>.<past>.<partition>. Nothing in it identifies a person."""
    return f"{SUBJECT_PREFIX}.{event}.{partition_of(ordering_key)}"


def heard_by(service: str) -> tuple[Flow, ...]:
    """All facts that a service takes in."""
    return tuple(flow for flow in FLOW if service in flow.heard_by())
