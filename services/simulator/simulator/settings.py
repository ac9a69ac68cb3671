"""What the outside world can be told."""

from __future__ import annotations

from pathlib import Path

from chassis import ServiceSettings
from pydantic import Field, field_validator

from simulator.faults import read_faults


class Settings(ServiceSettings):
    """Needs neither Postgres nor NATS: it stands outside of the line."""

    postgres_url: str = Field("", description="Not used", repr=False)
    nats_url: str = Field("", description="Not used", repr=False)
    data_dir: Path = Field(description="Folder for what the outside world remembers")
    max_body_bytes: int = Field(64_000_000, ge=1, description="Largest batch that is read, in bytes")
    pay_after_ms: int = Field(1500, ge=0, description="Milliseconds that a payer takes from claim to payment")
    settle_every_ms: int = Field(200, ge=10, description="Milliseconds between two looks at what is due")
    clearinghouse_token: str = Field("", description="Bearer token that is asked for; empty asks for none", repr=False)
    drop_dir: Path | None = Field(None, description="Folder that is served as a directory clearinghouse, too")
    drop_submitter: str = Field("THROUGHLINE", description="Mailbox that the folder belongs to")
    faults: str = Field("", description="What goes wrong on purpose: name:rate,name:rate")
    fault_seed: int = Field(0, description="Chooses what the faults happen to")
    fault_timeout_s: float = Field(25.0, ge=0, description="Seconds that the fault realtime-timeout keeps silent")

    @field_validator("faults")
    @classmethod
    def _known(cls, value: str) -> str:
        read_faults(value)
        return value
