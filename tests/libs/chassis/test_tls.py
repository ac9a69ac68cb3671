"""The folder of certificates: what is taken, what is refused in one line, and what a rotation changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from chassis.embedded.certificates import Authority
from chassis.metrics import Metrics, build_metrics
from chassis.metrics_page import Page
from chassis.tls import BadCertificates, Certificates, Files, read_identity, watch_certificates
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel.clock import FixedClock
from opentelemetry.sdk.resources import Resource
from structlog.testing import capture_logs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("tls.crt", "tls.key", "ca.crt")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def authority(tmp_path: Path, clock: FixedClock) -> Authority:
    return Authority(tmp_path / "authority", clock)


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    return authority.issue("coding", tmp_path / "tls")


def opened(folder: Path, clock: FixedClock) -> Certificates:
    return Certificates(Files.of(folder), clock, structlog.get_logger(), "coding")


def put_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def lock(folder: Path) -> None:
    """Puts a password on the key."""
    key = serialization.load_pem_private_key((folder / "tls.key").read_bytes(), None)
    form, password = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    (folder / "tls.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, password))


def take_from(folder: Path, file: str, **issued: object) -> None:
    """Another issue's file in the place of ours."""
    other = Authority(folder.parent / "other", FixedClock(NOW)).issue("coding", folder.parent / "spare", **issued)  # type: ignore[arg-type]
    (folder / file).write_bytes((other / file).read_bytes())


def issued_at(folder: Path, now: datetime, days: float) -> None:
    Authority(folder.parent / "then", FixedClock(now)).issue("coding", folder, valid_for=timedelta(days=days))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no certificate": (lambda at: (at / "tls.crt").unlink(), "tls.crt is missing: put it there"),
    "no key": (lambda at: (at / "tls.key").unlink(), "tls.key is missing: put it there"),
    "no authority": (lambda at: (at / "ca.crt").unlink(), "ca.crt is missing: put it there"),
    "a folder": (
        lambda at: put_folder(at / "tls.crt"),
        "tls.crt cannot be read (IsADirectoryError): check its permissions",
    ),
    "an empty certificate": (lambda at: (at / "tls.crt").write_bytes(b""), "tls.crt holds no certificate in PEM"),
    "an empty key": (lambda at: (at / "tls.key").write_bytes(b""), "tls.key holds no private key in PEM without"),
    "a key with a password": (lock, "tls.key holds no private key in PEM without a password: put one there"),
    "an empty authority": (lambda at: (at / "ca.crt").write_bytes(b"x"), "ca.crt holds no certificate in PEM"),
    "another's key": (lambda at: take_from(at, "tls.key"), f"tls.key does not fit {'{folder}'}/tls.crt: put the key"),
    "another's authority": (lambda at: take_from(at, "ca.crt"), "tls.crt is not signed by a CA in {folder}/ca.crt"),
    "expired": (
        lambda at: issued_at(at, NOW - timedelta(days=3), 2),
        "tls.crt expired at 2026-02-28T12:00:00Z: renew it",
    ),
    "not yet valid": (
        lambda at: issued_at(at, NOW + timedelta(days=1), 2),
        "tls.crt is not valid before 2026-03-02T11:55:00Z: check the clock",
    ),
    "an expired authority": (
        lambda at: issued_at(at, NOW - timedelta(days=3660), 5000),
        "ca.crt expired at 2026-02-19T12:00:00Z: renew it",
    ),
    "for another name": (
        lambda at: Authority(at.parent / "authority", FixedClock(NOW)).issue("journey", at),
        "tls.crt is not for the name coding: issue it with that DNS name",
    ),
}


