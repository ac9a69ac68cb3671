"""The lag ledger's arithmetic: facts in, stages out. Pure, so that a rebuild gives the same answer."""

from journey.model.amounts import MONEY
from journey.model.facts import Fact
from journey.model.journeys import ENDED, IN_FLIGHT, WAITING, Journey, journey_of
from journey.model.notices import Notice, notices_of
from journey.model.order import Placed, in_order, place_facts
from journey.model.stages import End, Stage, stages_of, walk_facts
from journey.model.table_stages import END, STAGE_AFTER, STAGES

__all__ = [
    "END",
    "ENDED",
    "IN_FLIGHT",
    "MONEY",
    "STAGES",
    "STAGE_AFTER",
    "WAITING",
    "End",
    "Fact",
    "Journey",
    "Notice",
    "Placed",
    "Stage",
    "in_order",
    "journey_of",
    "notices_of",
    "place_facts",
    "stages_of",
    "walk_facts",
]
