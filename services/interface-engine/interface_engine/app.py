"""The wiring of the interface engine."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from chassis import Parts, Runtime, Service, SettingsError
from fastapi import FastAPI
from kernel.rules import RuleError
from rcm.engine.v1.access_pb2_grpc import add_ClientServiceServicer_to_server
from rcm.engine.v1.channels_pb2_grpc import add_ChannelServiceServicer_to_server
from rcm.engine.v1.charges_pb2_grpc import add_ReconciliationServiceServicer_to_server
from rcm.engine.v1.engine_pb2_grpc import add_InterfaceEngineServiceServicer_to_server
from rcm.engine.v1.messages_pb2_grpc import add_MessageServiceServicer_to_server
from rcm.engine.v1.persons_pb2_grpc import add_PersonServiceServicer_to_server

from interface_engine import entry_events, entry_persons
from interface_engine.clients.key_sets import KeySets
from interface_engine.clients.owners import GrpcOwners
from interface_engine.entry_channels import StoredTraffic, VersionKeeper
from interface_engine.entry_drop import DropWatcher
from interface_engine.entry_exports import ExportWorker
from interface_engine.entry_feeds import Feeds
from interface_engine.entry_files import FileIntake
from interface_engine.entry_gate import AuditTrail, Gate, open_caller
from interface_engine.entry_grpc import EngineServicer
from interface_engine.entry_grpc_channels import ChannelServicer, Refusals
from interface_engine.entry_grpc_charges import ReconciliationServicer
from interface_engine.entry_grpc_clients import ClientServicer
from interface_engine.entry_grpc_messages import MessageServicer
from interface_engine.entry_grpc_persons import PersonServicer
from interface_engine.entry_http import FhirDoor, audits, build_app
from interface_engine.entry_http.exports import export_routes
from interface_engine.entry_http.subscriptions import subscription_routes
from interface_engine.entry_intake import Intake
from interface_engine.entry_keeping import Keeper
from interface_engine.entry_messages import MessageDoor, add_message_route
from interface_engine.entry_mllp import MllpPorts, certificates_of
from interface_engine.entry_notices import HookBook, NoticeWorker, hook_client
from interface_engine.entry_release import Release
from interface_engine.entry_token import TokenDoor, add_token_route, configuration_route, token_url_of
from interface_engine.entry_worker import Endings, MessageWorker, Pruning
from interface_engine.handlers import delivering, exporting
from interface_engine.handlers.announcing import Channel
from interface_engine.rules.book import ChannelBook
from interface_engine.settings import Settings

NAME = "interface-engine"
_GRPC_NAMES = (
    "InterfaceEngineService", "ClientService", "MessageService", "ReconciliationService", "ChannelService",
    "PersonService",
)  # fmt: skip
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _book(runtime: Runtime, refusals: Refusals) -> ChannelBook:
    def refused(error: RuleError) -> None:
        refusals(error)
        runtime.log.error("a channel file cannot be used: what was in force stays", file=error.file, line=error.line)

    return ChannelBook(runtime.settings.site_folder(NAME), refused)


def _gate(runtime: Runtime) -> Gate:
    settings: Settings = runtime.settings
    if not settings.open_door:
        return Gate(runtime.database, runtime.clock)
    if settings.listen_host not in _LOOPBACK:
        raise SettingsError("RCM_OPEN_DOOR is for loopback only: set RCM_LISTEN_HOST to 127.0.0.1, or leave it shut")
    runtime.log.warning("THE FHIR DOOR IS OPEN: requests without a token are let in (RCM_OPEN_DOOR)")
    return Gate(runtime.database, runtime.clock, open_caller(settings.tenant))


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    database, tenant, log = runtime.database, settings.tenant, runtime.log
    refusals = Refusals()
    book, site = _book(runtime, refusals), settings.site_folder(NAME)
    announcing = Channel(book.sources, settings.base_url)
    listeners = HookBook(database, settings.hooks_insecure)
    intake = Intake(database, tenant, timedelta(days=settings.control_id_days))
    feeds = Feeds(book, Keeper(announcing, listeners))
    release = Release(database, tenant, announcing, intake.arrived, log)
    versions = VersionKeeper(database, tenant, book, site, log, release.changed)
    for listener in (release.changed, versions.changed, lambda names: refusals.clear()):
        book.subscribe(listener)
    files = FileIntake(database, tenant, intake)
    hooks = hook_client()
    background = (
        MessageWorker(database, tenant, feeds.process, intake.arrived, log).run,
        _ports(runtime, book, intake).run,
        release.run,
        versions.run,
        partial(book.watch, settings.channels_every_s),
        listeners.run,
        _notices(runtime, listeners, hooks).run,
        ExportWorker(database, _export_rules(settings), log).run,
    )
    return Parts(
        subscriptions=entry_events.subscriptions(listeners, settings.base_url),
        timers={**entry_events.timers(), **entry_persons.timers()},
        linger_s=settings.linger_ms / 1000,
        grpc=_grpc(runtime, book, intake, refusals),
        grpc_names=tuple(f"rcm.engine.v1.{name}" for name in _GRPC_NAMES),
        http=_http(runtime, book, intake, announcing, listeners),
        background=background,
        alone={
            "folders": DropWatcher(book.channels, files, log).run,
            "pruning": Pruning(database, tenant, settings.message_days).run,
        },
        close=(hooks.aclose,),
    )


def _notices(runtime: Runtime, listeners: HookBook, hooks: httpx.AsyncClient) -> NoticeWorker:
    settings: Settings = runtime.settings
    rules = delivering.Rules(settings.base_url, give_up=timedelta(hours=settings.hooks_give_up_hours))
    keep = timedelta(days=settings.hooks_keep_days)
    return NoticeWorker(runtime.database, listeners, hooks, rules, runtime.log, keep=keep)


def _export_rules(settings: Settings) -> exporting.Rules:
    return exporting.Rules(keep=timedelta(hours=settings.export_keep_hours))


def _http(runtime: Runtime, book: ChannelBook, intake: Intake, announcing: Channel, listeners: HookBook) -> FastAPI:
    """The FHIR door, and beside it the token endpoint and HL7 v2 over HTTP."""
    settings: Settings = runtime.settings
    token_url = token_url_of(settings.base_url)
    gate, audit = _gate(runtime), AuditTrail(runtime.database)
    door = FhirDoor(runtime, gate, announcing, audit, GrpcOwners(runtime.channel), token_url, listeners)
    more = (*audits.routes(), *subscription_routes(), *export_routes(_export_rules(settings)))
    app = build_app(runtime, door, (configuration_route(), *more))
    keys = KeySets(runtime.http, runtime.clock)
    add_token_route(app, TokenDoor(runtime.database, keys, settings.base_url, timedelta(seconds=settings.token_s)))
    add_message_route(app, MessageDoor(gate, audit, intake, book.channels))
    return app


def _grpc(runtime: Runtime, book: ChannelBook, intake: Intake, refusals: Refusals) -> tuple[tuple[Any, Any], ...]:
    settings: Settings = runtime.settings
    database, token_url = runtime.database, token_url_of(settings.base_url)
    traffic, site = StoredTraffic(database), settings.site_folder(NAME)
    return (
        (add_InterfaceEngineServiceServicer_to_server, EngineServicer(database)),
        (add_ClientServiceServicer_to_server, ClientServicer(database, book.sources, token_url, settings.base_url)),
        (add_MessageServiceServicer_to_server, MessageServicer(database, intake.arrived)),
        (add_ReconciliationServiceServicer_to_server, ReconciliationServicer(database)),
        (
            add_ChannelServiceServicer_to_server,
            ChannelServicer(database, book, traffic, runtime.clock, site, refusals),
        ),
        (add_PersonServiceServicer_to_server, PersonServicer(database)),
    )


def _ports(runtime: Runtime, book: ChannelBook, intake: Intake) -> MllpPorts:
    settings: Settings = runtime.settings
    clock, log, endings = runtime.clock, runtime.log, Endings(runtime.database, settings.tenant)
    files = settings.mllp_certificate, settings.mllp_key, settings.mllp_client_ca
    certificates = certificates_of(*files, clock, log)
    return MllpPorts(book.channels, intake, clock, log, endings.of, settings.mllp_connections, certificates)


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="interface_engine.migrations")
