"""Notes what there is to tell subscribers, in the transaction of the change, and takes Subscriptions in.

A change costs nothing more than a look into a book in memory while nobody listens to its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl

from fhir_r4 import outcome_of, read
from fhir_r4.search import Query, Term, parse_query
from fhir_r4.types import is_known, known_types
from kernel.errors import Unreadable

from interface_engine.handlers.matching import Subject, needs_repository
from interface_engine.model import Client, Draft, Kept, Rejected
from interface_engine.model_access import Registration
from interface_engine.model_notices import (
    ACTIVE,
    HOOK_STATES,
    OFF,
    REQUESTED,
    Change,
    Hook,
    Interaction,
    Line,
    Topic,
    Trigger,
    topic_of,
)
from interface_engine.wire.notices import read_hook, refused

SUBSCRIPTION = "Subscription"
_BECAME: Mapping[str, Interaction] = {"created": "create", "updated": "update", "deleted": "delete"}
_Terms = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Searches of which one must match: those that the resource itself answers, and those that the repository does."""

    at_hand: tuple[_Terms, ...]
    asked: tuple[_Terms, ...]

    @classmethod
    def of(cls, *searches: _Terms) -> Group:
        asked = tuple(terms for terms in searches if needs_repository(terms))
        return cls(tuple(terms for terms in searches if not needs_repository(terms)), asked)


