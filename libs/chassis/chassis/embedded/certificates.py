"""A certificate authority in a folder, for tests and for one machine. Elsewhere the site's own authority issues."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from kernel.clock import Clock, SystemClock

CERTIFICATE, KEY, AUTHORITY = "tls.crt", "tls.key", "ca.crt"
OWN_KEY = "ca.key"
AUTHORITY_LASTS = timedelta(days=3650)
# A machine whose clock is behind takes a new certificate all the same.
BACKDATED = timedelta(minutes=5)
BOTH_SIDES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


class Authority:
    """An authority whose key and certificate lie in `folder` (ca.key, ca.crt): read when they are there, made if not.

    Authorities of different folders do not trust each other.
    """

    def __init__(self, folder: Path | str, clock: Clock | None = None) -> None:
        self.folder = Path(folder).absolute()
        self._clock: Clock = clock or SystemClock()
        if not (self.folder / AUTHORITY).exists():
            _found_authority(self.folder, self._clock.now())
        self._certificate = x509.load_pem_x509_certificate((self.folder / AUTHORITY).read_bytes())
        key = load_pem_private_key((self.folder / OWN_KEY).read_bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        self._key = key

    @property
    def pem(self) -> bytes:
        """The authority's certificate, as ca.crt holds it."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        name: str,
        folder: Path | str,
        *,
        valid_for: timedelta = timedelta(days=1),
        sans: Sequence[str] = (),
        trusted: Sequence[Authority] = (),
    ) -> Path:
        """A new key and certificate for `name`, put into `folder` as Kubernetes mounts a secret; gives the folder.

        Issuing into the same folder again is a rotation: tls.crt, tls.key and ca.crt change in one step. `sans` are
        more names, DNS or IP. `trusted` go into ca.crt too, for the time in which one authority follows another. A
        negative `valid_for` makes a certificate that has expired.
        """
        key, now = generate_private_key(SECP256R1()), self._clock.now()
        end = now + valid_for
        builder = _builder(_named(name), self._certificate.subject, key, min(now, end) - BACKDATED, end)
        names = x509.SubjectAlternativeName([_general_name(one) for one in (name, *sans)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(names, critical=False).add_extension(issuer, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(BOTH_SIDES), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        bundle = b"".join((self.pem, *(one.pem for one in trusted)))
        return _swap(Path(folder).absolute(), {CERTIFICATE: certificate, KEY: _pem(key), AUTHORITY: bundle})


def _found_authority(folder: Path, now: datetime) -> None:
    """A new one. Its name is its own, so that two in one bundle are not taken for each other."""
    folder.mkdir(parents=True, exist_ok=True)
    key, subject = generate_private_key(SECP256R1()), _named(f"throughline {secrets.token_hex(4)}")
    builder = _builder(subject, subject, key, now - timedelta(days=1), now + AUTHORITY_LASTS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_SIGNS, critical=True).add_extension(identifier, critical=False)
    _write(folder / OWN_KEY, _pem(key))
    _write(folder / AUTHORITY, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes) -> None:
    """For this user's eyes only."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)


def _swap(folder: Path, files: Mapping[str, bytes]) -> Path:
    """All files at once: they lie in a folder of their own, and the link to it is replaced.

    The folder before is kept until the next time, for whoever is reading just now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    link, current = folder / "..data", folder / f"..{secrets.token_hex(8)}"
    before = link.resolve() if link.exists() else None
    current.mkdir(mode=0o700)
    for name, content in files.items():
        _write(current / name, content)
    draft = folder / "..data.new"
    draft.unlink(missing_ok=True)
    draft.symlink_to(current.name)
    draft.replace(link)
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(f"..data/{name}")
    for old in folder.glob("..*"):
        if old.is_dir() and not old.is_symlink() and old not in (current, before):
            shutil.rmtree(old)
    return folder
