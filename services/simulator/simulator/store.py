"""What the outside world remembers, in one SQLite file: nothing that was acknowledged is lost by a kill.

Every change happens inside `change()`, which commits before its caller answers. One writer at a time; calls block and
belong in a thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
from kernel.period import Period
from x12.views.remittance import ClaimPayment

from simulator.model import Authorization
from simulator.settle import Payee

_SCHEMA = """
create table if not exists counter (name text primary key, value integer not null);
create table if not exists received (
    submitter text not null, id text not null, received_at text not null, content blob not null,
    primary key (submitter, id));
create table if not exists mailbox (
    cursor integer primary key autoincrement, submitter text not null, id text not null unique, kind text not null,
    content blob not null);
create index if not exists mailbox_by_submitter on mailbox (submitter, cursor);
create table if not exists payment (
    number integer primary key autoincrement, submitter text not null, payer_id text not null, payee text not null,
    payer_claim_number text not null, due_at real not null, paid integer not null default 0,
    takeback integer not null default 0, content blob not null);
create index if not exists payment_due on payment (paid, due_at);
create index if not exists payment_by_claim on payment (payer_claim_number);
create table if not exists service (
    payer_id text not null, member_id text not null, service text not null, control_number text not null,
    primary key (payer_id, member_id, service));
create index if not exists service_by_claim on service (control_number);
create table if not exists deductible (
    payer_id text not null, member_id text not null, year integer not null, cents integer not null,
    primary key (payer_id, member_id, year));
create table if not exists authorization (
    number text primary key, payer_id text not null, member_id text not null, code text not null,
    valid_from text not null, valid_to text not null);
create index if not exists authorization_by_member on authorization (payer_id, member_id, code);
create table if not exists asked (
    payer_id text not null, member_id text not null, code text not null, times integer not null,
    primary key (payer_id, member_id, code));
"""
_PAYMENT = msgspec.json.Decoder(ClaimPayment)
_PAYEE = msgspec.json.Decoder(Payee)
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Mail:
    """One file in a submitter's mailbox."""

    cursor: int
    id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Due:
    """A decided claim that its payer is to pay now."""

    number: int
    submitter: str
    payer_id: str
    payee: Payee
    payment: ClaimPayment
    takeback: bool