@dataclass(frozen=True, slots=True)
class Want:
    """One way in which a subscription wants to hear of a type: all groups must match."""

    interactions: tuple[Interaction, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Listening:
    """A subscription with what it wants to hear, by type."""

    id: str
    wants: Mapping[str, tuple[Want, ...]]


@dataclass(frozen=True, slots=True)
class Listeners:
    """The subscriptions of a tenant, by the types that they listen to."""

    by_type: Mapping[str, tuple[Listening, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Listeners:
        """What we no longer serve is left out: delivery finds it in error, and nobody's write fails for it."""
        by_type: dict[str, list[Listening]] = {}
        for line in lines:
            try:
                one = Listening(line.id, wants_of(read_hook(read(line.text), plain_http=True)))
            except Rejected:
                continue
            for type_name in one.wants:
                by_type.setdefault(type_name, []).append(one)
        return cls({name: tuple(found) for name, found in by_type.items()})


class Book(Protocol):
    """Who listens, in memory."""

    plain_http: bool

    def of(self, tenant: str) -> Listeners | None:
        """The listeners of a tenant; None when the book is too old to be trusted."""

    def wake(self) -> None:
        """There is something to tell."""


class Log(Protocol):
    """Subscriptions and their events, in one open transaction."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def note(self, rows: Sequence[tuple[str, Change]]) -> None: ...
    async def finds(self, type_name: str, identity: str, terms: _Terms) -> bool: ...
    async def registration(self, name: str) -> Registration | None: ...
    async def recording(self) -> list[Line]: ...
    async def line(self, identity: str) -> Line | None: ...
    async def add(self, line: Line, heartbeat_s: int, ends_at: datetime | None) -> None: ...
    async def change(self, line: Line, heartbeat_s: int, ends_at: datetime | None) -> None: ...
    async def rewrite(self, line: Line, heartbeat_s: int, ends_at: datetime | None) -> None: ...
    async def remove(self, identity: str) -> None: ...


def changes_of(kept: Iterable[Kept]) -> list[Change]:
    """What a request has changed."""
    return [
        Change(one.draft, one.version, _BECAME[one.became]) for one in kept if one.draft is not None and one.changed
    ]


def changes_told(drafts: Iterable[Draft], versions: Mapping[str, int]) -> list[Change]:
    """What a fact has changed: those of its resources that were stored, with the versions that they became."""
    found = ((draft, versions.get(draft.reference, 0)) for draft in drafts)
    return [Change(draft, version, "create" if version == 1 else "update") for draft, version in found if version]


async def note_changes(log: Log, book: Book, client: Client, changes: Sequence[Change], base_url: str = "") -> None:
    """Keeps an event for everyone who listens, and takes in the Subscriptions among the changes.

    Rejected 422 for a Subscription that cannot be served, 403 for one of another client's or beyond the scopes.
    """
    for change in changes:
        if change.draft.type == SUBSCRIPTION:
            await _take_in(log, book, client, change)
    listeners = book.of(log.tenant)
    if listeners is None:
        listeners = Listeners.of(await log.recording())
    if not listeners.by_type:
        return
    rows = [row for change in changes for row in await _heard(log, listeners, change, base_url)]
    if rows:
        await log.note(rows)
        book.wake()


async def _heard(log: Log, listeners: Listeners, change: Change, base_url: str) -> list[tuple[str, Change]]:
    there = listeners.by_type.get(change.draft.type, ())
    subject = Subject(change.draft, base_url)
    return [(one.id, change) for one in there if await _wanted(log, one, change, subject)]


async def _wanted(log: Log, one: Listening, change: Change, subject: Subject) -> bool:
    for want in one.wants[change.draft.type]:
        if change.interaction in want.interactions and await _all_match(log, want.groups, subject):
            return True
    return False


async def _all_match(log: Log, groups: tuple[Group, ...], subject: Subject) -> bool:
    """What the resource itself answers goes first: only what is left is asked of the repository."""
    left = [group for group in groups if not any(subject.matches(terms) for terms in group.at_hand)]
    if any(not group.asked for group in left):
        return False
    for group in left:
        if not await _one_found(log, group, subject):
            return False
    return True


async def _one_found(log: Log, group: Group, subject: Subject) -> bool:
    for terms in group.asked:
        if await log.finds(subject.draft.type, subject.draft.id, terms):
            return True
    return False


# What a Subscription wants


def wants_of(hook: Hook) -> dict[str, tuple[Want, ...]]:
    """What it wants to hear, by type. Rejected 422 for a topic or a search that is not served."""
    if "?" in hook.criteria:
        type_name, _, text = hook.criteria.partition("?")
        if hook.filters:
            raise refused("Subscription.criteria", "subscription-filter", "filters narrow a topic and not a search")
        terms = _terms(type_name, parse_qsl(text, True))
        return {type_name: (Want(("create", "update"), (Group.of(terms),)),)}
    topic = topic_of(hook.criteria, known_types())
    if topic is None:
        text = "neither a topic that is published here nor a search like Encounter?status=finished"
        raise refused("Subscription.criteria", "subscription-topic", text)
    wants: dict[str, tuple[Want, ...]] = {}
    for trigger in topic.triggers:
        wants[trigger.type] = (*wants.get(trigger.type, ()), _want(topic, trigger, hook.filters))
    return wants


def _want(topic: Topic, trigger: Trigger, filters: Sequence[str]) -> Want:
    own: list[Group] = []
    if trigger.condition:
        own.append(Group.of(_terms(trigger.type, parse_qsl(trigger.condition))))
    for text in filters:
        own.extend(_filter(topic, trigger.type, text))
    return Want(trigger.interactions, tuple(own))


def _filter(topic: Topic, type_name: str, text: object) -> Iterator[Group]:
    """A filter is "Type?name=value&name=value", or without the type for each type of the topic."""
    if not isinstance(text, str) or "=" not in text:
        raise refused("Subscription.criteria.extension", "subscription-filter", "a filter is name=value")
    named, mark, pairs = text.partition("?")
    if mark and named not in topic.types:
        raise refused("Subscription.criteria.extension", "subscription-filter", "the topic tells of no such type")
    if mark and named != type_name:
        return
    for name, value in parse_qsl(pairs if mark else text, True):
        searches = topic.filters.get(name, (name,))
        yield Group.of(*(_terms(type_name, [(search, value)]) for search in searches))


def _terms(type_name: str, pairs: Sequence[tuple[str, str]]) -> _Terms:
    path, rule = "Subscription.criteria", "subscription-search"
    if not is_known(type_name):
        raise refused(path, rule, "a resource type that is not known here")
    if any(name.startswith("_") and name != "_id" for name, _ in pairs):
        raise refused(path, rule, "conditions are on the resource's own elements, without paging and sorting")
    try:
        query: Query = parse_query(type_name, pairs)
    except Unreadable as error:
        raise refused(path, rule, f"{error.path}: {error.reason}") from None
    return query.terms


# Taking Subscriptions in


async def _take_in(log: Log, book: Book, client: Client, change: Change) -> None:
    draft = change.draft
    line = await log.line(draft.id)
    if line is not None and line.client != client.id:
        raise Rejected(403, outcome_of("forbidden", "a subscription is changed by the client that made it"))
    if change.interaction == "delete":
        if line is not None:
            await log.remove(draft.id)
        return
    hook = read_hook(draft.resource, book.plain_http)
    if hook.ends_at is not None and hook.ends_at <= log.now:
        raise refused("Subscription.end", "subscription-end", "it would be over before it began")
    await _check_scopes(log, client, wants_of(hook))
    status = draft.resource["status"]
    if line is None:
        if status not in (REQUESTED, OFF):
            raise refused("Subscription.status", "subscription-status", "a subscription begins as requested")
        await log.add(Line(draft.id, client.id, status, False, draft.content), hook.heartbeat_s, hook.ends_at)
    else:
        await _continue(log, line, hook, draft)
    book.wake()


async def _continue(log: Log, line: Line, hook: Hook, draft: Draft) -> None:
    """A client that writes its subscription again means: go on, with a new handshake unless nothing of it changed."""
    status = draft.resource["status"]
    if status not in (REQUESTED, ACTIVE, OFF):
        raise refused("Subscription.status", "subscription-status", "a client says requested, active or off")
    same = read_hook(read(line.text), plain_http=True) == hook
    if status == ACTIVE and line.state == ACTIVE and same:
        await log.rewrite(Line(line.id, line.client, ACTIVE, True, draft.content), hook.heartbeat_s, hook.ends_at)
        return
    state = OFF if status == OFF else REQUESTED
    if line.state != state:
        HOOK_STATES.check(line.state, state)
    await log.change(Line(line.id, line.client, state, False, draft.content), hook.heartbeat_s, hook.ends_at)


async def _check_scopes(log: Log, client: Client, types: Iterable[str]) -> None:
    """A client hears of what it may read: by its registration, for a subscription outlives a token."""
    registered = await log.registration(client.id)
    for type_name in types:
        if registered is not None and not registered.scopes.allows(type_name, "r"):
            raise Rejected(403, outcome_of("forbidden", f"the scope system/{type_name}.r is needed"))
