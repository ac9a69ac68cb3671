"""NATS over TLS from the first byte. By itself the client begins in the clear, and goes on so if the server wants."""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address
from urllib.parse import ParseResult

from nats.aio.transport import TcpTransport

# Whom a server's certificate must be for when all we have is an address: of one machine, or told by another server.
BROKER = "nats"


class TlsTransport(TcpTransport):
    """A connection that never speaks in the clear. The server must have `handshake_first`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context = context

    def __bool__(self) -> bool:
        """The client would put a transport of its own in the place of one that says no."""
        return True

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Connect and shake hands; OSError or TimeoutError, and nothing is left open, when that fails."""
        async with asyncio.timeout(connect_timeout):
            streams = await asyncio.open_connection(
                uri.hostname, uri.port, limit=buffer_size, ssl=self._context, server_hostname=_name_of(uri)
            )
        self._bare_io_reader, self._bare_io_writer = self._io_reader, self._io_writer = streams

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: int
    ) -> None:
        """Nothing is left to do when the server asks for TLS."""


def _name_of(uri: ParseResult) -> str:
    host = uri.hostname or BROKER
    try:
        ip_address(host)
    except ValueError:
        return host
    return BROKER
