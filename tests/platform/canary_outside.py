"""What stands around the line in this test: a clearinghouse that puts marks into what it passes on, and a collector.

Both keep what the services sent them: addresses and headers of every request, and all that a collector is told.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from canary_marks import Place

X12 = "application/edi-x12"


@dataclass(frozen=True, slots=True)
class Mail:
    """A file in the mailbox."""

    kind: str
    content: bytes


class _Quiet(ThreadingHTTPServer):
    """A caller that has gone away is no news."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Nothing is printed."""


@dataclass
class Outside:
    """One server for both. `target` is the simulator's address, once it is known; `change` rewrites answers to
    questions; `put` adds files to the mailbox, behind those that the simulator has put there."""

    target: str = ""
    change: Callable[[str, str], str] = lambda question, answer: answer
    requests: list[bytes] = field(default_factory=list)
    told: dict[str, list[bytes]] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    collector_status: int = 200

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = 0
        self._http = httpx.Client(timeout=30)
        self._server = _Quiet(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._http.close()

    def put(self, kind: str, content: bytes) -> None:
        with self._lock:
            self.mails.append(Mail(kind, content))

    def places(self) -> list[Place]:
        """What came out of the services."""
        sent = [Place("collector", name, b"\n".join(bodies)) for name, bodies in self.told.items()]
        return [Place("request lines and headers", "to the outside", b"\n".join(self.requests)), *sent]

    # The clearinghouse

    def mailbox(self, submitter: str, kinds: list[str], after: int, limit: int) -> dict[str, Any]:
        with self._lock:
            self._pull(submitter)
            rows = [
                {"id": f"m{number}", "cursor": number, "kind": mail.kind}
                for number, mail in enumerate(self.mails, 1)
                if number > after and (not kinds or mail.kind in kinds)
            ]
        shown = rows[:limit]
        return {"files": shown, "cursor": shown[-1]["cursor"] if shown else after}

    def _pull(self, submitter: str) -> None:
        """New files of the simulator, in its order."""
        box = f"{self.target}/x12/mailbox/{submitter}"
        for one in self._http.get(box, params={"after": self._seen, "limit": 1000}).json()["files"]:
            self.mails.append(Mail(one["kind"], self._http.get(f"{box}/{one['id']}").content))
            self._seen = one["cursor"]

    def ask(self, question: str) -> httpx.Response:
        answer = self._http.post(
            f"{self.target}/x12/realtime", content=question.encode(), headers={"Content-Type": X12}
        )
        if answer.is_success:
            return httpx.Response(200, content=self.change(question, answer.text).encode())
        return answer

    def batch(self, path: str, content: bytes) -> httpx.Response:
        return self._http.post(f"{self.target}{path}", content=content, headers={"Content-Type": X12})


def _handler(outside: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            outside.requests.append(f"{self.requestline}\n{self.headers}".encode())
            if self.path.startswith("/v1/"):
                plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                outside.told.setdefault(self.path, []).append(plain)
                self._answer(outside.collector_status, b"")
            elif not outside.target:
                self._answer(503, b"")
            elif self.path == "/x12/realtime":
                said = outside.ask(body.decode())
                self._answer(said.status_code, said.content)
            else:
                said = outside.batch(self.path, body)
                self._answer(said.status_code, said.content)

        def do_GET(self) -> None:
            outside.requests.append(f"{self.requestline}\n{self.headers}".encode())
            address = httpx.URL(self.path)
            _, _, _, submitter, *rest = address.path.split("/")
            if not outside.target:
                self._answer(503, b"")
            elif rest:
                self._answer(200, outside.mails[int(rest[0][1:]) - 1].content)
            else:
                given = address.params
                kinds = [kind for kind in given.get("kinds", "").split(",") if kind]
                found = outside.mailbox(submitter, kinds, int(given.get("after", 0)), int(given.get("limit", 100)))
                self._answer(200, json.dumps(found).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler
