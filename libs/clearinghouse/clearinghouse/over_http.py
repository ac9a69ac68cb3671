"""The clearinghouse over HTTP: one table from its statuses to our errors, so that callers see no HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import httpx
from kernel.errors import LineError, Refused, Unavailable, Unreadable
from opentelemetry.instrumentation.utils import suppress_http_instrumentation

from clearinghouse.mailbox import MailFile

T = TypeVar("T")

_X12 = "application/edi-x12"
_BATCH_TIMEOUT_S = 30.0
_MAIL_TIMEOUT_S = 10.0
# A wrong credential is mended by an operator, not by the caller: the work waits, as it does for a busy server.
_WAIT = {401, 403, 408, 425, 429}


class HttpClearinghouse:
    """`base_url` is what stands before `/x12`; `token`, where given, goes out as a bearer token."""

    def __init__(self, base_url: str, submitter: str, http: httpx.AsyncClient, token: str = "") -> None:
        self._base = base_url.rstrip("/")
        self._submitter = quote(submitter, safe="")
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def realtime(self, x12: str, timeout_s: float = 20.0) -> str:
        answer = await self._ask("POST", "/x12/realtime", timeout_s, content=x12.encode())
        return _text(answer.content)

    async def send_batch(self, x12: str, name: str) -> str:
        answer = await self._ask("POST", f"/x12/batch/{self._submitter}", _BATCH_TIMEOUT_S, content=x12.encode())
        return _member(_object(answer.content), "id", str)

    async def list_files(self, kinds: Sequence[str], after: int, limit: int = 100) -> list[MailFile]:
        params = {"kinds": ",".join(kinds), "after": str(after), "limit": str(limit)}
        with suppress_http_instrumentation():  # a look into the box several times a second is not worth a trace
            answer = await self._ask("GET", f"/x12/mailbox/{self._submitter}", _MAIL_TIMEOUT_S, params=params)
        files = [_mail_file(entry) for entry in _member(_object(answer.content), "files", list)]
        return sorted((file for file in files if file.cursor > after), key=lambda file: file.cursor)

    async def fetch(self, id: str) -> bytes:
        path = f"/x12/mailbox/{self._submitter}/{quote(id, safe='')}"
        return (await self._ask("GET", path, _MAIL_TIMEOUT_S)).content

    async def _ask(
        self,
        method: str,
        path: str,
        timeout_s: float,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        headers = self._headers | ({"Content-Type": _X12} if content is not None else {})
        try:
            answer = await self._http.request(
                method, self._base + path, content=content, params=params, headers=headers, timeout=timeout_s
            )
        except httpx.TimeoutException as error:
            raise Unavailable("clearinghouse-timeout", f"no answer within {timeout_s:g} s") from error
        except httpx.TransportError as error:
            raise Unavailable("clearinghouse-unreachable", type(error).__name__) from error
        if not answer.is_success:
            raise _error_of(answer)
        return answer


def _error_of(answer: httpx.Response) -> LineError:
    status = answer.status_code
    if status >= 500 or status in _WAIT:
        return Unavailable("clearinghouse-unavailable", f"status {status}", _retry_after(answer))
    if status == 404:
        return Refused("clearinghouse-not-found", "status 404", kind="not_found")
    return Refused("clearinghouse-refused", f"status {status}")


def _retry_after(answer: httpx.Response) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _mail_file(entry: object) -> MailFile:
    if not isinstance(entry, dict):
        raise Unreadable("clearinghouse-answer", "files", "an entry is no object")
    return MailFile(
        id=_member(entry, "id", str), kind=_member(entry, "kind", str), cursor=_member(entry, "cursor", int)
    )


def _object(content: bytes) -> dict[str, object]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Unreadable("clearinghouse-answer", "", "the answer is not JSON") from error
    if not isinstance(value, dict):
        raise Unreadable("clearinghouse-answer", "", "the answer is no object")
    return value


def _member(holder: Mapping[str, object], name: str, wanted: type[T]) -> T:
    value = holder.get(name)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise Unreadable("clearinghouse-answer", name, f"{name} is missing or of another type")
    return value


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("clearinghouse-answer", "", "the answer is not UTF-8", error.start) from error
