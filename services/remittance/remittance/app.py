"""The wiring of the remittance service."""

from __future__ import annotations

from chassis import Parts, Runtime, Service
from clearinghouse import open_clearinghouse
from rcm.remittance.v1.remittance_pb2_grpc import add_RemittanceServiceServicer_to_server

from remittance.entry_events import EventEntry
from remittance.entry_files import Mailbox
from remittance.entry_grpc import RemittanceServicer
from remittance.rules import Rulebook, load_rulebook
from remittance.settings import Settings

NAME = "remittance"


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    rules = load_rulebook(settings.site_dir / NAME if settings.site_dir else None)
    events = EventEntry(rules)
    mailboxes = [_mailbox(runtime, rules, tenant, submitter) for tenant, submitter in settings.submitters().items()]
    return Parts(
        subscriptions=events.subscriptions(),
        timers=events.timers(),
        grpc=((add_RemittanceServiceServicer_to_server, RemittanceServicer(runtime.database, rules)),),
        grpc_names=("rcm.remittance.v1.RemittanceService",),
        background=tuple(mailbox.run for mailbox in mailboxes),
    )


def _mailbox(runtime: Runtime, rules: Rulebook, tenant: str, submitter: str) -> Mailbox:
    settings: Settings = runtime.settings
    token = settings.clearinghouse_token.get_secret_value()
    return Mailbox(
        database=runtime.database,
        clearinghouse=open_clearinghouse(settings.clearinghouse_url, submitter, runtime.http, token),
        rules=rules,
        tenant=tenant,
        every_s=settings.mailbox_every_s,
        attempts=settings.file_attempts,
        log=runtime.log,
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="remittance.migrations")
