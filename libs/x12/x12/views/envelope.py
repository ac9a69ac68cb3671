"""Who sends a transaction set to whom, under which control numbers: what every builder needs besides its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from x12.delimiters import Delimiters


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """ISA, GS and ST values. `created` comes from the caller's clock; `usage` is "T" (test) or "P" (production).

    `application_sender` and `application_receiver` (GS02, GS03) default to the interchange ids.
    """

    sender_id: str
    receiver_id: str
    control_number: int
    created: datetime
    group_control: int = 1
    set_control: str = "0001"
    usage: str = "T"
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    application_sender: str = ""
    application_receiver: str = ""
    acknowledge: bool = False
    delimiters: Delimiters = field(default_factory=Delimiters)