def test_a_good_folder_is_taken(folder: Path, clock: FixedClock) -> None:
    certificates = opened(folder, clock)
    assert certificates.current.expires_at == NOW + timedelta(days=1)
    assert not certificates.expired
    assert "BEGIN" not in repr(certificates.current)


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_bad_folder_is_one_line(folder: Path, clock: FixedClock, spoiled: str) -> None:
    spoil, expected = SPOILED[spoiled]
    spoil(folder)
    with pytest.raises(BadCertificates) as caught:
        opened(folder, clock)
    line = str(caught.value)
    assert line.startswith(f"{folder}/{expected.replace('{folder}', str(folder))}"), line
    assert "\n" not in line and "BEGIN" not in line


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(NAMES), share=st.floats(0, 1), junk=st.binary(max_size=20))
def test_torn_files_are_refused_and_nothing_else(
    tmp_path: Path, authority: Authority, file: str, share: float, junk: bytes
) -> None:
    folder = authority.issue("coding", tmp_path / "torn")
    whole = (folder / file).read_bytes()
    kept = whole[: int(len(whole) * share)]
    (folder / file).write_bytes(kept + junk)
    try:
        read_identity(Files.of(folder), NOW, "coding")
    except BadCertificates as error:
        assert str(error).startswith(str(folder)) and "\n" not in str(error)
    else:
        assert len(whole) - len(kept) <= 1  # nothing but the last line's end is missing


def test_files_that_never_stay_are_refused(folder: Path) -> None:
    class Changing(Files):
        def contents(self) -> tuple[bytes, bytes, bytes]:
            with self.certificate.open("ab") as file:
                file.write(b"\n")
            return super().contents()

    at = Files.of(folder)
    with pytest.raises(BadCertificates, match=r"tls\.crt changes while it is read: replace the three"):
        read_identity(Changing(at.certificate, at.key, at.authority), NOW)


def test_a_rotation_is_taken_and_said_once(folder: Path, clock: FixedClock, authority: Authority) -> None:
    certificates = opened(folder, clock)
    before = certificates.current
    certificates.look()
    assert certificates.current is before
    clock.advance(hours=8)
    authority.issue("coding", folder)
    with capture_logs() as said:
        certificates.look()
        certificates.look()
    assert certificates.current is not before
    assert certificates.current.expires_at == NOW + timedelta(hours=32)
    assert said == [{"event": "certificates renewed", "expires_at": "2026-03-02T20:00:00Z", "log_level": "info"}]


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_broken_rotation_is_refused_and_the_last_one_kept(
    folder: Path, clock: FixedClock, authority: Authority, spoiled: str
) -> None:
    certificates = opened(folder, clock)
    before = certificates.current
    SPOILED[spoiled][0](folder)
    with capture_logs() as said:
        certificates.look()
        certificates.look()
    assert certificates.current is before and not certificates.expired
    assert [(one["log_level"], one["event"]) for one in said] == [
        ("error", "certificates not taken, the last ones are kept")
    ]
    assert said[0]["reason"].startswith(str(folder))
    if (folder / "tls.crt").is_dir():
        (folder / "tls.crt").rmdir()
    authority.issue("coding", folder)
    certificates.look()
    assert certificates.current is not before


def test_what_remains_is_measured_by_use(folder: Path, clock: FixedClock, authority: Authority) -> None:
    metrics = build_metrics(Resource({}))
    watch_certificates(metrics.meter("test"))
    service = opened(folder, clock)
    files = Files.of(authority.issue("feeds", folder.parent / "feeds"))
    feeds = Certificates(files, clock, structlog.get_logger(), use="mllp")
    assert remaining(metrics) == {"service": 86_400, "mllp": 86_400}
    clock.advance(hours=8)
    authority.issue("coding", folder)
    service.look()
    assert remaining(metrics) == {"service": 86_400, "mllp": 57_600}
    clock.advance(hours=20)
    assert (remaining(metrics)["mllp"], feeds.expired) == (-14_400, True)


def remaining(metrics: Metrics) -> dict[str, float]:
    """What a scrape sees."""
    line = re.compile(r'^rcm_certificate_remaining_seconds\{rcm_certificate="(\w+)"\} (\S+)$', re.MULTILINE)
    assert metrics.page is not None
    return {use: float(value) for use, value in line.findall(Page(metrics.page).text("")[0].decode())}


def test_one_that_becomes_valid_later_is_taken_then(folder: Path, clock: FixedClock) -> None:
    certificates = opened(folder, clock)
    before = certificates.current
    issued_at(folder, NOW + timedelta(hours=2), 2)
    certificates.look()
    assert certificates.current is before
    clock.advance(hours=2)
    certificates.look()
    assert certificates.current is not before


