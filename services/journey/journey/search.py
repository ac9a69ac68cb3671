"""What a list of journeys is asked for, and the place in it where a page ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kernel.errors import Unreadable

from journey.model import Journey
from journey.model.facts import microseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAGE = 100
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """All filters must hold; an empty one holds always. `text`: an exact journey id, encounter reference or claim id.

    `since` and `until` bound the start, the second excluded. `after` is the cursor of the last journey seen.
    """

    state: str = ""
    outcome: str = ""
    stage: str = ""
    payer_id: str = ""
    payer_class: str = ""
    feed: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    limit: int = PAGE

    @property
    def page_size(self) -> int:
        """1 to LARGEST_PAGE."""
        return min(self.limit or PAGE, LARGEST_PAGE)


def cursor_of(journey: Journey) -> str:
    """The place of a journey in the list: the page after it begins there."""
    return f"{microseconds(journey.started_at - EPOCH)}-{journey.journey_id}"


def place_after(cursor: str) -> tuple[datetime, str]:
    """What a cursor stands for: start and id of the last journey seen. Unreadable(`page-token`) when it is none."""
    number, dash, journey_id = cursor.partition("-")
    if not (dash and number.isdecimal() and len(number) < 18):
        raise Unreadable("page-token", "after", "not a place in this list: take it from the answer before")
    try:
        return EPOCH + timedelta(microseconds=int(number)), journey_id
    except OverflowError:
        raise Unreadable("page-token", "after", "not a place in this list: take it from the answer before") from None
