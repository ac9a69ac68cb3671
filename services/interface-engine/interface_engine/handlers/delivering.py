"""What is sent to a subscriber next, and what follows from how it answered.

Each function is one step in the transaction of whoever holds the subscription's lease. A number is given to an event
before it is sent for the first time and never changes, so that whoever gets it twice knows it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from fhir_r4 import read, write
from kernel.identifiers import uuid7

from interface_engine.handlers.notices import wants_of
from interface_engine.model import Client, Draft, Rejected
from interface_engine.model_access import Access, Registration
from interface_engine.model_notices import ACTIVE, ERROR, HOOK_STATES, OFF, OPENING, REQUESTED, Event, Hook, Line
from interface_engine.wire.facets import facets_of
from interface_engine.wire.notices import event_entries, notification, read_hook, status_of
from interface_engine.wire.text import digest

Kind = Literal["handshake", "heartbeat", "event-notification"]
_ENGINE = Client(id="line", tenant="", source="line")
_HANDSHAKES = 3
_AT_A_TIME = 1_000
_LOOK_AGAIN = timedelta(milliseconds=200)
_LONGEST_WAIT_S = 300


class Lines(Protocol):
    """Subscriptions and their events, in one open transaction."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def record(self, accesses: Sequence[Access]) -> None: ...
    async def registration(self, name: str) -> Registration | None: ...
    async def release(self, identity: str, lease: str, next_at: datetime | None = None) -> None: ...
    async def open(self, identity: str, settled_at: datetime) -> None: ...
    async def fence(self, line: Line) -> bool: ...
    async def turn(self, line: Line, state: str, text: bytes, reason: str = "") -> None: ...
    async def remove(self, identity: str) -> None: ...
    async def sent(self, identity: str, number: int) -> None: ...
    async def failed(self, line: Line, next_at: datetime) -> None: ...
    async def drop_waiting(self, identity: str, allowed: Sequence[str]) -> None: ...
    async def number(self, identity: str, limit: int) -> int: ...
    async def events(self, identity: str, first: int, last: int | None, limit: int, full: bool) -> list[Event]: ...


class Shelf(Protocol):
    """The repository, in the same transaction."""

    async def read(self, type_name: str, identity: str, version: int | None = None) -> Any: ...
    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """`settle`: how long it takes until every replica has surely heard of a new subscription. `give_up`: after so long
    without a good answer a subscription is in error."""

    base_url: str
    settle: timedelta = timedelta(seconds=5)
    give_up: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Notification:
    """A Bundle for an endpoint; `last` is the number of the last event in it, `told` what of a patient it tells."""

    kind: Kind
    hook: Hook
    body: bytes
    last: int = 0
    told: tuple[Event, ...] = ()


async def prepare_next(log: Lines, shelf: Shelf, line: Line, lease: str, rules: Rules) -> Notification | None:
    """What to send now; None when there is nothing, and the lease is given back."""
    hook = _served(line)
    registered = await log.registration(line.client)
    if hook is None:
        await _turn(log, shelf, line, ERROR, "what it asks for is not served any more")
    elif hook.ends_at is not None and hook.ends_at <= log.now:
        await _turn(log, shelf, line, OFF)
    elif registered is not None and registered.revoked:
        await _turn(log, shelf, line, ERROR, "its client was revoked")
    elif line.state == REQUESTED:
        return _notification(log, line, hook, "handshake", rules, count=line.numbered)
    elif line.state == OPENING:
        await _open(log, shelf, line, lease, rules)
        return None
    elif line.state == ACTIVE:
        found = await _events(log, line, hook, registered, rules) or _heartbeat(log, line, hook, rules)
        if found is not None:
            return found
    await log.release(line.id, lease)
    return None


def _served(line: Line) -> Hook | None:
    """It was checked when it came; another release may serve less."""
    try:
        hook = read_hook(read(line.text), plain_http=True)
        wants_of(hook)
    except Rejected:
        return None
    return hook


async def conclude(log: Lines, shelf: Shelf, line: Line, sent: Notification, failure: str, rules: Rules) -> bool:
    """What follows from the answer; `failure` is "" when it was a good one. False when this subscription must wait."""
    if failure:
        await _fail(log, shelf, line, sent, failure, rules)
        return False
    if sent.kind == "handshake":
        HOOK_STATES.check(line.state, OPENING)
        await log.open(line.id, log.now + rules.settle)
    else:
        await log.sent(line.id, max(sent.last, line.sent))
        if sent.told:
            await log.record([_access(line, one, log) for one in sent.told])
    return True


