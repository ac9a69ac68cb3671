"""Looks at a door as a peer does: which certificate is shown to whoever comes with one of ours."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path


def context_of(tls_dir: Path) -> ssl.SSLContext:
    """The side of a gRPC client with these certificates. Names are not looked at: it is the address that is asked."""
    context = ssl.create_default_context(cafile=str(tls_dir / "ca.crt"))
    context.check_hostname = False
    context.load_cert_chain(tls_dir / "tls.crt", tls_dir / "tls.key")
    context.set_alpn_protocols(["h2"])
    return context


async def shown_certificate(address: str, tls_dir: Path) -> str:
    """In PEM. OSError (ssl.SSLError is one) when it is not of the CA that we trust."""
    host, _, port = address.partition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context_of(tls_dir))
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return ssl.DER_cert_to_PEM_cert(shown)
    finally:
        writer.close()