async def test_expired_is_said_once_and_told_until_renewed(
    folder: Path, clock: FixedClock, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.tls.LOOK_EVERY_S", 0.001)
    certificates, told = opened(folder, clock), []

    async def tell(valid: bool) -> None:
        told.append(valid)

    async def rounds(count: int) -> list[bool]:
        told.clear()
        async with asyncio.timeout(10):
            while len(told) < count + 1:  # noqa: ASYNC110 - the first may have been told before
                await asyncio.sleep(0.001)
        return told[1:]

    with capture_logs() as said:
        watching = asyncio.create_task(certificates.watch(tell))
        assert set(await rounds(3)) == {True}
        clock.advance(days=1)
        assert set(await rounds(3)) == {False}
        authority.issue("coding", folder)
        assert set(await rounds(3)) == {True}
        watching.cancel()
    events = [(one["log_level"], one["event"]) for one in said]
    assert events == [("error", "certificate expired"), ("info", "certificates renewed")]
    assert said[0]["file"] == str(folder / "tls.crt") and said[0]["at"] == "2026-03-02T12:00:00Z"


def test_what_is_issued_changes_in_one_step(folder: Path, authority: Authority) -> None:
    before = {name: (folder / name).read_bytes() for name in NAMES}
    data = (folder / "..data").resolve()
    authority.issue("coding", folder)
    assert all((folder / name).is_symlink() for name in NAMES)
    assert (folder / "..data").resolve() != data
    assert (data / "tls.key").read_bytes() == before["tls.key"] != (folder / "tls.key").read_bytes()
    assert (folder / "tls.key").stat().st_mode & 0o077 == 0
    for _ in range(3):
        authority.issue("coding", folder)
    assert len([one for one in folder.iterdir() if one.is_dir() and not one.is_symlink()]) == 2


def test_an_authority_is_read_again(authority: Authority, clock: FixedClock) -> None:
    assert Authority(authority.folder, clock).pem == authority.pem
    assert (authority.folder / "ca.key").stat().st_mode & 0o077 == 0


def _signed(name: str, issuer: str, key: object, by: object, *, days: int, ca: bool) -> bytes:
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer)]
    builder = x509.CertificateBuilder().subject_name(named[0]).issuer_name(named[1])
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())  # type: ignore[attr-defined]
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


@pytest.fixture
def chained(tmp_path: Path) -> tuple[Path, list[bytes]]:
    """A certificate under an intermediate, under a root that is there twice; and the parts."""
    root, middle, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    leaf = _signed("coding", "middle", own, middle, days=20, ca=False)
    between = _signed("middle", "root", middle, root, days=10, ca=True)
    roots = [_signed("root", "root", root, root, days=days, ca=True) for days in (5, 15)]
    folder = tmp_path / "chained"
    folder.mkdir()
    (folder / "tls.crt").write_bytes(leaf + between)
    form = serialization.PrivateFormat.PKCS8
    pem = own.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(pem)
    (folder / "ca.crt").write_bytes(b"".join(roots))
    return folder, [leaf, between, *roots]


def test_a_chain_lasts_as_long_as_its_first_link_to_end(chained: tuple[Path, list[bytes]]) -> None:
    folder, (leaf, _, short, long) = chained
    files = Files.of(folder)
    assert read_identity(files, NOW).expires_at == NOW + timedelta(days=10)  # the root that lasts longer counts
    (folder / "ca.crt").write_bytes(short)
    assert read_identity(files, NOW).expires_at == NOW + timedelta(days=5)
    (folder / "ca.crt").write_bytes(long)
    (folder / "tls.crt").write_bytes(leaf)
    with pytest.raises(BadCertificates, match="not signed by a CA"):
        read_identity(files, NOW)


def test_one_that_is_not_of_our_peers_authority_is_taken_where_it_may(folder: Path) -> None:
    take_from(folder, "ca.crt")
    files = replace(Files.of(folder), own=False)
    assert read_identity(files, NOW).expires_at == NOW + timedelta(days=1)
    key = (folder / "tls.key").read_bytes()
    (folder / "tls.crt").write_bytes((folder / "tls.crt").read_bytes() + key)
    together = Files(folder / "tls.crt", folder / "tls.crt", None, own=False)
    assert read_identity(together, NOW, "coding").expires_at == NOW + timedelta(days=1)
