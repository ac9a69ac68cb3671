"""The wiring of the interface engine."""

from __future__ import annotations

from chassis import Parts, Runtime, Service, SettingsError
from kernel.rules import RuleError
from rcm.engine.v1.engine_pb2_grpc import add_InterfaceEngineServiceServicer_to_server

from interface_engine import entry_events
from interface_engine.clients import load_clients
from interface_engine.entry_grpc import EngineServicer
from interface_engine.entry_http import FhirDoor, build_app
from interface_engine.handlers.announcing import Channel
from interface_engine.rules import Source, load_sources
from interface_engine.settings import Settings

NAME = "interface-engine"


def _sources(settings: Settings) -> dict[str, Source]:
    try:
        return load_sources(settings.site_dir / NAME if settings.site_dir else None)
    except RuleError as error:
        raise SettingsError(f"a source channel cannot be used: {error.reason}") from error


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    sources = _sources(settings)
    clients = load_clients(settings.clients_file, sources)
    door = FhirDoor(runtime, clients, Channel(sources, settings.base_url))
    return Parts(
        subscriptions=entry_events.subscriptions(),
        linger_s=settings.linger_ms / 1000,
        grpc=((add_InterfaceEngineServiceServicer_to_server, EngineServicer(runtime.database)),),
        grpc_names=("rcm.engine.v1.InterfaceEngineService",),
        http=build_app(runtime, door),
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="interface_engine.migrations")
