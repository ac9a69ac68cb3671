"""What every service stands on: run, settings, logging, telemetry, gRPC, HTTP and Postgres."""

from chassis.call import Call, call_of
from chassis.grpc_client import ask, open_channel
from chassis.http import http_app
from chassis.run import run
from chassis.service import Parts, Runtime, Service
from chassis.settings import ServiceSettings, SettingsError

__all__ = [
    "Call",
    "Parts",
    "Runtime",
    "Service",
    "ServiceSettings",
    "SettingsError",
    "ask",
    "call_of",
    "http_app",
    "open_channel",
    "run",
]
