"""Who we are and whom we trust: a certificate, its key and the CA, checked, and read again when they are replaced.

Nobody is told of a rotation. Whoever needs a certificate asks for the newest: a server for each handshake, a channel
for each call, NATS for each connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from kernel.clock import Clock
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from chassis.settings import SettingsError

LOOK_EVERY_S = 2.0
# Files that change while they are read are read again, at the next look at the latest.
READS = 3


class BadCertificates(SettingsError):
    """The certificates cannot be used. The text is one line with the file, what is wrong, and the next step."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where a certificate chain, its key and the CA of the peers lie, in PEM.

    Without `authority`, peers need no certificate. `own` says that our certificate must be of that CA, too.
    """

    certificate: Path
    key: Path
    authority: Path | None
    own: bool = True

    @classmethod
    def of(cls, folder: Path) -> Files:
        """As cert-manager and Kubernetes name them."""
        return cls(folder / "tls.crt", folder / "tls.key", folder / "ca.crt")

    def contents(self) -> tuple[bytes, bytes, bytes]:
        """The three files as they are now. BadCertificates when one cannot be read."""
        return _bytes(self.certificate), _bytes(self.key), _bytes(self.authority) if self.authority else b""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """One certificate with all that goes with it; fit to be used until `expires_at`."""

    contents: tuple[bytes, bytes, bytes] = field(repr=False)
    expires_at: datetime
    as_client: ssl.SSLContext = field(repr=False)
    as_server: ssl.SSLContext = field(repr=False)

    def client_credentials(self) -> grpc.ChannelCredentials:
        """For a gRPC channel."""
        chain, key, authority = self.contents
        return grpc.ssl_channel_credentials(authority, key, chain)

    def server_configuration(self) -> grpc.ServerCertificateConfiguration:
        """For a gRPC server."""
        chain, key, authority = self.contents
        return grpc.ssl_server_certificate_configuration([(key, chain)], authority)


class Certificates:
    """The newest certificate that can be used. What is broken is not taken; what has expired is said.

    `name` is whom the certificate must be for; "" for anybody. `use` is what the process shows itself with it for.
    BadCertificates when there is none to begin with.
    """

    def __init__(self, files: Files, clock: Clock, log: Any, name: str = "", use: str = "service") -> None:
        self._files = files
        self._clock = clock
        self._log = log
        self._name = name
        self._refused = ""
        self._said = False
        self.current = read_identity(files, clock.now(), name)
        _in_use[use] = self

    @property
    def remaining_s(self) -> float:
        """For how many more seconds the newest is valid; negative since it has expired."""
        return (self.current.expires_at - self._clock.now()).total_seconds()

    @property
    def expired(self) -> bool:
        """Whether the newest has expired and was not renewed."""
        return self._clock.now() >= self.current.expires_at

    def look(self) -> None:
        """Take what is new. Reads three small files."""
        try:
            self._take()
        except BadCertificates as error:
            if str(error) != self._refused:
                self._log.error("certificates not taken, the last ones are kept", reason=str(error))
            self._refused = str(error)
        if self.expired and not self._said:
            self._log.error("certificate expired", file=str(self._files.certificate), at=_day(self.current.expires_at))
        self._said = self.expired

    def _take(self) -> None:
        if self._files.contents() != self.current.contents:
            self.current = read_identity(self._files, self._clock.now(), self._name)
            self._log.info("certificates renewed", expires_at=_day(self.current.expires_at))
        self._refused = ""

    async def watch(self, tell: Callable[[bool], Awaitable[None]]) -> None:
        """Look until cancelled, and tell each time whether the certificate is valid."""
        while True:
            self.look()
            await tell(not self.expired)
            await asyncio.sleep(LOOK_EVERY_S)

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a gRPC server: each handshake is by the newest, and wants a certificate of the peer."""
        given = self.current

        def newer() -> grpc.ServerCertificateConfiguration | None:
            nonlocal given
            if given is self.current:
                return None
            given = self.current
            return given.server_configuration()

        return grpc.dynamic_ssl_server_credentials(given.server_configuration(), newer, True)

    def client_context(self) -> ssl.SSLContext:
        """For connections that we make: each handshake is by the newest."""
        return _Newest.of(ssl.PROTOCOL_TLS_CLIENT, lambda: self.current.as_client)

    def server_context(self) -> ssl.SSLContext:
        """For connections that we accept: each handshake is by the newest."""
        return _Newest.of(ssl.PROTOCOL_TLS_SERVER, lambda: self.current.as_server)


