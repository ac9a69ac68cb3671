"""The wiring of the remittance service."""

from __future__ import annotations

from chassis import Parts, Runtime, Service
from rcm.remittance.v1.remittance_pb2_grpc import add_RemittanceServiceServicer_to_server

from remittance.entry_events import EventEntry
from remittance.entry_files import Mailbox
from remittance.entry_grpc import RemittanceServicer
from remittance.rules import Rulebook, load_rulebook
from remittance.settings import Settings

NAME = "remittance"


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    rules = load_rulebook(settings.site_folder(NAME))
    events = EventEntry(rules)
    submitters = settings.submitters(settings.tenant)
    mailboxes = {tenant: _mailbox(runtime, rules, tenant, submitter) for tenant, submitter in submitters.items()}
    return Parts(
        subscriptions=events.subscriptions(),
        timers=events.timers(),
        grpc=((add_RemittanceServiceServicer_to_server, RemittanceServicer(runtime.database, rules)),),
        grpc_names=("rcm.remittance.v1.RemittanceService",),
        alone={f"mailbox-{tenant}": mailbox.run for tenant, mailbox in mailboxes.items()},
    )


def _mailbox(runtime: Runtime, rules: Rulebook, tenant: str, submitter: str) -> Mailbox:
    settings: Settings = runtime.settings
    return Mailbox(
        database=runtime.database,
        clearinghouse=settings.open_mailbox(submitter, runtime.http),
        rules=rules,
        tenant=tenant,
        every_s=settings.mailbox_every_s,
        attempts=settings.file_attempts,
        log=runtime.log,
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="remittance.migrations")