def _access(line: Line, event: Event, log: Lines) -> Access:
    """Whoever is told a resource has had access to it."""
    return Access(log.tenant, line.client, log.now, "R", "notification", event.type, event.id)


async def _open(log: Lines, shelf: Shelf, line: Line, lease: str, rules: Rules) -> None:
    """Active once no transaction is left that may have begun before its replica had heard of the subscription.

    Replicas trust their book for two seconds and no longer; `settle` is more than that. What began before its end and
    still runs is waited for by name.
    """
    if line.settled_at is not None and log.now < line.settled_at:
        await log.release(line.id, lease, line.settled_at)
    elif await log.fence(line):
        await _turn(log, shelf, line, ACTIVE)
        await log.release(line.id, lease)
    else:
        await log.release(line.id, lease, log.now + _LOOK_AGAIN)


async def _events(
    log: Lines, line: Line, hook: Hook, registered: Registration | None, rules: Rules
) -> Notification | None:
    numbered = line.numbered if line.numbered > line.sent else await _number(log, line, registered)
    if numbered <= line.sent:
        return None
    events = await log.events(line.id, line.sent + 1, numbered, hook.most, hook.content == "full-resource")
    if not events:
        await log.sent(line.id, numbered)  # they were pruned
        return None
    told = [one if registered is None or registered.scopes.allows(one.type, "r") else _bare(one) for one in events]
    return _notification(log, line, hook, "event-notification", rules, told, events[-1].number)


async def _number(log: Lines, line: Line, registered: Registration | None) -> int:
    """Numbers for what waits, many at a time; what the client may not read goes before it gets one."""
    if registered is not None and (types := _readable(registered)) is not None:
        await log.drop_waiting(line.id, types)
    return await log.number(line.id, _AT_A_TIME)


def _readable(registered: Registration) -> list[str] | None:
    """The types that a client may read; None for all."""
    allowed = registered.scopes.allowed
    return None if registered.scopes.allows("*", "r") else [name for name in allowed if "r" in allowed[name]]


def _bare(event: Event) -> Event:
    """Of what the client may no longer read it learns the number alone."""
    return Event(event.number, event.at, "", "", 0, event.interaction)


def _heartbeat(log: Lines, line: Line, hook: Hook, rules: Rules) -> Notification | None:
    last = line.last_sent_at
    if not hook.heartbeat_s or last is None or log.now < last + timedelta(seconds=hook.heartbeat_s):
        return None
    return _notification(log, line, hook, "heartbeat", rules, count=line.numbered)


def _notification(
    log: Lines, line: Line, hook: Hook, kind: Kind, rules: Rules, events: Sequence[Event] = (), count: int = 0
) -> Notification:
    status = status_of(line, hook, kind, rules.base_url, events, count)
    entries = event_entries(events, hook.content, rules.base_url)
    body = notification(str(uuid7()), log.now, status, line, entries, rules.base_url)
    told = tuple(replace(one, content=b"") for one in events if one.type) if hook.content != "empty" else ()
    return Notification(kind, hook, body, events[-1].number if events else 0, told)


async def _fail(log: Lines, shelf: Shelf, line: Line, sent: Notification, failure: str, rules: Rules) -> None:
    tired = sent.kind == "handshake" and line.failures + 1 >= _HANDSHAKES
    since = line.failing_since or log.now
    if tired or (sent.kind != "handshake" and log.now - since >= rules.give_up):
        await _turn(log, shelf, line, ERROR, failure)
        return
    wait = min(2 ** min(line.failures, 20), _LONGEST_WAIT_S)
    await log.failed(line, log.now + timedelta(seconds=wait))


async def _turn(log: Lines, shelf: Shelf, line: Line, state: str, reason: str = "") -> None:
    """Another state, which the client sees in its resource. Events stay, so that it can go on where it stopped."""
    HOOK_STATES.check(line.state, state)
    stored = await shelf.read("Subscription", line.id)
    if stored is None or stored.deleted:
        await log.remove(line.id)
        return
    resource = read(stored.content)
    told = {name: value for name, value in resource.items() if name != "error"} | {"status": state}
    told |= {"error": reason} if reason else {}
    content = write(told)
    if content != stored.content:
        draft = Draft(
            "Subscription", line.id, content, digest(content), told, facets_of(told),
            expected=stored.version, previous_status=str(resource.get("status", "")),
        )  # fmt: skip
        await shelf.put([draft], _ENGINE)
    await log.turn(line, state, content, reason)
