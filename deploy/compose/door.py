"""The way from this machine to the console, and to it alone: run beside the journey service, in its network.

The console's local login asks for no password and therefore listens on loopback only; in a container that is the
container's own. This passes connections on to it from the container's address: those to the console only when they
come from the machine that runs the containers (the network's gateway; the port is published on 127.0.0.1), those to
gRPC and metrics from everywhere in the network. For trying out; a console that others reach has OpenID Connect.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import sys
import urllib.request
from pathlib import Path

CONSOLE, GRPC, METRICS = 8080, 50051, 9464
INSIDE = "127.0.0.1"


def gateway(routes: str) -> str:
    """The address of the default route in the text of /proc/net/route. LookupError where there is none."""
    for line in routes.splitlines()[1:]:
        _, destination, via, *_ = line.split()
        if destination == "00000000":
            return socket.inet_ntoa(struct.pack("<L", int(via, 16)))
    raise LookupError("no default route: the container's network has no way to the machine")


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:  # either end went away: so does the other
        writer.close()


class Door:
    """Passes one port on. `only_from`: the one address that may come in; empty lets all in."""

    def __init__(self, port: int, only_from: str = "") -> None:
        self._port, self._only_from = port, only_from

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._only_from in ("", writer.get_extra_info("peername")[0]):
                inner_reader, inner_writer = await asyncio.open_connection(INSIDE, self._port)
                try:
                    await asyncio.gather(_pour(reader, inner_writer), _pour(inner_reader, writer))
                finally:
                    inner_writer.close()
            else:
                sys.stderr.write(f"refused a connection to port {self._port} that is not from this machine\n")
        except OSError:
            sys.stderr.write(f"nothing listens on port {self._port}\n")
        finally:
            writer.close()


def own_address() -> str:
    """The container's address in its network."""
    return socket.gethostbyname(socket.gethostname())


def check() -> None:
    """For the health check: the way to the metrics page is open. OSError when it is not."""
    with urllib.request.urlopen(f"http://{own_address()}:{METRICS}/healthz", timeout=4):
        return


async def main(own: str, machine: str) -> None:
    """Passes on until SIGTERM. `own`: where to listen; `machine`: who may come to the console."""
    for port, only_from in ((CONSOLE, machine), (GRPC, ""), (METRICS, "")):
        await asyncio.start_server(Door(port, only_from), own, port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    else:
        asyncio.run(main(own_address(), gateway(Path("/proc/net/route").read_text())))
