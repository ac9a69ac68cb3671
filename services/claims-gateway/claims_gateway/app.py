"""The wiring of the claims gateway."""

from __future__ import annotations

from bus.once import Once
from chassis import Parts, Runtime, Service
from rcm.claims.v1.claims_pb2_grpc import add_ClaimsServiceServicer_to_server

from claims_gateway.clients import Others
from claims_gateway.entry_events import EventEntry
from claims_gateway.entry_fhir import FhirEntry
from claims_gateway.entry_grpc import ClaimsServicer
from claims_gateway.entry_mailbox import Mailbox
from claims_gateway.entry_submission import Restore, Submission
from claims_gateway.rules import load_book
from claims_gateway.settings import Settings
from claims_gateway.wire.professional import Sender

NAME = "claims-gateway"


def sender_of(settings: Settings, submitter: str) -> Sender:
    return Sender(
        id=submitter,
        name=settings.submitter_name,
        contact=settings.submitter_contact,
        phone=settings.submitter_phone,
        receiver_id=settings.clearinghouse_receiver,
        receiver_name=settings.clearinghouse_name,
        usage=settings.usage,
    )


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    book = load_book(settings.site_folder(NAME))
    submitters = settings.submitters(settings.tenant)
    senders = {tenant: sender_of(settings, submitter) for tenant, submitter in submitters.items()}
    boxes = {tenant: settings.open_mailbox(submitter, runtime.http) for tenant, submitter in submitters.items()}
    others = Others(
        runtime.channel("eligibility"),
        runtime.channel("prior-auth"),
        settings.coverage_deadline_s,
        settings.authorization_deadline_s,
    )
    events = EventEntry(runtime.database, others, book, settings.first_look_s, settings.look_again_s)
    mailbox = Mailbox(runtime.database, boxes, submitters, settings.mailbox_every_s)
    submission = Submission(
        runtime.database,
        book,
        senders,
        boxes,
        settings.submit_batch,
        settings.submit_every_s,
        settings.send_lease_s,
        Restore(settings.restored_at, settings.restored_wait_s, mailbox.poll) if settings.restored_at else None,
    )
    # Whoever submits waits for the answers of the others.
    once = Once(runtime.database, settings.coverage_deadline_s + settings.authorization_deadline_s)
    fhir = FhirEntry(runtime.database, once, others, book, settings.first_look_s)
    return Parts(
        subscriptions=events.subscriptions(),
        timers=events.timers(),
        grpc=((add_ClaimsServiceServicer_to_server, ClaimsServicer(runtime.database, others, book, senders, fhir)),),
        grpc_names=("rcm.claims.v1.ClaimsService",),
        background=(submission.run,),
        alone={"mailbox": mailbox.run},
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="claims_gateway.migrations")