class Store:
    """The file and its one connection. `folder` is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(folder / "world.sqlite", isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it is on disk at the end, or none."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def next_number(self, name: str) -> int:
        """The next value of a counter, from 1."""
        row = self._one(
            "insert into counter values (?, 1) on conflict (name) do update set value = value + 1 returning value", name
        )
        return int(row[0])

    def receive(self, submitter: str, id: str, content: bytes, now: datetime) -> bool:
        """Keep a batch. False when the same bytes came before."""
        sql = "insert into received values (?, ?, ?, ?) on conflict do nothing returning id"
        return self._one(sql, submitter, id, now.isoformat(), content) is not None

    def put_mail(self, submitter: str, kind: str, content: str) -> None:
        id = f"f{self.next_number('file'):010d}"
        sql = "insert into mailbox (submitter, id, kind, content) values (?, ?, ?, ?)"
        self._run(sql, submitter, id, kind, content.encode())

    def list_mail(self, submitter: str, kinds: Sequence[str], after: int, limit: int) -> list[Mail]:
        """Files of these kinds (all when empty) behind the cursor, oldest first."""
        wanted = f"and kind in ({','.join('?' * len(kinds))})" if kinds else ""
        sql = (
            f"select cursor, id, kind from mailbox where submitter = ? and cursor > ? {wanted} order by cursor limit ?"
        )
        return [Mail(*row) for row in self._all(sql, submitter, after, *kinds, limit)]

    def read_mail(self, submitter: str, id: str) -> bytes | None:
        row = self._one("select content from mailbox where submitter = ? and id = ?", submitter, id)
        return bytes(row[0]) if row else None

    def add_payment(
        self,
        submitter: str,
        payer_id: str,
        payee: Payee,
        payment: ClaimPayment,
        due: datetime,
        *,
        takeback: bool = False,
    ) -> None:
        self._run(
            "insert into payment (submitter, payer_id, payee, payer_claim_number, due_at, takeback, content)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            submitter,
            payer_id,
            _encode(payee).decode(),
            payment.payer_claim_number,
            due.timestamp(),
            int(takeback),
            _encode(payment),
        )

    def due_payments(self, now: datetime, limit: int) -> list[Due]:
        """Unpaid claims whose time has come, oldest first."""
        sql = (
            "select number, submitter, payer_id, payee, content, takeback from payment"
            " where paid = 0 and due_at <= ? order by number limit ?"
        )
        return [
            Due(number, submitter, payer_id, _PAYEE.decode(payee), _PAYMENT.decode(content), bool(takeback))
            for number, submitter, payer_id, payee, content, takeback in self._all(sql, now.timestamp(), limit)
        ]

    def mark_paid(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._run("update payment set paid = 1 where number = ?", number)

    def newest_payment(self, payer_claim_number: str) -> ClaimPayment | None:
        """What the payer last decided under its own number of a claim."""
        sql = "select content from payment where payer_claim_number = ? order by number desc limit 1"
        row = self._one(sql, payer_claim_number)
        return _PAYMENT.decode(row[0]) if row else None

    def paid_under(self, payer_id: str, member_id: str, service: str) -> str | None:
        sql = "select control_number from service where payer_id = ? and member_id = ? and service = ?"
        row = self._one(sql, payer_id, member_id, service)
        return str(row[0]) if row else None

    def remember_service(self, payer_id: str, member_id: str, service: str, control_number: str) -> None:
        sql = "insert into service values (?, ?, ?, ?) on conflict do nothing"
        self._run(sql, payer_id, member_id, service, control_number)

    def forget_services(self, control_number: str) -> None:
        """After a void or a replacement the services may be paid again."""
        self._run("delete from service where control_number = ?", control_number)

    def deductible_used_cents(self, payer_id: str, member_id: str, year: int) -> int:
        sql = "select cents from deductible where payer_id = ? and member_id = ? and year = ?"
        row = self._one(sql, payer_id, member_id, year)
        return int(row[0]) if row else 0

    def use_deductible(self, payer_id: str, member_id: str, year: int, cents: int) -> None:
        """Add to what the member has borne this year; negative gives back."""
        sql = "insert into deductible values (?, ?, ?, ?) on conflict do update set cents = cents + excluded.cents"
        self._run(sql, payer_id, member_id, year, cents)

    def authorization(self, number: str) -> Authorization | None:
        row = self._one("select * from authorization where number = ?", number)
        return _authorization(row) if row else None

    def granted(self, payer_id: str, member_id: str, code: str, on: date) -> Authorization | None:
        sql = (
            "select * from authorization where payer_id = ? and member_id = ? and code = ?"
            " and ? between valid_from and valid_to order by number limit 1"
        )
        row = self._one(sql, payer_id, member_id, code, on.isoformat())
        return _authorization(row) if row else None

    def grant(self, payer_id: str, member_id: str, code: str, valid: Period) -> Authorization:
        given = Authorization(f"AUTH{self.next_number('authorization'):08d}", payer_id, member_id, code, valid)
        span = (str(valid.start), str(valid.end))
        self._run("insert into authorization values (?, ?, ?, ?, ?, ?)", given.number, payer_id, member_id, code, *span)
        return given

    def asked(self, payer_id: str, member_id: str, code: str) -> int:
        sql = "insert into asked values (?, ?, ?, 1) on conflict do update set times = times + 1 returning times"
        return int(self._one(sql, payer_id, member_id, code)[0])

    def _run(self, sql: str, *values: object) -> None:
        with self._lock:
            self._connection.execute(sql, values)

    def _one(self, sql: str, *values: object) -> Any:
        with self._lock:
            rows = self._connection.execute(sql, values).fetchall()
        return rows[0] if rows else None

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()


def _authorization(row: Any) -> Authorization:
    number, payer_id, member_id, code, start, end = row
    return Authorization(number, payer_id, member_id, code, Period(date.fromisoformat(start), date.fromisoformat(end)))
