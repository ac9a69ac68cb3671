"""An EHR that tells stories: visits as FHIR bundles, each with the outcome that the line should reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from simulator.ehr.kinds import stories
from simulator.ehr.story import Outcome, Story

__all__ = ["Outcome", "Story", "encounters", "stories"]


def encounters(seed: int, count: int, today: date) -> Iterator[bytes]:
    """The bundles of `count` stories, in the order in which the EHR sends them."""
    for story in stories(seed, count, today):
        yield from story.bundles
