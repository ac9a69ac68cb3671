"""Asking another service: a channel that retries only what is safe, and one way to make a call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import grpc

from chassis.call import IDEMPOTENCY_KEY, TENANT
from chassis.grpc_channel import LastingChannel
from chassis.grpc_status import error_of
from chassis.tls import Certificates, Identity

MAX_MESSAGE_BYTES = 16_000_000

# UNAVAILABLE alone is retried: the server has not begun, or said so itself. grpc gives up at the call's deadline.
SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)

CHANNEL_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 2),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # how long connecting may take, the handshake included
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)

# What is called the least backoff is how long one attempt to connect may take. A busy machine shakes hands for longer.
HANDSHAKE = {"grpc.min_reconnect_backoff_ms": 5_000}


def open_channel(
    address: str,
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    certificates: Certificates | None = None,
    service: str = "",
) -> grpc.aio.Channel:
    """A channel to `host:port` or `dns:///name:port`. It connects on the first call and again whenever it must.

    With `certificates` by mutual TLS, and only with the holder of a certificate for `service`, wherever it lies.
    """
    if certificates is None:
        return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS, interceptors=list(interceptors))
    options = tuple((dict(CHANNEL_OPTIONS) | HANDSHAKE | {"grpc.default_authority": service}).items())

    def make(identity: Identity) -> grpc.aio.Channel:
        credentials = identity.client_credentials()
        return grpc.aio.secure_channel(address, credentials, options=options, interceptors=list(interceptors))

    return LastingChannel(certificates, make)


async def ask(method: Any, request: Any, *, tenant: str, deadline_s: float = 5.0, idempotency_key: str = "") -> Any:
    """Make one call of a stub's method and return its response.

    Raises Refused, Unreadable or Unavailable as the server raised them; a passed deadline is Unavailable.
    """
    metadata = [(TENANT, tenant)]
    if idempotency_key:
        metadata.append((IDEMPOTENCY_KEY, idempotency_key))
    try:
        return await method(request, timeout=deadline_s, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        raise error_of(error) from None