_in_use: WeakValueDictionary[str, Certificates] = WeakValueDictionary()


def watch_certificates(meter: Meter) -> None:
    """Observe how long this process's certificates remain valid, each under what it is used for."""

    def remaining(_options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(one.remaining_s, {"rcm.certificate": use}) for use, one in _in_use.items()]

    meter.create_observable_gauge("rcm.certificate.remaining", [remaining], "s")


class _Newest(ssl.SSLContext):
    """Stands for a context that is replaced: a server that listens, and a client that connects again, keep this one.

    The ssl module can load a new certificate into a context, but a CA never leaves one.
    """

    _source: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, protocol: int, source: Callable[[], ssl.SSLContext]) -> _Newest:
        context = cls(protocol)
        context._source = source
        return context

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """What asyncio and uvloop call for each connection."""
        return self._source().wrap_bio(*arguments, **named)


def read_identity(files: Files, now: datetime, name: str = "") -> Identity:
    """Read and check. BadCertificates when something is missing, does not fit, or is not valid now."""
    for _ in range(READS):
        contents = files.contents()
        expires_at, authorities = _check(files, contents, now, name)
        try:
            contexts = _contexts(files, authorities)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            reason = getattr(error, "reason", None) or type(error).__name__
            raise BadCertificates(f"{files.certificate} cannot be used ({reason}): issue it again") from None
        if contents == files.contents():
            return Identity(contents, expires_at, *contexts)
    raise BadCertificates(f"{files.certificate} changes while it is read: replace the three files in one step")


def _check(
    files: Files, contents: tuple[bytes, bytes, bytes], now: datetime, name: str
) -> tuple[datetime, list[x509.Certificate]]:
    """The end of its time, and the authorities of the peers."""
    chain = _certificates(files.certificate, contents[0])
    authorities = _certificates(files.authority, contents[2]) if files.authority else []
    if _key(files.key, contents[1]).public_key() != chain[0].public_key():
        raise BadCertificates(f"{files.key} does not fit {files.certificate}: put the key there that it was issued for")
    if name and name not in _names(chain[0]):
        raise BadCertificates(f"{files.certificate} is not for the name {name}: issue it with that DNS name")
    for certificate in chain:
        _check_time(files.certificate, certificate, now)
    ends = [certificate.not_valid_after_utc for certificate in chain]
    if files.own and files.authority is not None:
        root = _root(chain, authorities, files)
        _check_time(files.authority, root, now)
        ends.append(root.not_valid_after_utc)
    return min(ends), authorities


def _check_time(file: Path, certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < start:
        raise BadCertificates(f"{file} is not valid before {_day(start)}: check the clock, or issue it again")
    if now >= end:
        raise BadCertificates(f"{file} expired at {_day(end)}: renew it")


def _root(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate], files: Files) -> x509.Certificate:
    """The authority that the chain ends at; of those with the same key, the one that lasts longest."""
    for number, certificate in enumerate(chain):
        roots = [one for one in authorities if _is_issued_by(certificate, one)]
        if roots:
            return max(roots, key=lambda one: one.not_valid_after_utc)
        if not any(_is_issued_by(certificate, one) for one in chain[number + 1 :]):
            break
    raise BadCertificates(
        f"{files.certificate} is not signed by a CA in {files.authority}: put the CA there that issued it"
    )


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _contexts(files: Files, authorities: Sequence[x509.Certificate]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return _context(ssl.PROTOCOL_TLS_CLIENT, files, authorities), _context(ssl.PROTOCOL_TLS_SERVER, files, authorities)


def _context(protocol: int, files: Files, authorities: Sequence[x509.Certificate]) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key, password=lambda: "")  # never asks at a terminal
    if authorities:
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in authorities)
        context.load_verify_locations(cadata=pem.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BadCertificates(f"{file} is missing: put it there, or change the setting that names it") from None
    except OSError as error:
        raise BadCertificates(f"{file} cannot be read ({type(error).__name__}): check its permissions") from None


def _certificates(file: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise BadCertificates(f"{file} holds no certificate in PEM: put one there") from None


def _key(file: Path, content: bytes) -> Any:
    try:
        return load_pem_private_key(content, None)
    except (ValueError, TypeError):  # TypeError: it has a password
        raise BadCertificates(f"{file} holds no private key in PEM without a password: put one there") from None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(found.value.get_values_for_type(x509.DNSName))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
