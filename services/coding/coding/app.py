"""The wiring of the coding service."""

from __future__ import annotations

from chassis import Parts, Runtime, Service
from rcm.coding.v1.coding_pb2_grpc import add_CodingServiceServicer_to_server

from coding.entry_events import EventEntry
from coding.entry_grpc import CodingServicer
from coding.rules import load_site_rules
from coding.settings import Settings


async def build(runtime: Runtime) -> Parts:
    """Reads the tables once; a bad row stops the start with its file and line."""
    settings: Settings = runtime.settings
    rules = load_site_rules(settings.site_dir)
    return Parts(
        subscriptions=EventEntry(rules, settings.review_due_in).subscriptions(),
        grpc=((add_CodingServiceServicer_to_server, CodingServicer(runtime.database, rules)),),
        grpc_names=("rcm.coding.v1.CodingService",),
    )


SERVICE = Service(name="coding", settings=Settings, build=build, migrations="coding.migrations")
