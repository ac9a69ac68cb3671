"""What the journey service does: record what it hears, add it up, export it, answer, and add it all up again."""

from journey.handlers.export import Exported, export_quiet
from journey.handlers.folding import fold_journeys
from journey.handlers.ports import Projection, Transaction
from journey.handlers.questions import find_journeys, get_journey
from journey.handlers.rebuild import Progress, rebuild_ledger

__all__ = [
    "Exported",
    "Progress",
    "Projection",
    "Transaction",
    "export_quiet",
    "find_journeys",
    "fold_journeys",
    "get_journey",
    "rebuild_ledger",
]
