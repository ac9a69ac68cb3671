"""The error families on gRPC, both ways: one table from kernel errors to status codes and back.

Details are google.rpc.Status with one ErrorInfo: reason = our error code, domain = "throughline", metadata = the parts
of the error that a caller needs to rebuild it. Texts of errors that are not ours never leave the process.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from kernel.errors import LineError, RefusalKind, Refused, Unavailable, Unreadable

DOMAIN = "throughline"

REFUSED_STATUS: Mapping[RefusalKind, grpc.StatusCode] = {
    "failed_precondition": grpc.StatusCode.FAILED_PRECONDITION,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "already_exists": grpc.StatusCode.ALREADY_EXISTS,
}
REFUSED_KIND: Mapping[grpc.StatusCode, RefusalKind] = {status: kind for kind, status in REFUSED_STATUS.items()}


def status_of(error: BaseException) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Status code, our code and the details of an error. Anything that is not ours is INTERNAL without text."""
    match error:
        case Refused():
            return REFUSED_STATUS[error.kind], error.code, {}
        case Unreadable():
            position = {} if error.position is None else {"position": str(error.position)}
            return grpc.StatusCode.INVALID_ARGUMENT, error.code, {"path": error.path, **position}
        case Unavailable():
            wait = {} if error.retry_after_s is None else {"retry_after_s": str(error.retry_after_s)}
            return grpc.StatusCode.UNAVAILABLE, error.code, wait
    return grpc.StatusCode.INTERNAL, "internal", {}


def rich_status(error: BaseException) -> status_pb2.Status:
    """The google.rpc.Status that answers for an error."""
    status, code, metadata = status_of(error)
    reason = error.reason if isinstance(error, LineError) else ""
    detail = AnyMessage()
    detail.Pack(error_details_pb2.ErrorInfo(reason=code, domain=DOMAIN, metadata=metadata))
    return status_pb2.Status(code=status.value[0], message=reason, details=[detail])


def _error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status is not None else ():
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info) and info.domain == DOMAIN:
            return info
    return None


def error_of(error: grpc.aio.AioRpcError) -> LineError:
    """The kernel error that a call came back with.

    Unavailable also stands for a deadline that passed, a cancelled call and an internal error over there: all are
    worth another try later. Texts of statuses that are not ours are dropped.
    """
    info, status = _error_info(error), error.code()
    code = info.reason if info is not None else f"grpc_{status.name.lower()}"
    reason = (error.details() or "") if info is not None else f"the call ended with {status.name}"
    metadata = dict(info.metadata) if info is not None else {}
    if status in REFUSED_KIND:
        return Refused(code, reason, kind=REFUSED_KIND[status])
    if status is grpc.StatusCode.INVALID_ARGUMENT:
        position = metadata.get("position", "")
        return Unreadable(code, metadata.get("path", ""), reason, int(position) if position.isdigit() else None)
    if status in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED):
        return Refused(code, reason)
    wait = metadata.get("retry_after_s")
    return Unavailable(code, reason, float(wait) if wait else None)
