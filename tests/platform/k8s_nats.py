"""A NATS server with the permissions of deploy/k8s/nats, and clients that come with certificates as cert-manager's."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import nats
import yaml
from chassis.embedded import EmbeddedNats
from chassis.embedded.certificates import Authority
from nats.aio.client import Client
from write_manifests import PERMISSIONS

VALUES = PERMISSIONS.with_name("values.yaml")


class GuardedNats(EmbeddedNats):
    """As the chart's values make it: TLS, users by certificate, their permissions. The values are JSON to NATS."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        files = authority.issue("nats", folder / "nats-tls", sans=["127.0.0.1"])
        values, permissions = yaml.safe_load(VALUES.read_text()), yaml.safe_load(PERMISSIONS.read_text())
        tls = {"cert_file": f"{files}/tls.crt", "key_file": f"{files}/tls.key", "ca_file": f"{files}/ca.crt"}
        tls |= values["config"]["nats"]["tls"]["merge"]
        users = permissions["config"]["merge"]["authorization"]
        more = f"tls: {json.dumps(tls)}\nauthorization: {json.dumps(users)}\n"
        super().__init__(folder, tls_dir=files, more=more)


def context_of(authority: Authority, name: str) -> ssl.SSLContext:
    """TLS of a client with a certificate in this name; "" comes without one."""
    context = ssl.create_default_context(cafile=str(authority.folder / "ca.crt"))
    if name:
        folder = authority.issue(name, authority.folder / name)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


@asynccontextmanager
async def connected(server: EmbeddedNats, context: ssl.SSLContext) -> AsyncIterator[Client]:
    """A client that does not try again; nats.errors.Error or OSError when the server does not want it."""

    async def quiet(error: Exception) -> None:
        """What the server forbids comes here; the call that was forbidden shows it."""

    url = server.url.replace("nats://", "tls://")
    client = await nats.connect(
        url, tls=context, tls_handshake_first=True, allow_reconnect=False, connect_timeout=15, error_cb=quiet
    )
    try:
        yield client
    finally:
        with suppress(nats.errors.Error, OSError):
            await client.close()
