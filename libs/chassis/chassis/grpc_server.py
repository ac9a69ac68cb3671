"""The gRPC face of a service: deadlines and tenants are required, errors get their status, health and reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NoReturn

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from kernel.errors import Unreadable

from chassis.call import call_of
from chassis.grpc_client import MAX_MESSAGE_BYTES
from chassis.grpc_status import rich_status
from chassis.service import AddToServer
from chassis.storage_errors import line_error_of
from chassis.tls import Certificates

# Infrastructure asks these, and it knows neither tenants nor deadlines.
EXEMPT = ("/grpc.health.v1.Health/", "/grpc.reflection.")

SERVER_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_connection_age_ms", 300_000),  # so that clients find new pods
    ("grpc.max_connection_age_grace_ms", 30_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)

_MAKERS: dict[tuple[bool, bool], Callable[..., Any]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def check_call(context: Any) -> None:
    """Unreadable when the caller has set no deadline or named no tenant."""
    if context.time_remaining() is None:
        raise Unreadable("deadline_missing", "deadline", "every call needs a deadline")
    if not call_of(context).tenant:
        raise Unreadable("tenant_missing", "metadata.rcm-tenant", "every call names its tenant in rcm-tenant")


async def answer_error(context: Any, error: Exception, method: str) -> NoReturn:
    """End the call with the status of the error. One that is not ours is logged, and answered without any text."""
    ours = line_error_of(error)
    if ours is None:
        structlog.get_logger().error("call failed", method=method, exc_info=error)
    elif ours is not error:
        structlog.get_logger().warning("call not answered", method=method, error=type(error).__name__, code=ours.code)
    status = rpc_status.to_status(rich_status(ours or error))
    await context.abort(status.code, status.details, status.trailing_metadata)
    raise error


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Stands before every servicer: checks the call, and turns what the servicer raises into a status."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(EXEMPT):
            return handler
        behavior = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        guard = _guard_stream if handler.response_streaming else _guard_one
        return _MAKERS[handler.request_streaming, handler.response_streaming](
            guard(behavior, method), handler.request_deserializer, handler.response_serializer
        )


def _guard_one(behavior: Any, method: str) -> Any:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            check_call(context)
            return await behavior(request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await answer_error(context, error, method)

    return guarded


def _guard_stream(behavior: Any, method: str) -> Any:
    async def guarded(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            check_call(context)
            async for response in behavior(request, context):
                yield response
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await answer_error(context, error, method)

    return guarded


class GrpcServer:
    """One server with its health, which says SERVING while `serve` was called and the certificate is valid.

    `start` gives the port; `stop` lets calls in progress finish.
    """

    def __init__(
        self,
        servicers: Sequence[tuple[AddToServer, Any]],
        names: Sequence[str],
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        certificates: Certificates | None = None,
    ) -> None:
        self._server = grpc.aio.server(interceptors=[*interceptors, Guard()], options=SERVER_OPTIONS)
        self._probed: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()
        self._names = tuple(names)
        self._certificates = certificates
        self._ready, self._certified = False, True
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for add, servicer in servicers:
            add(servicer, self._server)
        shown = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(shown, self._server)

    async def start(self, host: str, port: int) -> int:
        """Listen (port 0 takes a free one) and return the port. Health is NOT_SERVING until `serve`."""
        await self._show_health()
        where = f"{host}:{port}"
        if self._certificates is None:
            bound = self._server.add_insecure_port(where)
        else:
            bound = self._server.add_secure_port(where, self._certificates.server_credentials())
        await self._server.start()
        return int(bound)

    async def start_health(self, host: str, port: int) -> int:
        """Answer for health, and for nothing else, in the clear: probes know no TLS. Gives the port."""
        self._probed = grpc.aio.server(options=SERVER_OPTIONS)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._probed)
        bound = self._probed.add_insecure_port(f"{host}:{port}")
        await self._probed.start()
        return int(bound)

    async def serve(self) -> None:
        """Say SERVING: everything else has started."""
        self._ready = True
        await self._show_health()

    async def certify(self, valid: bool) -> None:
        """Say NOT_SERVING while our certificate is not valid: no peer would take it."""
        if valid != self._certified:
            self._certified = valid
            await self._show_health()

    async def leave(self) -> None:
        """Say NOT_SERVING and go on answering, so that callers look elsewhere before we stop."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls, give those in progress `grace_s` seconds, cancel the rest."""
        await self._server.stop(grace_s)
        if self._probed is not None:
            await self._probed.stop(None)

    async def _show_health(self) -> None:
        states = health_pb2.HealthCheckResponse
        status = states.SERVING if self._ready and self._certified else states.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, status)
