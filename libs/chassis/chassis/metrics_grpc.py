"""How long each gRPC call takes, by service, method and status."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from opentelemetry.metrics import Histogram, Meter

_MAKERS: dict[tuple[bool, bool], Callable[..., Any]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
_INFRASTRUCTURE = ("/grpc.health.v1.Health/", "/grpc.reflection.")
_NAMES: dict[int, str] = {code.value[0]: code.name for code in grpc.StatusCode}


def _status(context: Any) -> str:
    """The status that the call ends with; OK when nobody has set one."""
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return str(code.name)
    return _NAMES.get(code or 0, "UNKNOWN")


class MeasuredCalls(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Records every call that has a handler. A method that nobody serves is not recorded: its name is the caller's."""

    def __init__(self, meter: Meter) -> None:
        self._duration = meter.create_histogram("rpc.server.duration", "s")

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(_INFRASTRUCTURE):
            return handler
        behavior = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        measure = _measure_stream if handler.response_streaming else _measure_one
        return _MAKERS[handler.request_streaming, handler.response_streaming](
            measure(behavior, _labels(method), self._duration),
            handler.request_deserializer,
            handler.response_serializer,
        )


def _labels(method: str) -> dict[str, str]:
    service, _, name = method.removeprefix("/").partition("/")
    return {"rpc.system.name": "grpc", "rpc.service": service, "rpc.method": name}


def _measure_one(behavior: Any, labels: dict[str, str], duration: Histogram) -> Any:
    async def measured(request: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return await behavior(request, context)
        finally:
            duration.record(time.perf_counter() - began, {**labels, "rpc.response.status_code": _status(context)})

    return measured


def _measure_stream(behavior: Any, labels: dict[str, str], duration: Histogram) -> Any:
    async def measured(request: Any, context: Any) -> AsyncIterator[Any]:
        began = time.perf_counter()
        try:
            async for response in behavior(request, context):
                yield response
        finally:
            duration.record(time.perf_counter() - began, {**labels, "rpc.response.status_code": _status(context)})

    return measured
