"""From a Service to a running process: everything started in order, and stopped in the opposite one.

Postgres and NATS may go away and come back at any time. What needs them fails and tries again; the process stays.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import uvloop
from bus import Database
from bus.measures import Measures
from kernel.clock import Clock, SystemClock

from chassis.grpc_client import open_channel
from chassis.grpc_server import GrpcServer
from chassis.http import HttpServer
from chassis.line import Broker, Line
from chassis.log import start_logging
from chassis.metrics_page import Page
from chassis.metrics_server import metrics_app
from chassis.preflight import check_surroundings
from chassis.refusal import refusal_of
from chassis.service import Parts, Runtime, Service
from chassis.settings import ServiceSettings, SettingsError, describe_settings, load_settings, refuse_to_start
from chassis.storage import CannotStart, open_database
from chassis.supervise import Tasks
from chassis.telemetry import Telemetry, start_telemetry
from chassis.tls import Certificates, Files, watch_certificates

HELP = "--help-settings"
PAGE_GRACE_S = 1.0


class Channels:
    """The channels to other services: one for each, opened when first asked for."""

    def __init__(self, settings: ServiceSettings, telemetry: Telemetry, certificates: Certificates | None) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._certificates = certificates
        self._open: dict[str, grpc.aio.Channel] = {}

    def __call__(self, service: str) -> grpc.aio.Channel:
        if service not in self._open:
            address = self._settings.address_of(service)
            interceptors = self._telemetry.client_interceptors()
            self._open[service] = open_channel(address, interceptors, self._certificates, service)
        return self._open[service]

    async def close(self) -> None:
        """Close all of them."""
        for channel in self._open.values():
            await channel.close()


class Process:
    """One service in this process: `start` brings it up, `stop` takes it down as far as it had come."""

    def __init__(self, service: Service, settings: ServiceSettings, log: Any, clock: Clock | None = None) -> None:
        self._service = service
        self._settings = settings
        self._log = log
        self._clock: Clock = clock or SystemClock()
        self._cleanup = AsyncExitStack()
        self._certificates: Certificates | None = None
        self.grpc_port = 0
        self.health_port: int | None = None
        self.http_port: int | None = None
        self.metrics_port: int | None = None

    async def start(self) -> None:
        """Bring everything up. CannotStart, in one line, when that is not possible; call `stop` all the same."""
        try:
            await self._start()
        except Exception as error:
            raise CannotStart(refusal_of(error, self._service.name, self._settings)) from error

    async def _start(self) -> None:
        check_surroundings(self._service.name, self._settings)
        if self._settings.tls_dir is not None:
            files = Files.of(self._settings.tls_dir)
            self._certificates = Certificates(files, self._clock, self._log, self._service.name)
        telemetry = start_telemetry(self._service.name, self._settings)
        self._later(asyncio.to_thread, telemetry.shutdown)
        watch_certificates(telemetry.meter("throughline.tls"))
        await self._start_page(telemetry)
        runtime = await self._runtime(telemetry)
        parts = await self._service.build(runtime)
        for close in parts.close:
            self._later(close)
        line = self._line(runtime.database, parts)
        server = await self._start_servers(parts, telemetry)
        if line is not None:
            line.start()
            self._later(line.stop_taking_in)
        self._watch_certificates(server)
        await server.serve()
        self._later(self._leave, server)
        self._write_ready_file()
        _spare_the_collector()
        self._log.info("ready", grpc=self.grpc_port, http=self.http_port, pid=os.getpid())

    async def stop(self) -> None:
        """Health away, consumers, gRPC, HTTP, relay, NATS, pools, spans: the opposite of the order of starting."""
        await self._cleanup.aclose()

    def _later(self, function: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Do this when stopping. One that fails is logged and does not keep the others from being done."""

        async def quietly() -> None:
            try:
                await function(*arguments)
            except Exception as error:
                self._log.warning("not stopped cleanly", exc_info=error)

        self._cleanup.push_async_callback(quietly)

    async def _start_page(self, telemetry: Telemetry) -> None:
        """The door for scrapes: the first that opens and the last that closes."""
        if telemetry.metrics.page is None:
            return
        server = HttpServer(metrics_app(Page(telemetry.metrics.page)))
        self.metrics_port = await server.start(self._settings.listen_host, self._settings.metrics_port, PAGE_GRACE_S)
        self._later(server.stop)

    async def _runtime(self, telemetry: Telemetry) -> Runtime:
        service, settings = self._service, self._settings
        database = Database(
            settings.postgres_url,
            service.schema,
            self._clock,
            pool_size=settings.pool_max,
            measures=Measures(telemetry.meter("throughline.bus")),
        )
        if service.migrations is not None:
            await open_database(service, database, settings.postgres_url, settings.connect_timeout_s, self._log)
            self._later(database.close)
        client = httpx.AsyncClient(timeout=httpx.Timeout(20.0, connect=5.0))
        telemetry.instrument_client(client)
        self._later(client.aclose)
        channels = Channels(settings, telemetry, self._certificates)
        self._later(channels.close)
        return Runtime(
            settings,
            self._clock,
            database,
            client,
            self._log,
            telemetry.tracer(service.name),
            channels,
            telemetry.meter(service.name),
            telemetry.lasting.send,
        )

    def _line(self, database: Database, parts: Parts) -> Line | None:
        """A service without a schema has no outbox and hears nothing."""
        if self._service.migrations is None:
            return None
        tls = self._certificates.client_context() if self._certificates is not None else None
        broker = Broker(self._settings.nats_url, self._service.name, tls, self._log)
        self._later(broker.close)
        line = Line(self._service.name, database, broker, parts, self._log, self._settings.nats_replicas)
        self._later(line.flush)
        return line

    async def _start_servers(self, parts: Parts, telemetry: Telemetry) -> GrpcServer:
        settings = self._settings
        if parts.http is not None:
            telemetry.instrument_app(parts.http)
            http = HttpServer(parts.http)
            self.http_port = await http.start(settings.listen_host, settings.http_port, settings.shutdown_grace_s)
            self._later(http.stop)
        server = GrpcServer(parts.grpc, parts.grpc_names, telemetry.server_interceptors(), self._certificates)
        self.grpc_port = await server.start(settings.listen_host, settings.grpc_port)
        self._later(server.stop, settings.shutdown_grace_s)
        if self._certificates is not None or settings.health_port:
            self.health_port = await server.start_health(settings.listen_host, settings.health_port)
        return server

    def _watch_certificates(self, server: GrpcServer) -> None:
        if self._certificates is not None:
            tasks = Tasks(self._log)
            tasks.start("certificates", partial(self._certificates.watch, server.certify))
            self._later(tasks.stop)

    async def _leave(self, server: GrpcServer) -> None:
        await server.leave()
        await asyncio.sleep(self._settings.unready_wait_s)

    def _write_ready_file(self) -> None:
        """Written whole or not at all: whoever waits for it reads it the moment it appears."""
        if self._settings.run_dir is None:
            return
        self._settings.run_dir.mkdir(parents=True, exist_ok=True)
        file = self._settings.run_dir / f"{self._service.name}.json"
        draft = file.with_suffix(".json.new")
        ports = {"grpc": self.grpc_port, "http": self.http_port, "metrics": self.metrics_port}
        ports["health"] = self.health_port
        draft.write_text(json.dumps({"pid": os.getpid(), **ports}))
        draft.replace(file)
        self._later(asyncio.to_thread, _remove, file)


def _spare_the_collector() -> None:
    """What start-up made lives as long as the process: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)


async def serve(service: Service, settings: ServiceSettings, log: Any) -> None:
    """Start, stay until SIGTERM or SIGINT, stop. A signal while starting ends the start."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(lambda _loop, context: _log_loop_error(log, context))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    process = Process(service, settings, log)
    starting, stopping = asyncio.create_task(process.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
        await stopping
        log.info("stopping")
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await process.stop()
    log.info("stopped")


def _log_loop_error(log: Any, context: dict[str, Any]) -> None:
    """asyncio's own handler would print the repr of what failed, values and all."""
    log.error("unhandled in the event loop", exc_info=context.get("exception") or False)


def run(service: Service) -> None:
    """Run the service until SIGTERM or SIGINT. Exit code 0, or 2 with one line when it cannot start."""
    if HELP in sys.argv[1:]:
        sys.stdout.write(describe_settings(service.settings) + "\n")
        return
    try:
        settings = load_settings(service.settings)
        log = start_logging(service.name, settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(service, settings, log))
    except (SettingsError, CannotStart) as error:
        refuse_to_start(str(error))
