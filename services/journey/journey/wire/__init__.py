"""Between the facts on the line, the ledger's own words, and the answers of the gRPC service."""

from journey.wire.facts import READERS, fact_of
from journey.wire.messages import journey_message, search_of, stamp_of

__all__ = ["READERS", "fact_of", "journey_message", "search_of", "stamp_of"]
