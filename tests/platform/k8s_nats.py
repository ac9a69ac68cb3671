"""A NATS server with the permissions of deploy/k8s/nats, and clients that come with certificates as cert-manager's."""

from __future__ import annotations

import datetime
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import nats
import yaml
from chassis.embedded import EmbeddedNats
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from k8s_written import PERMISSIONS
from nats.aio.client import Client

VALUES = PERMISSIONS.with_name("values.yaml")


@dataclass(frozen=True)
class Authority:
    """Issues certificates into a folder: <name>.crt, <name>.key, and its own ca.crt."""

    folder: Path
    key: Any
    certificate: x509.Certificate

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for a DNS name that serves on 127.0.0.1 and as a client. (certificate, key)"""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
        made = _builder("", key.public_key(), self.certificate.subject).add_extension(
            x509.SubjectAlternativeName(names), critical=True
        )
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = made.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return _written(self.folder, name, made.sign(self.key, hashes.SHA256()), key)

    def context(self, name: str) -> ssl.SSLContext:
        """TLS of a client; "" comes without a certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        if name:
            context.load_cert_chain(*self.issue(name))
        return context


def _builder(name: str, public_key: Any, issuer: x509.Name | None = None) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )


def _written(folder: Path, name: str, certificate: x509.Certificate, key: Any) -> tuple[Path, Path]:
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


def new_authority(folder: Path) -> Authority:
    """A CA with its certificate in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("authority", key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    _written(folder, "ca", certificate, key)
    return Authority(folder, key, certificate)


class GuardedNats(EmbeddedNats):
    """As the chart's values make it: TLS, users by certificate, their permissions. The values are JSON to NATS."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        self._files = authority.issue("nats")
        self._authority_file = authority.folder / "ca.crt"
        self._own = folder / "nats.conf"

    def _write_configuration(self) -> None:
        super()._write_configuration()
        values, permissions = yaml.safe_load(VALUES.read_text()), yaml.safe_load(PERMISSIONS.read_text())
        certificate, key = map(str, self._files)
        tls = {"cert_file": certificate, "key_file": key, "ca_file": str(self._authority_file)}
        tls |= values["config"]["nats"]["tls"]["merge"]
        with self._own.open("a") as file:
            file.write(f"tls: {json.dumps(tls)}\n")
            file.write(f"authorization: {json.dumps(permissions['config']['merge']['authorization'])}\n")


@asynccontextmanager
async def connected(server: EmbeddedNats, context: ssl.SSLContext) -> AsyncIterator[Client]:
    """A client that does not try again; nats.errors.Error or OSError when the server does not want it."""

    async def quiet(error: Exception) -> None:
        """What the server forbids comes here; the call that was forbidden shows it."""

    url = server.url.replace("nats://", "tls://")
    client = await nats.connect(url, tls=context, allow_reconnect=False, connect_timeout=3, error_cb=quiet)
    try:
        yield client
    finally:
        with suppress(nats.errors.Error, OSError):
            await client.close()
