"""The words in which a service is described: what it is (Service), is given (Runtime), and is made of (Parts)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import httpx
from fastapi import FastAPI
from kernel.clock import Clock
from opentelemetry.metrics import Meter, NoOpMeter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Tracer

from chassis.settings import ServiceSettings

if TYPE_CHECKING:
    from bus import Database, Subscription, TimerHandler

AddToServer = Callable[[Any, Any], None]
Background = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service's `build` returns: everything that `run` starts and stops.

    `grpc` rows are (the generated add_*_to_server function, the servicer); `grpc_names` are the full names of the same
    services, for health and reflection; `linger_s` lets facts gather before they are taken in, for services off the
    line's way; `background` coroutines run until cancelled and are restarted with backoff, those of `alone` (by a name
    that stays) in one replica at a time; `close` coroutines run at the very end, before the pools close.
    """

    subscriptions: tuple[Subscription, ...] = ()
    linger_s: float = 0.0
    timers: Mapping[str, TimerHandler | Callable[..., Awaitable[None]]] = field(default_factory=dict)
    grpc: tuple[tuple[AddToServer, Any], ...] = ()
    grpc_names: tuple[str, ...] = ()
    http: FastAPI | None = None
    background: tuple[Background, ...] = ()
    alone: Mapping[str, Background] = field(default_factory=dict)
    close: tuple[Background, ...] = ()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a service's `build` is given. `settings` is the instance of the service's own settings class.

    `tracer` is for bursts, of which a share is kept; finished spans that go to `send_spans` are always kept. `meter`
    makes instruments; their names and labels have a row in `metrics_table.py`, or they do not leave the process.
    """

    settings: Any
    clock: Clock
    database: Database
    http: httpx.AsyncClient
    log: Any
    tracer: Tracer
    channels: Callable[[str], grpc.aio.Channel]
    meter: Meter = field(default_factory=lambda: NoOpMeter("none"))
    send_spans: Callable[[Iterable[ReadableSpan]], None] = lambda spans: None

    def channel(self, service: str) -> grpc.aio.Channel:
        """The one channel to another service, by the name of its folder ("claims-gateway"). Do not close it."""
        return self.channels(service)


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `name` in kebab-case, its settings class, its `build`, and the package that holds its migrations."""

    name: str
    settings: type[ServiceSettings]
    build: Callable[[Runtime], Awaitable[Parts]]
    migrations: str | None = None

    @property
    def schema(self) -> str:
        """The Postgres schema, and the stem of its roles."""
        return self.name.replace("-", "_")
