"""What clients are told of: topics, who listens to which of them, and what there is to tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from kernel.transitions import Transitions

from interface_engine.model import Draft

Interaction = Literal["create", "update", "delete"]
Content = Literal["empty", "id-only", "full-resource"]
CONTENTS: tuple[Content, ...] = ("empty", "id-only", "full-resource")

REQUESTED, OPENING, ACTIVE, ERROR, OFF = "requested", "opening", "active", "error", "off"
# Opening: the endpoint has answered, and every replica is hearing of it. To clients that is still "requested".
HOOK_STATES = Transitions(
    {
        REQUESTED: (OPENING, ERROR, OFF, REQUESTED),
        OPENING: (ACTIVE, ERROR, OFF, REQUESTED),
        ACTIVE: (ERROR, OFF, REQUESTED),
        ERROR: (REQUESTED, OFF),
        OFF: (REQUESTED,),
    }
)

TOPICS = "https://throughline.example/fhir/SubscriptionTopic"
# Da Vinci PAS 2.2.1 names this one; the filter by the asking organization is its own.
PAS_TOPIC = "http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic"
_WRITTEN: tuple[Interaction, ...] = ("create", "update")
_CHANGED: tuple[Interaction, ...] = ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What sets a topic off: a change of a resource of this type that the search `condition` matches."""

    type: str
    interactions: tuple[Interaction, ...] = _WRITTEN
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to listen to. `filters` are the topic's own names, each with the searches of which one must match."""

    canonical: str
    title: str
    triggers: tuple[Trigger, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(trigger.type for trigger in self.triggers))


_ASKED_BY = ("requestor:identifier", "requestor.identifier")
_NAMED = (
    Topic(
        f"{TOPICS}/claim-status",
        "A claim was built, held, sent, answered or paid",
        (
            Trigger("Claim", condition="use=claim"),
            Trigger("ClaimResponse", condition="use=claim"),
            Trigger("ExplanationOfBenefit"),
        ),
    ),
    Topic(
        PAS_TOPIC,
        "The answer to a request for prior authorization is there",
        (Trigger("ClaimResponse", condition="use=preauthorization&outcome=complete,error,partial"),),
        {"orgIdentifier": _ASKED_BY, "org-identifier": _ASKED_BY},
    ),
    Topic(f"{TOPICS}/work-items", "Somebody has something to decide, or has decided it", (Trigger("Task"),)),
)
_BY_CANONICAL = {topic.canonical: topic for topic in _NAMED}


def topic_of(canonical: str, types: frozenset[str]) -> Topic | None:
    """The topic of that name, with or without a version behind it. Every one of `types` has one for its changes."""
    name = canonical.partition("|")[0]
    if name in _BY_CANONICAL:
        return _BY_CANONICAL[name]
    type_name = name.removeprefix(f"{TOPICS}/").removesuffix("-changed")
    changed = f"{TOPICS}/{type_name}-changed"
    return _changes_of(type_name) if name == changed and type_name in types else None


def topics(types: frozenset[str]) -> list[Topic]:
    """Everything that can be listened to."""
    return [*_NAMED, *(_changes_of(name) for name in sorted(types))]


def _changes_of(type_name: str) -> Topic:
    title = f"Created, updated or deleted: {type_name}"
    return Topic(f"{TOPICS}/{type_name}-changed", title, (Trigger(type_name, _CHANGED),))


@dataclass(frozen=True, slots=True)
class Hook:
    """A Subscription as it is understood. Times are seconds; `most` events go into one notification.

    `criteria` is a topic's canonical or a search; `filters` narrow a topic. Header values are secrets of the client.
    """

    criteria: str
    filters: tuple[str, ...]
    endpoint: str
    headers: tuple[tuple[str, str], ...]
    content: Content
    media_type: str
    heartbeat_s: int
    timeout_s: int
    most: int
    ends_at: datetime | None

    @property
    def topic(self) -> str:
        """The canonical that notifications name; a plain search has none."""
        return "" if "?" in self.criteria else self.criteria


@dataclass(frozen=True, slots=True)
class Line:
    """A Subscription as the engine works on it: whose it is, where it stands, how many events have got a number and
    up to which number they have been taken. `text` is the resource; `waiting` events have no number yet."""

    id: str
    client: str
    state: str
    recording: bool
    text: bytes
    reason: str = ""
    numbered: int = 0
    sent: int = 0
    waiting: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    last_sent_at: datetime | None = None
    settled_at: datetime | None = None
    fence: tuple[str, ...] | None = None

    @property
    def status(self) -> str:
        """The status as FHIR knows it."""
        return REQUESTED if self.state == OPENING else self.state


@dataclass(frozen=True, slots=True)
class Change:
    """A resource that was written or deleted in the open transaction, and the version that it became."""

    draft: Draft
    version: int
    interaction: Interaction


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell. `content` is there where the whole resource is told, and is not what a deletion has left."""

    number: int
    at: datetime
    type: str
    id: str
    version: int
    interaction: Interaction
    content: bytes = b""

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"
