"""The wiring of the charge capture service."""

from __future__ import annotations

from chassis import Parts, Runtime, Service
from rcm.charge.v1.charge_pb2_grpc import add_ChargeCaptureServiceServicer_to_server

from charge_capture.entry_events import EventEntry
from charge_capture.entry_grpc import ChargeCaptureServicer
from charge_capture.rules import load_site_charges
from charge_capture.settings import Settings


async def build(runtime: Runtime) -> Parts:
    """Reads the charge master once; a bad row stops the start with its file and line."""
    settings: Settings = runtime.settings
    master = load_site_charges(settings.site_dir)
    servicer = ChargeCaptureServicer(runtime.database, master, settings.missing_due_in)
    return Parts(
        subscriptions=EventEntry(master, settings.missing_due_in).subscriptions(),
        grpc=((add_ChargeCaptureServiceServicer_to_server, servicer),),
        grpc_names=("rcm.charge.v1.ChargeCaptureService",),
    )


SERVICE = Service(name="charge-capture", settings=Settings, build=build, migrations="charge_capture.migrations")
